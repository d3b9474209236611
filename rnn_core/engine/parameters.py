"""Numbers of trainable parameters: of the recurrent network, and of a feedforward network on the same window.

Computed from formulas, without building a network, so that a form can show them while it is edited.
"""

from __future__ import annotations

from rnn_core.engine.cells import cell_of
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

# Legend: D inputs per step, H units, K outputs, T time steps.


def recurrent(experiment: Experiment, interface: Interface) -> int:
    """Parameters of the experiment's network; independent of the sequence length, because every step shares them.

    Each recurrent layer has, per gate or candidate, H×D weights of its inputs, H×H of the previous state, and H biases (a
    GRU with reset_after has two sets of biases, as in Keras).
    """
    model, inputs = experiment.model, _inputs(experiment, interface)
    cell = cell_of(model)
    biases = model.use_bias * (1 + cell.recurrent_bias)
    total, directions = _embedding(experiment, interface), 2 if model.bidirectional else 1
    for _ in range(model.layers):
        total += directions * len(cell.columns) * model.units * (inputs + model.units + biases)
        inputs = directions * model.units
    return total + (inputs + 1) * interface.outputs


def feedforward(experiment: Experiment, interface: Interface) -> int:
    """Parameters of a network with one hidden layer of H units whose input is all T steps at once.

    Its first layer has separate weights for every position, T×D×H; a target at every step needs T outputs.
    """
    steps, units = experiment.data.length, experiment.model.units
    outputs = interface.outputs * (steps if interface.per_step else 1)
    return _embedding(experiment, interface) + (steps * _inputs(experiment, interface) + 1) * units + (units + 1) * outputs


def _inputs(experiment: Experiment, interface: Interface) -> int:
    return experiment.model.embedding if interface.inputs == "tokens" else interface.input_size


def _embedding(experiment: Experiment, interface: Interface) -> int:
    return interface.input_size * experiment.model.embedding if interface.inputs == "tokens" else 0
