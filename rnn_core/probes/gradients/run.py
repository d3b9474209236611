"""Gradients of a run's kept models on validation sequences of its own data, in one call to a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_core import data
from rnn_core.data import imported
from rnn_core.data.task import Dataset, Uploads
from rnn_core.probes import layers
from rnn_core.probes.gradients.curves import Curve, curve
from rnn_core.probes.gradients.laboratory import quantities
from rnn_core.probes.gradients.state_gradients import state_gradients
from rnn_core.probes.jacobians import spectra
from rnn_core.probes.jacobians.jacobians import jacobians
from rnn_core.probes.jacobians.spectra import LyapunovExponents, SingularValues
from rnn_core.probes.states import samples
from rnn_core.probes.strip import Shown, Strip, shown, strip
from rnn_core.spec.experiment import Experiment

if TYPE_CHECKING:
    from rnn_core.data.sequences import Batch
    from rnn_core.engine.model import Model


@dataclass(frozen=True, eq=False)
class RunCurves:
    """Gradient curves of kept models on the same validation sequences."""

    curves: dict[str, tuple[Curve, ...]]  # quantity → one curve per model and layer
    source: str  # which sequences, in words


@dataclass(frozen=True, eq=False)
class KeptModel:
    """A model and the step of its training at which it was kept."""

    model: Model
    step: int  # batches trained; -1 of a model that was trained elsewhere
    label: str = ""  # distinguishes models of one cell

    @property
    def when(self) -> str:
        return {0: "at init", -1: "as imported"}.get(self.step, f"after {self.step:,} steps")


def probe_batch(experiment: Experiment, uploads: Uploads = None, examples: int = 32) -> tuple[Batch, str]:
    """Validation sequences, the longest first, the same for every kept model of a run; and what they are, in words.

    Raises ValueError where the data cannot be built, for example because an uploaded file is not in `uploads`.
    """
    dataset, task = samples.dataset(experiment, uploads)
    source = "validation sequences of its own data"
    if task != experiment.data.task:
        source = "synthetic toy reviews, because the IMDB reviews are not on this machine"
    if imported.is_imported(experiment):
        source = dataset.names["source"].removeprefix("the ")
    sequences, longest = dataset.validation, experiment.data.length
    chosen = np.argsort(-np.minimum(sequences.lengths, longest), kind="stable")[:examples]
    length = min(int(sequences.lengths[chosen].max()), longest)
    return sequences.pad(chosen, length, side="pre", mask=True), f"{len(chosen)} {source}"


def run_curves(
    kept_models: tuple[KeptModel, ...], experiment: Experiment, of: str = "output", relative: bool = True, uploads: Uploads = None
) -> RunCurves:
    """Gradient curves of kept models, one per recurrent layer, on validation sequences of `experiment`.

    Steps are in the order in which a layer processes them: the last step of a backward half is the sequence's first.

    Args:
        of: "output" (the logit) or "loss".
        relative: divide each example by its value at the final step.
        uploads: SHA-256 → bytes of the files that the experiment names.
    """
    batch, source = probe_batch(experiment, uploads)
    collected: dict[str, list[Curve]] = {"state": [], "input": [], "component": []}
    for kept in kept_models:
        spec = kept.model.spec
        for layer in reversed(layers.named_layers(spec)):
            flow = state_gradients(kept.model, batch.inputs, targets=batch.targets, of=of, mask=batch.mask, layer=layer.index)
            drawn = quantities(flow)
            about: dict[str, Any] = {"relative": relative, "parameters": kept.model.parameters}
            about["label"] = ", ".join(word for word in (kept.label, layer.name) if word)
            about["mask"] = layers.in_processing_order(flow.mask, flow.mask) if layer.backwards else flow.mask
            for quantity, norms in drawn.items():
                norms = layers.in_processing_order(norms, flow.mask) if layer.backwards else norms
                collected[quantity].append(curve(norms, quantity, spec.cell, kept.when, **about))
    return RunCurves({quantity: tuple(found) for quantity, found in collected.items()}, source)


@dataclass(frozen=True, eq=False)
class RunStrips:
    """Kept models over one validation sequence."""

    strips: tuple[Strip, ...]
    shown: Shown
    answer: str  # what they answer, in a word or two
    inputs: str  # what the steps are
    source: str  # which sequence, in words


def run_strips(kept_models: tuple[KeptModel, ...], experiment: Experiment, uploads: Uploads = None) -> RunStrips:
    """Kept models over the validation sequence of median length (at most the experiment's length)."""
    dataset, task = samples.dataset(experiment, uploads)
    source = "one validation sequence of its own data"
    if task != experiment.data.task:
        source = "one synthetic toy review, because the IMDB reviews are not on this machine"
    if imported.is_imported(experiment):
        source = f"one of {dataset.names['source']}"
    return strips_on(dataset, kept_models, experiment, source, uploads)


def strips_on(
    dataset: Dataset, kept_models: tuple[KeptModel, ...], experiment: Experiment, source: str = "", uploads: Uploads = None
) -> RunStrips:
    """Kept models over the validation sequence of median length of a data set; without a right answer where the data has none."""
    sequences, longest = dataset.validation, experiment.data.length
    number = int(np.argsort(sequences.lengths, kind="stable")[len(sequences) // 2])
    inputs, target = sequences[number][-longest:], sequences.targets[number]
    target = target[-longest:] if dataset.interface.per_step else target
    known = None if imported.is_imported(experiment) or not np.isfinite(target).all() else target
    strips = tuple(strip(kept.model, inputs, known, label=_when(kept)) for kept in kept_models)
    words = imported.vocabulary_of(experiment, uploads).decode(inputs) if dataset.interface.inputs == "tokens" else ()
    task = data.task(experiment.data.task)
    return RunStrips(strips, shown(inputs, words), task.target_label, task.input_label, source)


def _when(kept: KeptModel) -> str:
    return {0: "untrained", -1: "as imported"}.get(kept.step, f"after {kept.step:,} steps")


def run_spectrum(kept: KeptModel, experiment: Experiment, uploads: Uploads = None) -> tuple[SingularValues, LyapunovExponents]:
    """Singular values and Lyapunov exponents of a kept model on one validation sequence of `experiment`."""
    batch, _ = probe_batch(experiment, uploads)
    real = slice(None) if batch.mask is None else batch.mask[0]
    found = jacobians(kept.model, batch.inputs[0][real])
    return spectra.singular_values(found.cell, found.steps), spectra.exponents(found.cell, found.steps)
