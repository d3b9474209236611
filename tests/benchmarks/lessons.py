"""Trainings whose outcomes the lessons quote: python -m tests.benchmarks.lessons [--write] [--seeds 3] [--only latch|runaway].

Prints each preset's outcome by seed; --write records them in rnn_core/studies/recorded/lessons.json, from where the page quotes them.
"""

from __future__ import annotations

import argparse

from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment
from rnn_core.studies.lesson_measurements import outcome
from tests.benchmarks import record


def latch() -> dict[str, Experiment]:
    """Pairs of presets that differ in one number, on the task of naming the first of 40 symbols."""
    gated = presets.get("closed_gates").replace(cell="lstm")
    return {
        "contractive": presets.get("contractive"),
        "orthogonal": presets.get("orthogonal"),
        "closed_gates": presets.get("closed_gates"),
        "open_gates": presets.get("open_gates"),
        "lstm_bias_0": gated.replace(gate_bias=0.0),
        "lstm_bias_1": gated.replace(gate_bias=1.0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="a part of a preset's name")
    arguments = parser.parse_args()
    found: dict[str, list[float]] = {}
    for name, experiment in latch().items():
        if arguments.only not in f"latch {name}":
            continue
        results = [outcome(experiment.replace(seed=seed)) for seed in range(arguments.seeds)]
        found[name] = [result["last"] for result in results]
        print(
            f"{name:14} accuracy after {results[0]['steps']} steps, seeds 0…: {[round(value, 3) for value in found[name]]}",
            flush=True,
        )
    for name, preset in (("unclipped", "runaway"), ("clipped", "runaway_clipped")):
        if arguments.only not in f"runaway {name}":
            continue
        results = [outcome(presets.get(preset).replace(seed=seed)) for seed in range(arguments.seeds)]
        found |= {
            f"{name}_steps": [result["steps"] for result in results],
            f"{name}_diverged": [result["diverged"] for result in results],
        }
        if name == "clipped":
            found |= {
                "clipped": [result["last"] for result in results],
                "clipped_first": [result["first_loss"] ** 0.5 for result in results],
            }
        print(f"{name:14} {results}", flush=True)
    if arguments.write:
        record.write("trainings", found)


if __name__ == "__main__":
    main()
