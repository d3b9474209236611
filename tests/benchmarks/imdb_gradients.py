"""The lessons' numbers on real IMDB: python -m tests.benchmarks.imdb_gradients [padding|training|starters|vanilla ...] [--keras] [--write].

padding   vanilla RNN, 500 tokens: padded behind without mask, in front, behind with mask (seeds 0-2); see tests/benchmarks/padding.py
training  reference/science.md 2.3: ‖∂logit/∂s‖ by lag before and after 3 epochs of rmsprop, 200 tokens, 32 units
starters  the same before and after for the models that ship
vanilla   test accuracy of the starters on whole reviews and on their last k tokens, and of a bag of words
Needs IMDB (UNROLLED_IMDB). --write records the result in rnn_core/studies/recorded/lessons.json; no review text is written.
"""

from __future__ import annotations

import argparse
import tempfile
from typing import Any

import numpy as np

from rnn_core import data
from rnn_core.data.sequences import Sequences, batches
from rnn_core.probes.gradients.curves import Curve, curve
from rnn_core.probes.gradients.state_gradients import state_gradients
from rnn_core.spec.experiment import CELLS, Experiment
from rnn_core.store.store import RunRecord, Store
from tests.benchmarks import record
from tests.benchmarks.padding import padding

LAST = (500, 200, 100, 50, 25, 10)
LAGS = (1, 10, 20, 50, 100, 199)
# reference/science.md 2.3: median over 256 reviews of ‖∂logit/∂s_{T-l}‖ / ‖∂logit/∂s_T‖
PUBLISHED = {
    "simple_rnn": ((0.98, 0.82, 0.68, 0.38, 0.14, 0.028), (1.06, 0.45, 0.215, 0.052, 0.018, 0.022)),
    "gru": ((0.50, 4.6e-3, 4.1e-5, 4.7e-11, 1.7e-21, 0.0), (0.86, 0.62, 0.46, 0.20, 0.039, 0.0040)),
    "lstm": ((0.34, 0.039, 5.7e-3, 2.9e-5, 2.8e-9, 2.3e-17), (0.44, 0.34, 0.28, 0.12, 0.037, 0.0085)),
}


def long_reviews(sequences: Sequences, length: int, count: int) -> np.ndarray:
    """(count, length) the last tokens of reviews that are at least that long."""
    chosen = np.flatnonzero(sequences.lengths >= length)[:count]
    return sequences.pad(chosen, length).inputs


def reach(model: Any, inputs: np.ndarray, cell: str, when: str) -> Curve:
    """‖∂logit/∂s‖ by step relative to the last, in parts that fit into memory."""
    norms = np.concatenate([state_gradients(model, part).norms for part in np.split(inputs, range(32, len(inputs), 32))])
    return curve(norms, "state", cell, when, relative=True)


def at_lags(found: Curve) -> list[float]:
    return [found.at(lag) for lag in LAGS if lag < len(found.median)]


def line(name: str, values: Any) -> str:
    return f"{name:32}" + "".join(f"{value:>10.2g}" for value in values)


def training() -> dict[str, Any]:
    """The published table of section 2.3 beside ours."""
    from rnn_core.engine.model import build
    from rnn_core.training.loop import train

    print(line("lag", LAGS))
    found: dict[str, Any] = {}
    for cell in ("simple_rnn", "gru", "lstm"):
        experiment = Experiment().replace(
            task="imdb", length=200, cell=cell, epochs=3, optimiser="rmsprop", batch=128, padding="pre", mask=False
        )
        dataset = data.build(experiment)
        inputs = long_reviews(dataset.validation, 200, 256)
        before = at_lags(reach(build(experiment, dataset.interface), inputs, cell, "at init"))
        model, accuracy = None, []
        for snapshot in train(experiment, dataset=dataset):
            model = snapshot.model or model
            accuracy += [snapshot.validation_metric] * bool(np.isfinite(snapshot.validation_metric))
        after = at_lags(reach(model, inputs, cell, "trained"))
        for name, values in (
            (f"{cell} init, reference", PUBLISHED[cell][0]),
            ("ours", before),
            (f"{cell} trained, reference", PUBLISHED[cell][1]),
            (f"ours ({accuracy[-1]:.3f})", after),
        ):
            print(line(name, values), flush=True)
        found[cell] = {"init": before, "trained": after, "accuracy": accuracy}
    return found


def starter_runs() -> dict[str, RunRecord]:
    store = Store(tempfile.mkdtemp())
    return {
        cell: store.open(next(info.id for info in store.list() if info.builtin and info.experiment.model.cell == cell))
        for cell in CELLS
    }


def starters(count: int = 256) -> dict[str, Any]:
    """Curves of the shipped models before and after training, at a few dozen lags, and their values 50 steps back."""
    numbers, drawn = {}, []
    print(line("lag", LAGS))
    for cell, run in starter_runs().items():
        inputs = long_reviews(data.build(run.experiment).validation, 200, count)
        for kept, name in ((run.snapshots[0], "init"), (run.snapshots[-1], "trained")):
            words = "at init" if name == "init" else f"after {kept.step:,} steps"
            found = reach(run.model(kept.step), inputs, cell, words)
            print(line(f"{cell} {words}", at_lags(found)), flush=True)
            numbers[f"{cell}_{name}"] = found.at(50)
            parts = {part: [float(f"{value:.3g}") for value in getattr(found, part)] for part in ("median", "low", "high")}
            drawn.append({"cell": cell, "moment": words, "factor": found.factor, "examples": len(inputs), **parts})
    return {"numbers": numbers, "curves": drawn}


def accuracy(model: Any, sequences: Sequences, last: int) -> float:
    """Share of reviews classified correctly from their last tokens alone."""
    from rnn_core.training.step import TrainingStep

    training_step, right = TrainingStep(model, Experiment().training), 0
    ends = sequences.offsets[1:]
    lengths = np.minimum(sequences.lengths, last)
    rows = np.repeat(ends - lengths - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths) + np.arange(lengths.sum())
    short = Sequences(sequences.values[rows], np.concatenate([[0], np.cumsum(lengths)]), sequences.targets)
    for batch in batches(short, 500, None):
        right += int(((training_step.predict(batch.inputs, batch.mask) > 0.5) == (batch.targets > 0.5)).sum())
    return right / len(sequences)


def bag_of_words(train: Sequences, validation: Sequences, test: Sequences, words: int = 10_000, steps: int = 300) -> float:
    """Test accuracy of logistic regression on the set of words of each review, scaled to norm 1; early stopping by validation."""

    def occurring(sequences: Sequences) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = np.repeat(np.arange(len(sequences)), sequences.lengths)
        pairs = np.unique(rows * words + sequences.values)
        rows, columns = pairs // words, pairs % words
        return rows, columns, 1 / np.sqrt(np.bincount(rows, minlength=len(sequences)))[rows]

    def logits(bag: tuple[np.ndarray, np.ndarray, np.ndarray], weights: np.ndarray, count: int) -> np.ndarray:
        return np.bincount(bag[0], bag[2] * weights[bag[1]], minlength=count) + weights[-1]

    fit, stop, held_out = (occurring(part) for part in (train, validation, test))
    weights, first, second = np.zeros(words + 1), np.zeros(words + 1), np.zeros(words + 1)
    best, answer = 0.0, 0.0
    for step in range(1, steps + 1):  # Adam on all reviews at once
        error = (1 / (1 + np.exp(-logits(fit, weights, len(train)))) - train.targets[:, 0]) / len(train)
        gradient = np.append(np.bincount(fit[1], fit[2] * error[fit[0]], minlength=words), error.sum())
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        weights -= 0.1 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        if step % 10 == 0:
            watched = float(np.mean((logits(stop, weights, len(validation)) > 0) == (validation.targets[:, 0] > 0.5)))
            if watched > best:
                best, answer = watched, float(np.mean((logits(held_out, weights, len(test)) > 0) == (test.targets[:, 0] > 0.5)))
    return answer


def vanilla() -> dict[str, Any]:
    """Accuracies on the 25,000 test reviews."""
    runs = starter_runs()
    dataset = data.build(runs["simple_rnn"].experiment)
    assert dataset.test is not None
    numbers = {"bag": bag_of_words(dataset.train, dataset.validation, dataset.test)}
    print(f"bag of words {numbers['bag']:.4f}", flush=True)
    for cell, run in runs.items():
        for last in LAST:
            name = cell if last == LAST[0] else f"{cell}_{last}"
            numbers[name] = accuracy(run.model(), dataset.test, last)
            print(f"{cell:12} last {last:3} tokens: {numbers[name]:.4f}", flush=True)
    return {"numbers": numbers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parts: dict[str, Any] = {"padding": padding, "training": training, "starters": starters, "vanilla": vanilla}
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=list(parts))
    parser.add_argument("--keras", action="store_true", help="padding: stock Keras trains the same program beside ours")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    for part in arguments.parts:
        print(f"-- {part}")
        found = parts[part](arguments.keras) if part == "padding" else parts[part]()
        if arguments.write:
            record.write({"padding": "trainings", "training": "table", "starters": "imdb", "vanilla": "vanilla"}[part], found)


if __name__ == "__main__":
    main()
