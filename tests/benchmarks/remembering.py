"""The networks of the Gradients page's first picture: what the recorded ones do, or train them again.

python -m tests.benchmarks.remembering            error, answer and reach of each recorded network
python -m tests.benchmarks.remembering --record   train them (some minutes) and write rnn_core/studies/recorded/remembering.npz
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from rnn_core.spec.experiment import CELLS
from rnn_core.studies import remembering


def record() -> None:
    """Train all networks and write their weights before and after."""
    from rnn_core.training.loop import train

    arrays = {}
    for cell in CELLS[:3]:
        for seed in remembering.SEEDS:
            kept = [snapshot for snapshot in train(remembering.experiment(cell, seed)) if snapshot.model is not None]
            print(f"{cell} {seed}: {kept[-1].step} steps, validation {kept[-1].validation_metric:.4f}, {kept[-1].seconds:.0f} s", flush=True)  # fmt: skip
            for trained, snapshot in ((False, kept[0]), (True, kept[-1])):
                assert snapshot.model is not None
                arrays |= {f"{cell} {seed} {trained} {n}": weight for n, weight in enumerate(snapshot.model.weights)}
    np.savez_compressed(remembering.RECORDED, **arrays)


def main() -> None:
    if "--record" in sys.argv:
        record()
    for trained in (False, True):
        print("after training" if trained else "before training")
        for seed in remembering.SEEDS:
            for found in remembering.strips(seed, trained):
                print(f"  {found.cell:10} seed {seed}: answer {found.answers[-1]:.2f}, right {found.right:.2f}, reach {found.reach} of {len(found.norms)}")  # fmt: skip


if __name__ == "__main__":
    main()
