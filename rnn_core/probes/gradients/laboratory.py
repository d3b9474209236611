"""Everything one state of the Gradients page draws, in one call to a worker.

Two sources: the laboratory (untrained networks on random inputs, three cells side by side) and a run's kept model on its own
validation sequences. TensorFlow is loaded inside the functions; results are numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_core.data.task import Uploads
from rnn_core.probes import layers
from rnn_core.probes.gradients.curves import Curve, curve
from rnn_core.probes.gradients.quick import quick
from rnn_core.probes.jacobians import spectra
from rnn_core.probes.jacobians.quick_jacobians import quick_jacobians
from rnn_core.probes.jacobians.spectra import Exponents, SingularValues
from rnn_core.probes.states import samples
from rnn_core.spec.experiment import CELLS, Experiment
from rnn_core.spec.interface import Interface

if TYPE_CHECKING:
    from rnn_core.data.sequences import Batch
    from rnn_core.engine.model import Model

INPUTS = 32  # D of the laboratory: as wide as the default embedding


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
    from rnn_core.engine.model import build

    return build(experiment.replace(cell=cell, embedding=INPUTS), Interface("floats", INPUTS, 1, "binary"))


def laboratory(experiment: Experiment, scale: float = 0.03, cells: tuple[str, ...] = CELLS, examples: int = 8) -> Laboratory:
    """Gradients of the logit by time step at initialisation: same seed, same inputs, same units for every cell.

    Args:
        experiment: units, layers, gain, gate bias, activation, initialiser, length and seed are read.
        scale: standard deviation of the inputs.
    """
    inputs = random_inputs(experiment.seed, examples, experiment.data.length, scale)
    curves: dict[str, list[Curve]] = {"state": [], "input": [], "component": []}
    parameters = {}
    for cell in cells:
        model = untrained(experiment, cell)
        found = quick(model, inputs)
        parameters[cell] = sum(weight.size for layer in model.recurrent for weight in layer)
        for quantity, drawn in curves.items():
            norms = getattr(found, quantity)
            drawn.append(curve(norms, quantity, cell, "at init", relative=True, parameters=parameters[cell]))
    return Laboratory({quantity: tuple(drawn) for quantity, drawn in curves.items()}, parameters)


def singular_values(experiment: Experiment, scale: float = 0.03, cells: tuple[str, ...] = CELLS) -> tuple[SingularValues, ...]:
    """Singular values of ∂s_T/∂s_t at initialisation, on one random sequence."""
    return tuple(spectra.singular_values(cell, _jacobians(experiment, scale, cell)) for cell in cells)


def lyapunov(experiment: Experiment, scale: float = 0.03, cells: tuple[str, ...] = CELLS) -> tuple[Exponents, ...]:
    """Lyapunov exponents at initialisation, along one random sequence."""
    return tuple(spectra.exponents(cell, _jacobians(experiment, scale, cell)) for cell in cells)


def _jacobians(experiment: Experiment, scale: float, cell: str) -> np.ndarray:
    """(T, S, S) of an untrained network on one random sequence."""
    return quick_jacobians(untrained(experiment, cell), random_inputs(experiment.seed, 1, experiment.data.length, scale)[0])


def gates(experiment: Experiment, scale: float = 0.03, examples: int = 8) -> tuple[Curve, Curve] | None:
    """(total gradient, product of the forget or update gates) of an untrained LSTM or GRU; None for the vanilla RNN."""
    if experiment.model.cell == "simple_rnn":
        return None
    model = untrained(experiment, experiment.model.cell)
    found = quick(model, random_inputs(experiment.seed, examples, experiment.data.length, scale))
    total = curve(found.state, "state", model.spec.cell, "at init", relative=True)
    keep = found.seen.gate(1 if model.spec.cell == "lstm" else 0)  # the forget or the update gate
    return total, gate_curve(np.swapaxes(keep, 0, 1), model.spec.cell, "at init")


def gate_curve(keep: np.ndarray, cell: str, moment: str) -> Curve:
    """What the forget (LSTM) or update (GRU) gates alone let through from each step to the last: root mean square over units of ∏ gate.

    Args:
        keep: (B, T, H) that gate.
    """
    logs = np.log(np.maximum(keep, 1e-300))
    later = np.concatenate([np.cumsum(logs[:, :0:-1], axis=1)[:, ::-1], np.zeros_like(logs[:, :1])], axis=1)
    return curve(np.sqrt(np.mean(np.exp(2 * later), axis=2)), "gate", cell, moment)


# ---- a run's own model on its own data ----


@dataclass(frozen=True, eq=False)
class RunFlow:
    """Kept models on the same validation sequences."""

    curves: dict[str, tuple[Curve, ...]]  # quantity → one curve per model and layer
    source: str  # what was read, in words


@dataclass(frozen=True, eq=False)
class Moment:
    """A model and when in its training it was kept."""

    model: Model
    step: int  # batches trained
    label: str = ""  # tells models of one cell apart

    @property
    def words(self) -> str:
        return "at init" if self.step == 0 else f"after {self.step:,} steps"


def probe_batch(experiment: Experiment, uploads: Uploads = None, examples: int = 32) -> tuple[Batch, str]:
    """The same validation sequences for every snapshot of a run, long ones first, and what they are in words.

    Raises ValueError with a sentence where the data cannot be made, for one because an uploaded file is not in `uploads`.
    """
    dataset, task = samples.dataset(experiment, uploads)
    source = "validation sequences of its own data"
    if task != experiment.data.task:
        source = "synthetic toy reviews, because the IMDB reviews are not on this machine"
    sequences, longest = dataset.validation, experiment.data.length
    chosen = np.argsort(-np.minimum(sequences.lengths, longest), kind="stable")[:examples]
    length = min(int(sequences.lengths[chosen].max()), longest)
    return sequences.pad(chosen, length, side="pre", mask=True), f"{len(chosen)} {source}"


def of_run(
    moments: tuple[Moment, ...], experiment: Experiment, of: str = "output", relative: bool = True, uploads: Uploads = None
) -> RunFlow:
    """Gradient curves of kept models, every recurrent layer, on the validation sequences of `experiment`.

    A layer's last step is the last that it reads: for the half that reads backwards, the sequence's first.

    Args:
        of: "output" (the logit) or "loss".
        relative: divide each example by its value at the final step.
        uploads: SHA-256 → bytes of the files that the experiment names.
    """
    from rnn_core.probes.gradients.state_gradients import state_gradients

    batch, source = probe_batch(experiment, uploads)
    collected: dict[str, list[Curve]] = {"state": [], "input": [], "component": []}
    for moment in moments:
        spec = moment.model.spec
        for part in reversed(layers.parts(spec)):
            flow = state_gradients(moment.model, batch.inputs, targets=batch.targets, of=of, mask=batch.mask, layer=part.index)
            drawn = {"state": flow.norms, "input": flow.inputs, "component": flow.components["recurrent_kernel"]}
            about: dict[str, Any] = {"relative": relative, "parameters": moment.model.parameters}
            about["label"] = ", ".join(word for word in (moment.label, part.name) if word)
            about["mask"] = layers.as_read(flow.mask, flow.mask) if part.backwards else flow.mask
            for quantity, norms in drawn.items():
                norms = layers.as_read(norms, flow.mask) if part.backwards else norms
                collected[quantity].append(curve(norms, quantity, spec.cell, moment.words, **about))
    return RunFlow({quantity: tuple(found) for quantity, found in collected.items()}, source)


def spectrum_of_run(moment: Moment, experiment: Experiment, uploads: Uploads = None) -> tuple[SingularValues, Exponents]:
    """Singular values and Lyapunov exponents of a kept model on one validation sequence of `experiment`."""
    from rnn_core.probes.jacobians.jacobians import jacobians

    batch, _ = probe_batch(experiment, uploads)
    real = slice(None) if batch.mask is None else batch.mask[0]
    found = jacobians(moment.model, batch.inputs[0][real])
    return spectra.singular_values(found.cell, found.steps), spectra.exponents(found.cell, found.steps)


# ---- clipping ----


def batch_gradient(experiment: Experiment, scale: float = 0.1, examples: int = 16) -> dict[str, float]:
    """Norm of each weight's loss gradient on one batch of random sequences and random answers, for an untrained network."""
    from rnn_core.data.sequences import Batch

    inputs = random_inputs(experiment.seed, examples, experiment.data.length, scale)
    targets = (np.arange(examples)[:, None] % 2).astype(np.float32)
    model = untrained(experiment, experiment.model.cell)
    stepper = _stepper(experiment.replace(gain=1.0, gate_bias=None, length=1))
    for variable, weight in zip(stepper.weights, model.weights, strict=True):
        variable.assign(weight)
    norms = [float(np.linalg.norm(gradient.astype(np.float64))) for gradient in stepper.gradients(Batch(inputs, None, targets))]
    return dict(zip(weight_names(model), norms, strict=True))


@lru_cache(maxsize=6)
def _stepper(experiment: Experiment) -> Any:
    from rnn_core.training.step import TrainingStep

    return TrainingStep(untrained(experiment, experiment.model.cell), experiment.training)


def weight_names(model: Model) -> list[str]:
    """Plain names in the order of `model.weights`."""
    spec = model.spec
    names = ["embedding"] if model.interface.inputs == "tokens" else []
    each = ["input weights W", "recurrent weights U", "bias b"][: 3 if spec.use_bias else 2]
    for layer in range(spec.layers):
        for way in (" forwards", " backwards") if spec.bidirectional else ("",):
            names += [name + (f", layer {layer + 1}" if spec.layers > 1 else "") + way for name in each]
    return [*names, "output weights", "output bias"]
