"""Train the starter models on IMDB and write them: `python -m rnn_core starters`. Four minutes on two cores.

Four methods make 32 units accurate, all applied in training only: random crops and dropped words (so that the model also
learns to answer early and with unknown words), dropout of the recurrence's inputs, a cosine learning rate, and averaging the
weights over the last few hundred steps (Polyak & Juditsky 1992). The epoch that ships is chosen on the validation reviews;
the test accuracy is measured once, with the weights that ship (rounded to 16 bits, so that they are small).
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from rnn_core import data
from rnn_core.data.sequences import Sequences, batches, flat_indices, offsets_of
from rnn_core.data.text.token_ids import START, UNKNOWN
from rnn_core.engine import model as models
from rnn_core.probes.states import corpus, units
from rnn_core.spec.experiment import Experiment
from rnn_core.store import starters
from rnn_core.store.saved import kept_step_file
from rnn_core.store.store import Store
from rnn_core.training.history import NormHistory, logarithms
from rnn_core.training.loop import Run, Snapshot, eigenvalues
from rnn_core.training.step import TrainingStep

CROP_SHARE = 0.5  # share of the reviews that are cropped in an epoch
SHORTEST_CROP = 8  # tokens
DROP_SHARE = 0.1  # share of the words replaced by the unknown word
AVERAGE_DECAY = 0.998  # of the weight average, per step
WARM_UP = 200  # steps over which the learning rate grows
FINAL_RATE = 0.02  # share of the learning rate at the end
PROFILE_REVIEWS = 2000  # test reviews of the unit statistics
NORM_ROWS = 48  # rows of gradient norms kept

_DATA = {"task": "imdb", "length": 500, "validation": 0.1}
_SHARED = {**_DATA, "units": 32, "embedding": 32, "dropout": 0.2, "batch": 64, "clip": 1.0}
EXPERIMENTS = {
    "simple_rnn": Experiment().replace(**_SHARED, cell="simple_rnn", learning_rate=1e-3, epochs=10),
    "lstm": Experiment().replace(**_SHARED, cell="lstm", learning_rate=2e-3, epochs=8),
    "gru": Experiment().replace(**_SHARED, cell="gru", gate_bias=1.0, learning_rate=2e-3, epochs=8),
}
TITLES = {"simple_rnn": "Starter: vanilla RNN on IMDB", "lstm": "Starter: LSTM on IMDB", "gru": "Starter: GRU on IMDB"}
NOTE = "Trained with random crops, dropped words and averaged weights."


@dataclass(frozen=True, eq=False)
class Averaged:
    """A model with averaged weights, at one step of a training."""

    step: int
    epoch: int
    model: models.Model
    validation: tuple[float, float]  # loss and accuracy; nan where not measured
    norms: np.ndarray  # (T,) float64 ‖∂L/∂s_t‖ of that batch


def augmented(sequences: Sequences, rng: np.random.Generator) -> Sequences:
    """A copy with half the sequences cropped to a random part, and some words made unknown. Each still begins with the start id."""
    lengths = sequences.lengths
    short = np.minimum(np.exp(rng.uniform(math.log(SHORTEST_CROP), np.log(np.maximum(lengths, SHORTEST_CROP + 1)))), lengths)
    kept = np.where(rng.random(len(lengths)) < CROP_SHARE, short.astype(np.int64), lengths)
    starts = sequences.offsets[:-1] + (rng.random(len(lengths)) * (lengths - kept + 1)).astype(np.int64)
    offsets, values = offsets_of(kept), sequences.values[flat_indices(starts, kept)]
    values = np.where((rng.random(len(values)) < DROP_SHARE) & (values > UNKNOWN), UNKNOWN, values).astype(np.int32)
    values[offsets[:-1]] = START
    return Sequences(values, offsets, sequences.targets)


class _Average:
    """A running average of the weights, with a smaller decay in the first steps."""

    def __init__(self, weights: tuple[np.ndarray, ...]) -> None:
        self.weights, self.steps = [weight.copy() for weight in weights], 0

    def add(self, weights: tuple[np.ndarray, ...]) -> None:
        self.steps += 1
        decay = min(AVERAGE_DECAY, (1 + self.steps) / (10 + self.steps))
        for mean, weight in zip(self.weights, weights, strict=True):
            mean *= decay
            mean += (1 - decay) * weight


def train(experiment: Experiment, run: Run) -> Iterator[Averaged]:
    """Yield averaged weights at step 0, after a quarter of the first epoch, and after every epoch; appends the history to `run`."""
    dataset = data.build(experiment)
    training_step = TrainingStep(models.build(experiment, dataset.interface), experiment.training, experiment.seed)
    average = _Average(training_step.model.weights)
    yield Averaged(0, 0, rounded(training_step.model), (math.nan, math.nan), np.empty(0))
    rng, size, epochs = np.random.default_rng(experiment.seed), experiment.training.batch, experiment.training.epochs
    per_epoch = math.ceil(len(dataset.train) / size)
    step, began = 0, time.perf_counter()
    for epoch in range(1, epochs + 1):
        for batch in tqdm(batches(augmented(dataset.train, rng), size, rng), f"epoch {epoch}/{epochs}", per_epoch, leave=False):
            step += 1
            training_step.learning_rate = _rate(experiment.training.learning_rate, step, epochs * per_epoch)
            result = training_step.step(batch)
            average.add(tuple(weight.numpy() for weight in training_step.weights))
            ended = step == epoch * per_epoch
            model = rounded(training_step.model.with_weights(average.weights)) if ended or step == per_epoch // 4 else None
            scores = evaluate(training_step, model, dataset.validation) if model is not None else (math.nan, math.nan)
            losses = (result.loss, result.metric, *scores, result.gradient_norm, result.clipped_norm)
            run._history.append((step, epoch, *losses, training_step.learning_rate, time.perf_counter() - began))
            run._norms.add(step, logarithms(result.state_norms))
            if model is not None:
                yield Averaged(step, epoch if ended else 0, model, scores, result.state_norms)


def _rate(largest: float, step: int, total: int) -> float:
    """Learning rate of a step: linear warm-up, then half a cosine down to FINAL_RATE."""
    return largest * min(1.0, step / WARM_UP) * (FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * step / total)))


def rounded(model: models.Model) -> models.Model:
    """The model with its weights rounded to float16 precision, still stored as float32."""
    return model.with_weights([weight.astype(np.float16).astype(np.float32) for weight in model.weights])


def evaluate(training_step: TrainingStep, model: models.Model, sequences: Sequences) -> tuple[float, float]:
    """(loss, accuracy) of other weights than the training_step's own."""
    before = training_step.state()
    training_step.restore(before | {f"weight.{n}": weight for n, weight in enumerate(model.weights)})
    scores = training_step.evaluate(sequences, 128)
    training_step.restore(before)
    return scores


def build(name: str, folder: Path = starters.FOLDER) -> float:
    """Train one starter, measure it once on the test reviews, write its two files; returns the test accuracy."""
    experiment = EXPERIMENTS[name]
    run = Run(experiment, norms=NormHistory(limit=NORM_ROWS))
    found: list[Averaged] = []
    for one in train(experiment, run):
        found.append(one)
        tqdm.write(f"{name} step {one.step}: validation loss {one.validation[0]:.4f}, accuracy {one.validation[1]:.4f}")
    best = max(found, key=lambda one: one.validation[1] if one.validation[1] == one.validation[1] else 0.0)
    kept = [one for one in found if one.epoch <= 1 and one.step < best.step] + [best]
    dataset = data.build(experiment)
    assert dataset.test is not None  # IMDB has one
    test = evaluate(TrainingStep(best.model, experiment.training), best.model, dataset.test)[1]
    folder.mkdir(parents=True, exist_ok=True)
    _write_run(name, run, kept, best, test, dataset.validation, folder)
    _write_profiles(name, kept, folder)
    tqdm.write(f"{name}: best validation accuracy {best.validation[1]:.4f} after epoch {best.epoch}\nTest Accuracy: {test:.4f}")
    return test


def _write_run(
    name: str, run: Run, kept: list[Averaged], best: Averaged, test: float, validation: Sequences, folder: Path
) -> None:
    """Write the starter as an exported run, as the store does for any run."""
    probe = validation[int(np.argsort(validation.lengths, kind="stable")[len(validation) // 2])]
    with tempfile.TemporaryDirectory() as home:
        store = Store(home)
        run_id = store.create(run.experiment, name=TITLES[name], status="finished", message=NOTE)
        rows = list(zip(*(column.tolist() for column in run.history.values()), strict=True))
        store.record(run_id, rows, run._norms.rows.items(), run._norms.stride, test_metric=test)
        for one in kept:
            store.keep(run_id, kept_step_file(_snapshot(one, run, probe)))
        store.export(run_id, folder / f"{name}.run")
        store.close()


def _snapshot(one: Averaged, run: Run, probe: np.ndarray) -> Snapshot:
    from rnn_core.probes.states.traces import trace

    nan = math.nan
    return Snapshot(
        run=run, step=one.step, epoch=one.epoch, epochs=run.experiment.training.epochs, steps_per_epoch=0, loss=nan, metric=nan,
        validation_loss=one.validation[0], validation_metric=one.validation[1], state_norms=one.norms, gradient_norm=nan,
        clipped_norm=nan, probe_inputs=probe, probe_states=trace(one.model, probe[None]).states[0].astype(np.float32),
        eigenvalues=eigenvalues(one.model), probe_step=one.step, learning_rate=nan, steps_per_second=nan, seconds_left=nan,
        seconds=nan, model=one.model,
    )  # fmt: skip


def _write_profiles(name: str, kept: list[Averaged], folder: Path) -> None:
    """Write the profiles of all kept steps over the same test reviews, on the axes of the last."""
    reviews = corpus.reviews("imdb", PROFILE_REVIEWS, 500, kept[-1].model.interface.input_size)
    last = units.profile(kept[-1].model, reviews)
    profiles = {one.step: units.profile(one.model, reviews, last.basis) for one in kept[:-1]}
    starters.write_profiles(name, profiles | {kept[-1].step: last}, folder)
