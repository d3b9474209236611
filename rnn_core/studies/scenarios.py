"""Scenarios of the Gradients page: settings of untrained networks under which their gradient does one thing, and what to say then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_core.probes.gradients.laboratory import random_inputs, untrained
from rnn_core.probes.strip import Shown, Strip, strip
from rnn_core.spec.experiment import CELLS, Experiment


@dataclass(frozen=True)
class Scenario:
    """Where the knobs stand."""

    name: str  # on its button
    cells: tuple[str, ...]
    gain: float  # of the recurrent weights
    gate_bias: float | None  # of forget and update gate; None: Keras's
    length: int  # steps
    scale: float = 0.03  # standard deviation of the inputs: a fresh embedding of words


ALL = tuple(CELLS[:3])
SCENARIOS: Mapping[str, Scenario] = {
    "shrinks": Scenario("Shrinks", ("simple_rnn",), 0.7, None, 6),
    "gates": Scenario("Gates opened", ALL, 1.0, 3.0, 100),
    "keras": Scenario("As Keras starts", ALL, 1.0, None, 100),
    "explodes": Scenario("Explodes", ("simple_rnn",), 1.5, None, 100),
}


@dataclass(frozen=True, eq=False)
class Untrained:
    """Untrained networks over one random sequence."""

    strips: tuple[Strip, ...]
    shown: Shown  # the first of the numbers at each step
    usual: Mapping[str, int]  # cell → reach with Keras's gate bias, where another one is set


def untrained_strips(experiment: Experiment, scale: float = 0.03, cells: Sequence[str] = ALL) -> Untrained:
    """Untrained networks of the experiment's kind over one sequence of random numbers; its fields as in `untrained_curves`."""
    inputs = random_inputs(experiment.seed, 1, experiment.data.length, scale)[0]

    def run(kind: Experiment, cell: str) -> Strip:
        return strip(untrained(kind, cell), inputs)

    usual = {}
    if experiment.model.gate_bias is not None:
        usual = {cell: run(experiment.replace(gate_bias=None), cell).reach for cell in cells if cell != "simple_rnn"}
    return Untrained(tuple(run(experiment, cell) for cell in cells), Shown(values=np.ascontiguousarray(inputs[:, 0])), usual)
