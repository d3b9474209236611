"""Gradients of untrained networks on random inputs, the three cells with the same seed: the laboratory of the Gradients page.

Each function gives all that one view of the page draws.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_core.engine.cells import cell_of
from rnn_core.probes.gradients.curves import Curve, curve
from rnn_core.probes.gradients.state_gradients import GradientFlow, state_gradients
from rnn_core.probes.jacobians import spectra
from rnn_core.probes.jacobians.jacobians import jacobians
from rnn_core.probes.jacobians.spectra import LyapunovExponents, SingularValues
from rnn_core.spec.experiment import CELLS, Experiment
from rnn_core.spec.interface import Interface

if TYPE_CHECKING:
    from rnn_core.engine.model import Model

INPUTS = 32  # D: as wide as the default embedding


@dataclass(frozen=True, eq=False)
class UntrainedCurves:
    """Gradient curves of untrained networks on the same random inputs."""

    curves: dict[str, tuple[Curve, ...]]  # quantity → one curve per cell
    parameters: dict[str, int]  # cell → weights of the recurrent layer


def random_inputs(seed: int, examples: int, length: int, scale: float) -> np.ndarray:
    """(B, T, INPUTS) float32, normal with standard deviation `scale`: 0.03 is about an untrained embedding, 1 a normalised series."""
    return np.random.default_rng(seed).normal(0, scale, (examples, length, INPUTS)).astype(np.float32)


def untrained(experiment: Experiment, cell: str) -> Model:
    """An untrained network of the experiment's kind with INPUTS numbers per step and one logit after the last."""
    from rnn_core.engine.model import build

    return build(experiment.replace(cell=cell, embedding=INPUTS), Interface("floats", INPUTS, 1, "binary"))


def untrained_curves(
    experiment: Experiment, scale: float = 0.03, cells: Iterable[str] = CELLS, examples: int = 8
) -> UntrainedCurves:
    """Gradients of the logit by time step at initialisation, with the same seed, inputs and units for every cell.

    Args:
        experiment: its units, layers, gain, gate bias, activation, initialiser, length and seed are used.
        scale: standard deviation of the inputs.
    """
    inputs = random_inputs(experiment.seed, examples, experiment.data.length, scale)
    curves: dict[str, list[Curve]] = {"state": [], "input": [], "component": []}
    parameters = {}
    for cell in cells:
        model = untrained(experiment, cell)
        parameters[cell] = sum(weight.size for layer in model.recurrent for weight in layer)
        for quantity, norms in quantities(state_gradients(model, inputs)).items():
            curves[quantity].append(curve(norms, quantity, cell, "at init", relative=True, parameters=parameters[cell]))
    return UntrainedCurves({quantity: tuple(drawn) for quantity, drawn in curves.items()}, parameters)


def quantities(flow: GradientFlow) -> dict[str, np.ndarray]:
    """The norms that are drawn as curves: key of `curves.QUANTITIES` → (B, T). Infinities of an exploding network become gaps."""
    with np.errstate(over="ignore", invalid="ignore"):
        return {"state": flow.norms, "input": flow.inputs, "component": flow.components["recurrent_kernel"]}


def singular_values(experiment: Experiment, scale: float = 0.03, cells: Iterable[str] = CELLS) -> tuple[SingularValues, ...]:
    """Singular values of ∂s_T/∂s_t at initialisation, on one random sequence."""
    return tuple(spectra.singular_values(cell, _jacobians(experiment, scale, cell)) for cell in cells)


def lyapunov(experiment: Experiment, scale: float = 0.03, cells: Iterable[str] = CELLS) -> tuple[LyapunovExponents, ...]:
    """Lyapunov exponents at initialisation, along one random sequence."""
    return tuple(spectra.exponents(cell, _jacobians(experiment, scale, cell)) for cell in cells)


def _jacobians(experiment: Experiment, scale: float, cell: str) -> np.ndarray:
    """(T, S, S) of an untrained network on one random sequence."""
    return jacobians(untrained(experiment, cell), random_inputs(experiment.seed, 1, experiment.data.length, scale)[0]).steps


def gates(experiment: Experiment, scale: float = 0.03, examples: int = 8) -> tuple[Curve, Curve] | None:
    """(total gradient, product of the forget or update gates) of an untrained LSTM or GRU; None for the vanilla RNN."""
    if not cell_of(experiment.model).keep:
        return None
    model = untrained(experiment, experiment.model.cell)
    found = state_gradients(model, random_inputs(experiment.seed, examples, experiment.data.length, scale))
    total, taken = curve(found.norms, "state", model.spec.cell, "at init", relative=True), found.gradient.taken
    return total, gate_curve(taken.batch_first(taken.gates[taken.layer.cell.keep]), model.spec.cell, "at init")


def gate_curve(keep: np.ndarray, cell: str, when: str) -> Curve:
    """Product of the forget (LSTM) or update (GRU) gate over all later steps: its root mean square over units.

    Args:
        keep: (B, T, H) values of that gate.
    """
    logs = np.log(np.maximum(keep, 1e-300))
    later = np.concatenate([np.cumsum(logs[:, :0:-1], axis=1)[:, ::-1], np.zeros_like(logs[:, :1])], axis=1)
    return curve(np.sqrt(np.mean(np.exp(2 * later), axis=2)), "gate", cell, when)


def batch_gradient(experiment: Experiment, scale: float = 0.1, examples: int = 16) -> dict[str, float]:
    """Name of each weight → norm of its loss gradient, for an untrained network on random sequences with alternating targets."""

    from rnn_core.data.sequences import Batch

    inputs = random_inputs(experiment.seed, examples, experiment.data.length, scale)
    targets = (np.arange(examples)[:, None] % 2).astype(np.float32)
    model = untrained(experiment, experiment.model.cell)
    training_step = _training_step(experiment.replace(gain=1.0, gate_bias=None, length=1))
    for variable, weight in zip(training_step.weights, model.weights, strict=True):
        variable.assign(weight)
    norms = [
        float(np.linalg.norm(gradient.astype(np.float64))) for gradient in training_step.gradients(Batch(inputs, None, targets))
    ]
    return dict(zip(weight_names(model), norms, strict=True))


@lru_cache(maxsize=6)
def _training_step(experiment: Experiment) -> Any:
    from rnn_core.training.step import TrainingStep

    return TrainingStep(untrained(experiment, experiment.model.cell), experiment.training)


def weight_names(model: Model) -> list[str]:
    """Names for the screen, in the order of `model.weights`."""
    spec = model.spec
    names = ["embedding"] if model.interface.inputs == "tokens" else []
    each = ["input weights W", "recurrent weights U", "bias b"][: 3 if spec.use_bias else 2]
    for layer in range(spec.layers):
        for direction in (" forwards", " backwards") if spec.bidirectional else ("",):
            names += [name + (f", layer {layer + 1}" if spec.layers > 1 else "") + direction for name in each]
    return [*names, "output weights", "output bias"]
