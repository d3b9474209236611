"""Padding on real IMDB against the band of reference/science.md 1.3, with stock Keras as referee: see `imdb_gradients padding`.

A vanilla RNN's validation accuracy swings by several points from epoch to epoch, and its best epoch by as many from seed to seed. A
row is therefore judged by the median of its seeds; every seed is printed. With --keras the very same program trains in stock Keras:
the starting weights, batches and their order are ours, the recurrence, its gradient and the optimiser are Keras's. A seed that is
low for both, or a spread that both have, is the network's; a median that only ours misses would be our fault. Padded in front, seeds
0-2, best within five epochs: ours .836 .847 .836, Keras .838 .825 .819.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from rnn_core import data
from rnn_core.data.seeds import generator
from rnn_core.data.sequences import Batch, batches
from rnn_core.engine import model as models
from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment
from rnn_core.training.loop import train

EPOCHS = 5  # the band speaks of the best epoch within five
PUBLISHED = {"post": "at most .62", "pre": ".83 to .87", "masked": ".83 to .87"}
BANDS = {"post": (0.0, 0.62), "pre": (0.83, 1.0), "masked": (0.83, 1.0)}  # better than the band is no miss


def ours(experiment: Experiment, dataset: data.Dataset) -> list[float]:
    """Validation accuracy after each epoch."""
    metrics = (snapshot.validation_metric for snapshot in train(experiment, dataset=dataset))
    return [metric for metric in metrics if np.isfinite(metric)]


def keras(experiment: Experiment, dataset: data.Dataset) -> list[float]:
    """The same from `Model.to_keras()` with Keras's Adam and `fit`."""
    import keras

    spec, size = experiment.data, experiment.training.batch
    model = models.build(experiment, dataset.interface).to_keras()
    optimiser = keras.optimizers.Adam(experiment.training.learning_rate)
    model.compile(optimizer=optimiser, loss="binary_crossentropy", metrics=["accuracy"])

    def epoch(number: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        order = generator(experiment.seed, "batches", number)
        for batch in batches(dataset.train, size, order, padding=spec.padding, length=spec.length, mask=spec.mask):
            yield batch.inputs, batch.targets

    held_out: Batch = dataset.validation.pad(np.arange(len(dataset.validation)), spec.length, spec.padding, mask=False)
    found = []
    for number in range(experiment.training.epochs):
        model.fit(epoch(number), steps_per_epoch=-(-len(dataset.train) // size), shuffle=False, verbose=0)
        found.append(float(model.evaluate(held_out.inputs, held_out.targets, batch_size=250, verbose=0)[1]))
    return found


def padding(with_keras: bool = False, seeds: int = 3) -> dict[str, list[float]]:
    """Best validation accuracy within five epochs: ours, one figure per seed."""
    behind = presets.get("post_padding").replace(epochs=EPOCHS)
    variants = {"post": behind, "pre": behind.replace(padding="pre"), "masked": behind.replace(mask=True)}
    found: dict[str, list[float]] = {}
    for name, experiment in variants.items():
        for trainer in (ours, keras) if with_keras and name == "pre" else (ours,):
            best = []
            for seed in range(seeds):
                mine = experiment.replace(seed=seed)
                curve = trainer(mine, dataclasses.replace(data.build(mine), test=None))
                best.append(max(curve))
                epochs = " ".join(f"{value:.3f}" for value in curve)
                print(f"{name:7} {trainer.__name__:5} seed {seed}: {epochs}   best {best[-1]:.3f}", flush=True)
            print(result_of(name, trainer.__name__, best), flush=True)
            if trainer is ours:
                found[name] = best
    return found


def result_of(name: str, trainer: str, best: list[float]) -> str:
    """The result of a row in a line."""
    middle, (low, high) = float(np.median(best)), BANDS[name]
    inside = sum(low <= value <= high for value in best)
    return (
        f"{'ok ' if low <= middle <= high else 'NOT'} {name:7} {trainer}: median of {len(best)} seeds {middle:.4f}, "
        f"band {PUBLISHED[name]}; {inside} of {len(best)} seeds inside"
    )
