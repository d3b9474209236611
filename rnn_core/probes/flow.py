"""Everything one state of the Gradients page draws, in one call to a worker.

Two sources: the laboratory (untrained networks on random inputs, three cells side by side) and a run's kept model on its own
validation sequences. TensorFlow is loaded inside the functions; results are numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_core.data.task import Interface
from rnn_core.experiment import CELLS, Experiment
from rnn_core.probes.clipping import Clipping, compare
from rnn_core.probes.curves import Curve, curve

if TYPE_CHECKING:
    from rnn_core.data.sequences import Batch
    from rnn_core.models import Model

INPUTS = 32  # D of the laboratory: as wide as the default embedding
LAGS = 33  # how many lags get their singular values: an SVD each
TRAINED = "after {step:,} steps"


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The product of Jacobians of one network on one sequence."""

    cell: str  # simple_rnn, lstm or gru
    lags: np.ndarray  # (N,) steps before the end, ascending
    singular_values: np.ndarray  # (N, S) of ∂s_T/∂s_{T-lag}, largest first
    lyapunov: np.ndarray  # (S,) exponents per step, largest first
    gate: Curve | None  # product of forget or update gates by time step; None for the vanilla RNN


@dataclass(frozen=True, eq=False)
class Laboratory:
    """Untrained networks on the same random inputs."""

    curves: dict[str, tuple[Curve, ...]]  # quantity → one curve per cell
    parameters: dict[str, int]  # cell → weights of the recurrent layer


def random_inputs(seed: int, examples: int, length: int, scale: float) -> np.ndarray:
    """(B, T, INPUTS) float32, normal with standard deviation `scale`: 0.03 is about a fresh embedding, 1 a normalised series."""
    return np.random.default_rng(seed).normal(0, scale, (examples, length, INPUTS)).astype(np.float32)


def untrained(experiment: Experiment, cell: str) -> Model:
    """A fresh network of the experiment's kind that reads the laboratory's inputs and answers with one logit."""
    from rnn_core.models import build

    return build(experiment.replace(cell=cell, embedding=INPUTS), Interface("floats", INPUTS, 1, "binary"))


def laboratory(experiment: Experiment, scale: float = 0.03, cells: tuple[str, ...] = CELLS, examples: int = 16) -> Laboratory:
    """Gradients of the logit by time step at initialisation: same seed, same inputs, same units for every cell.

    Args:
        experiment: units, layers, gain, gate bias, activation, initialiser, length and seed are read.
        scale: standard deviation of the inputs.
    """
    from rnn_core.probes.gradients import state_gradients

    inputs = random_inputs(experiment.seed, examples, experiment.data.length, scale)
    flows, parameters = {}, {}
    for cell in cells:
        model = untrained(experiment, cell)
        flows[cell] = state_gradients(model, inputs)
        parameters[cell] = sum(weight.size for layer in model.recurrent for weight in layer)
    return Laboratory(_curves(flows, "at init", parameters), parameters)


def _curves(flows: dict[str, Any], moment: str, parameters: dict[str, int]) -> dict[str, tuple[Curve, ...]]:
    """Every quantity of a gradient flow as curves, relative to the final step."""
    chosen = {"state": lambda flow: flow.norms, "input": lambda flow: flow.inputs, "component": lambda flow: flow.components["recurrent_kernel"]}
    return {
        quantity: tuple(
            curve(pick(flow), quantity, cell, moment, mask=flow.mask, relative=True, parameters=parameters[cell]) for cell, flow in flows.items()
        )
        for quantity, pick in chosen.items()
    }


def spectra(experiment: Experiment, scale: float = 0.03, cells: tuple[str, ...] = CELLS) -> tuple[Spectrum, ...]:
    """Singular values of ∂s_T/∂s_t, Lyapunov exponents and gate products at initialisation, on one random sequence."""
    inputs = random_inputs(experiment.seed, 1, experiment.data.length, scale)[0]
    return tuple(spectrum(untrained(experiment, cell), inputs) for cell in cells)


def spectrum(model: Model, sequence: np.ndarray, moment: str = "at init") -> Spectrum:
    """The product of Jacobians of any model on one sequence."""
    from rnn_core.probes.jacobians import jacobians

    flow = jacobians(model, sequence)
    steps = len(flow.steps)
    lags = np.unique(np.round(np.linspace(0, steps - 1, min(LAGS, steps))).astype(int))
    values = np.stack([np.linalg.svd(flow.product(steps - 1 - lag, steps - 1), compute_uv=False) for lag in lags])
    gate = None if model.spec.cell == "simple_rnn" else curve(flow.gate_product[None], "gate", model.spec.cell, moment)
    return Spectrum(model.spec.cell, lags, values, flow.lyapunov(), gate)


# ---- a run's own model on its own data ----


@dataclass(frozen=True, eq=False)
class RunFlow:
    """One kept model on its validation sequences."""

    curves: dict[str, tuple[Curve, ...]]  # quantity → one curve per recurrent layer, the last layer first
    spectrum: Spectrum  # of the last layer on the first sequence
    clipping: Clipping  # of the loss gradient on these sequences
    source: str  # what was read, in words


@lru_cache(maxsize=3)
def probe_batch(experiment: Experiment, examples: int = 32) -> tuple[Batch, str]:
    """The same validation sequences for every snapshot of a run, long ones first, and what they are in words."""
    from rnn_core import data

    source = "validation sequences of its own data"
    try:
        dataset = data.build(experiment)
    except (OSError, ValueError, RuntimeError):
        if experiment.data.task != "imdb":
            raise
        dataset = data.build(experiment.replace(task="toy_reviews"))
        source = "synthetic toy reviews, because the IMDB reviews are not on this machine"
    sequences = dataset.validation
    longest = np.argsort(-np.minimum(sequences.lengths, experiment.data.length), kind="stable")[:examples]
    batch = sequences.pad(longest, min(int(sequences.lengths[longest].max()), experiment.data.length), side="pre", mask=True)
    return batch, f"{len(longest)} {source}"
