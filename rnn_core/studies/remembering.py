"""Three networks before and after they learned the adding problem over 100 steps: the first picture of the Gradients page.

The weights are recorded (`recorded/remembering.npz`), three seeds of each cell, and with them one sequence that no network trained
on. What they do with it is computed from the weights when asked. `python -m tests.benchmarks.remembering --record` trains them again.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from rnn_core.data.puzzles import adding
from rnn_core.data.seeds import generator
from rnn_core.engine.model import Model
from rnn_core.probes.strip import Strip, strip
from rnn_core.spec.experiment import CELLS, Experiment
from rnn_core.spec.interface import Interface
from rnn_core.studies.contest import entry

RECORDED = Path(__file__).parent / "recorded" / "remembering.npz"
INTERFACE = Interface("floats", 2, 1, "squared")
LENGTH, SEEDS, STEPS = 100, (0, 1, 2), 1500  # of the sequences; of weights and data; of training, with batches of 64
EARLY, LATE = 5, 70  # the recorded sequence's marks: within the first steps, and around this step


def experiment(cell: str, seed: int) -> Experiment:
    """What each network was trained on: 32 units, Adam at 0.01, gradients clipped at 1, fresh sequences for every epoch of 50 steps."""
    return entry("adding", LENGTH, cell, seed=seed).replace(epochs=STEPS // 50)


def sequence() -> tuple[np.ndarray, np.ndarray]:
    """(T, 2) numbers and marks, and (1,) their sum: the first sequence of a stream of its own with an early and a late mark."""
    values, targets = adding(1000, LENGTH, 0, generator(0, "remembering", 0))
    marks = np.argsort(-values[..., 1], axis=1, kind="stable")[:, :2]
    chosen = int(np.flatnonzero((marks.min(1) < EARLY) & (abs(marks.max(1) - LATE) < 5) & (targets[:, 0] > 1.5))[0])
    return values[chosen], targets[chosen]


@lru_cache(maxsize=1)
def networks() -> dict[tuple[str, int, bool], Model]:
    """(cell, seed, trained) → the network."""
    with np.load(RECORDED) as arrays:
        return {
            (cell, seed, trained): Model(experiment(cell, seed).model, INTERFACE, False, tuple(arrays[f"{cell} {seed} {trained} {n}"] for n in range(5)))
            for cell in CELLS[:3] for seed in SEEDS for trained in (False, True)
        }  # fmt: skip


def strips(seed: int = 0, trained: bool = True) -> tuple[Strip, ...]:
    """Vanilla RNN, LSTM and GRU of one seed over the sequence."""
    inputs, target = sequence()
    return tuple(strip(networks()[cell, seed, trained], inputs, target) for cell in CELLS[:3])


def reaches(trained: bool = True) -> dict[str, list[int]]:
    """Cell → how many steps learning reaches back with each seed."""
    inputs, target = sequence()
    return {cell: [strip(networks()[cell, seed, trained], inputs, target).reach for seed in SEEDS] for cell in CELLS[:3]}
