"""The training loop: a generator of frozen snapshots, one per batch.

for snapshot in train(presets.get("toy")):
    print(snapshot.step, snapshot.loss)
model = snapshot.run.to_keras()
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from rnn_core import data
from rnn_core.data.seeds import generator
from rnn_core.data.sequences import Sequences, batches
from rnn_core.spec.experiment import Experiment
from rnn_core.training.clock import Cadence, Clock
from rnn_core.training.control import Control
from rnn_core.training.history import History, logarithms
from rnn_core.training.observer import Observer, eigenvalues, probe_inputs
from rnn_core.training.snapshot import Checkpoint, Run, Snapshot, row_of
from rnn_core.training.validation import Validation, as_trained

if TYPE_CHECKING:
    from rnn_core.data.task import Dataset
    from rnn_core.training.step import StepResult, TrainingStep

__all__ = ["Checkpoint", "Run", "Snapshot", "eigenvalues", "reseed", "row_of", "train"]

CHECKPOINT_SECONDS = 5.0  # between two checkpoints, or twenty times their duration
SCORED = 256  # windows whose forecasts are computed at once
KEPT_EPOCHS = 30  # epochs whose weights are kept, evenly spread


def train(
    experiment: Experiment,
    *,
    uploads: Mapping[str, bytes] | None = None,
    control: Control | None = None,
    resume: Checkpoint | None = None,
    dataset: Dataset | None = None,
    history: Mapping[str, np.ndarray] | None = None,
) -> Iterator[Snapshot]:
    """Trains, yielding one snapshot per batch; the first (step 0) is the untrained model, the last has a `reason`.

    Args:
        experiment: what to train.
        uploads: SHA-256 → bytes of the files the experiment names (task csv).
        control: receives commands from other threads.
        resume: continue from this checkpoint.
        dataset: used instead of the experiment's own.
        history: columns of the steps before `resume`.
    """
    from rnn_core.engine import model as models
    from rnn_core.training import step_cache

    dataset = data.build(experiment, uploads) if dataset is None else dataset
    model = models.build(experiment, dataset.interface)
    with step_cache.cached_step(model, experiment.training, experiment.seed) as training_step:
        yield from _Loop(experiment, dataset, training_step, control or Control(), resume, history).run()


class _Loop:
    """One running training."""

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset,
        training_step: TrainingStep,
        control: Control,
        resume: Checkpoint | None,
        history: Mapping[str, np.ndarray] | None,
    ) -> None:
        self.experiment, self.dataset, self.training_step, self.control = experiment, dataset, training_step, control
        self.step, self.seconds_before = 0, 0.0
        if resume is not None:
            self.training_step.restore(dict(resume.state))
            self.step, self.seconds_before = resume.step, resume.seconds
        self.rate = self.training_step.learning_rate
        self.training_run = Run(experiment, self.training_step.model, History(history))
        self.training_run._history.truncate(self.step)
        self.steps_per_epoch = math.ceil(len(dataset.train) / experiment.training.batch)
        self.total = self.steps_per_epoch * experiment.training.epochs
        self.validation = self._validation(dataset.validation)
        self.observer = Observer(probe_inputs(dataset.validation, experiment.data.length))
        self.clock = Clock(self.seconds_before)
        self.checkpoints = Cadence(float(os.environ.get("UNROLLED_CHECKPOINT_SECONDS", CHECKPOINT_SECONDS)))

    def run(self) -> Iterator[Snapshot]:
        """Yields snapshots until the training ends."""
        last = self._snapshot(None, keep=self.step == 0)
        yield last
        reason = "finished"
        for batch in self._batches():
            self.clock.skip(self.control.wait())
            if self.control.stopped:
                reason = "stopped"
                break
            if (rate := self.control.learning_rate()) is not None:
                self.training_step.learning_rate = rate
                self.rate = self.training_step.learning_rate
            result = self.training_step.step(batch)
            self.step += 1
            epoch_ended = self.step % self.steps_per_epoch == 0
            self.clock.tick()
            diverged = not (math.isfinite(result.loss) and math.isfinite(result.gradient_norm))
            scores = self._scores("validation") if epoch_ended and not diverged else (math.nan, math.nan)
            reason = self._reason(diverged, scores[1])
            self.control.batch_done(epoch_ended)
            last = self._snapshot(result, scores, keep=self._keeps(epoch_ended) and not diverged)
            if reason:
                break
            yield last
            reason = "finished"
        yield self._last_snapshot(last, reason)

    def _batches(self) -> Iterator[data.Batch]:
        """The remaining batches, in an order that depends on the seed and the epoch alone."""
        spec, size = self.experiment.data, self.experiment.training.batch
        first, skipped = divmod(self.step, self.steps_per_epoch)
        for epoch in range(first, self.experiment.training.epochs):
            sequences = self.dataset.resample(epoch) if self.dataset.resample else self.dataset.train
            rng = generator(self.experiment.seed, "batches", epoch)
            every = batches(sequences, size, rng, padding=spec.padding, length=spec.length, mask=spec.mask)
            yield from islice(every, skipped if epoch == first else 0, None)

    def _validation(self, sequences: Sequences) -> Validation:
        return Validation(self.training_step, as_trained(sequences, self.experiment.data), lambda: self.control.stopped)

    def _scores(self, part: str) -> tuple[float, float]:
        """(loss, metric) of the part "validation" or "test"; the metric in the unit of the data, not of what the network learns."""
        sequences = self.dataset.validation if part == "validation" or self.dataset.test is None else self.dataset.test
        validation = self.validation if part == "validation" else self._validation(sequences)
        loss, metric = validation.measure()
        if self.dataset.score is None or not math.isfinite(loss):
            return loss, metric * self.dataset.metric_scale
        length, parts = self.experiment.data.length, np.array_split(np.arange(len(sequences)), -(-len(sequences) // SCORED))
        batches = [sequences.pad(chosen, length, "pre", mask=False).inputs for chosen in parts]
        return loss, self.dataset.score(part, np.concatenate([self.training_step.predict(inputs) for inputs in batches]))

    def _reason(self, diverged: bool, metric: float) -> str:
        training = self.experiment.training
        if diverged:
            return "diverged"
        if training.target and (metric <= training.target if self._lower_is_better else metric >= training.target):
            return "target"
        if self.step >= self.total:
            return "finished"
        return "time" if self.clock.seconds > 60 * training.minutes else ""

    @property
    def _lower_is_better(self) -> bool:
        return data.task(self.experiment.data.task).metric == "rmse"

    def _keeps(self, epoch_ended: bool) -> bool:
        """Whether the weights of this step are kept: after evenly spaced epochs, and after a quarter of the first."""
        if not epoch_ended:
            return self.step == max(1, self.steps_per_epoch // 4)
        epoch, stride = self.step // self.steps_per_epoch, math.ceil(self.experiment.training.epochs / KEPT_EPOCHS)
        return epoch % stride == 0 or epoch == 1

    def _snapshot(
        self, result: StepResult | None, scores: tuple[float, float] = (math.nan, math.nan), keep: bool = False
    ) -> Snapshot:
        model = self.training_run.model = self.training_step.model if keep else self.training_run.model
        self.observer.observe(self.training_step, self.step, now=keep or self.control.paused)
        speed = self.clock.steps_per_second
        snapshot = Snapshot(
            run=self.training_run,
            step=self.step,
            epoch=self.step // self.steps_per_epoch,
            epochs=self.experiment.training.epochs,
            steps_per_epoch=self.steps_per_epoch,
            loss=result.loss if result else math.nan,
            metric=result.metric * self.dataset.metric_scale if result else math.nan,
            validation_loss=scores[0],
            validation_metric=scores[1],
            state_norms=result.state_norms if result else np.empty(0),
            gradient_norm=result.gradient_norm if result else math.nan,
            clipped_norm=result.clipped_norm if result else math.nan,
            probe_inputs=self.observer.inputs,
            probe_states=self.observer.states,
            eigenvalues=self.observer.eigenvalues,
            probe_step=self.observer.step,
            learning_rate=self.rate,
            steps_per_second=speed,
            seconds_left=(self.total - self.step) / speed if speed else math.nan,
            seconds=self.clock.seconds,
            model=model if keep else None,
            checkpoint=self._checkpoint() if result and self.checkpoints.due() else None,
        )
        if result is not None:
            self._record(snapshot)
        return snapshot

    def _record(self, snapshot: Snapshot) -> None:
        self.training_run._history.append(row_of(snapshot))
        self.training_run._norms.add(snapshot.step, logarithms(snapshot.state_norms))

    def _checkpoint(self) -> Checkpoint:
        with self.checkpoints:
            return Checkpoint(self.step, self.training_step.state(), self.clock.seconds)

    def _last_snapshot(self, last: Snapshot, reason: str) -> Snapshot:
        """The last snapshot: final weights, test metric, and advice."""
        if reason == "diverged":
            return dataclasses.replace(last, reason=reason, advice=self._advice(last), seconds_left=0.0, checkpoint=None)
        test = math.nan
        if reason in ("finished", "target") and self.dataset.test is not None:
            test = self._scores("test")[1]
        self.training_run.model = self.training_step.model
        self.observer.observe(self.training_step, self.step, now=True)
        left = last.seconds_left if reason == "stopped" else 0.0
        model, checkpoint = self.training_run.model, self._checkpoint()
        advice = f"The time limit of {self.experiment.training.minutes:g} minutes was reached." if reason == "time" else ""
        return dataclasses.replace(
            last,
            reason=reason,
            advice=advice,
            seconds_left=left,
            model=model,
            checkpoint=checkpoint,
            test_metric=test,
            probe_states=self.observer.states,
            eigenvalues=self.observer.eigenvalues,
            probe_step=self.observer.step,
        )

    def _advice(self, last: Snapshot) -> str:
        clip = self.experiment.training.clip
        what = "gradient" if math.isfinite(last.loss) else "loss"
        clipping = f"clip the gradient below {clip:g}" if clip else "clip the gradient at 1"
        return f"The {what} was no finite number any more at step {last.step}: try a learning rate below {last.learning_rate / 3:.1g}, or {clipping}."


def reseed(experiment: Experiment) -> Experiment:
    """The same experiment with other initial weights and another order of the data."""
    return experiment.replace(seed=(experiment.seed + 1) % 2**31)
