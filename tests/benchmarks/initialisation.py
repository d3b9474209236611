"""Each cell's backward factor per step as Keras initialises it, beside the values of reference/science.md 0.2 and the closed forms.

python -m tests.benchmarks.initialisation [--json]. 32 units, 32 inputs, 200 steps, geometric fit over lags 5 to 45, 3 seeds.
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from rnn_core.probes.gradients import curves, laboratory
from rnn_core.probes.gradients.state_gradients import state_gradients
from rnn_core.spec.experiment import Experiment

# row: experiment fields; factor at inputs U(-0.05, 0.05) and N(0, 1); ratio ‖g_{T-50}‖/‖g_T‖ at both
TABLE = {
    "SimpleRNN, orthogonal": ({"cell": "simple_rnn"}, 0.982, 0.633, 0.40, 1.1e-10),
    "SimpleRNN, glorot_uniform": ({"cell": "simple_rnn", "initialiser": "glorot_uniform"}, 0.958, 0.619, 0.11, 3.1e-11),
    "LSTM, forget bias 1": ({"cell": "lstm"}, 0.848, 0.787, 7.5e-5, 2.5e-6),
    "LSTM, forget bias 0": ({"cell": "lstm", "gate_bias": 0.0}, 0.623, 0.584, 1.3e-11, 8.8e-13),
    "LSTM, forget bias 3": ({"cell": "lstm", "gate_bias": 3.0}, 0.988, 0.987, 0.125, 0.155),
    "LSTM, forget bias 5": ({"cell": "lstm", "gate_bias": 5.0}, 1.003, 1.002, 0.14, 0.14),
    "GRU, update bias 0": ({"cell": "gru"}, 0.633, 0.605, 6.1e-11, 8.7e-12),
    "GRU, update bias 3": ({"cell": "gru", "gate_bias": 3.0}, 0.955, 0.950, 0.10, 0.076),
}


def measure(fields: dict[str, object], large: bool, seed: int, length: int = 200, examples: int = 16) -> tuple[float, float]:
    """(factor per step, ratio 50 steps back) of the median over examples."""
    rng = np.random.default_rng(seed)
    shape = (examples, length, laboratory.INPUTS)
    inputs = rng.normal(0, 1, shape) if large else rng.uniform(-0.05, 0.05, shape)
    experiment = Experiment().replace(seed=seed, **fields)
    norms = state_gradients(laboratory.untrained(experiment, experiment.model.cell), inputs.astype(np.float32)).norms
    found = curves.curve(norms, "state", experiment.model.cell, "at init", relative=True)
    return found.factor, found.at(50)


def closed_form(fields: dict[str, object], seed: int) -> float:
    """Spectral radius of the Jacobian at the origin: U, ½ I + ¼ U_h, σ(b) I + ¼ U_g. Zero state, zero input."""
    experiment = Experiment().replace(seed=seed, **fields)
    recurrent = laboratory.untrained(experiment, experiment.model.cell).recurrent[0][1].astype(np.float64).T
    units, cell = experiment.model.units, experiment.model.cell
    bias = experiment.model.gate_bias if experiment.model.gate_bias is not None else {"lstm": 1.0, "gru": 0.0}.get(cell, 0.0)
    keep = 1 / (1 + np.exp(-bias))
    if cell == "simple_rnn":
        jacobian = recurrent
    elif cell == "lstm":
        jacobian = keep * np.eye(units) + 0.25 * recurrent[2 * units : 3 * units]
    else:
        jacobian = keep * np.eye(units) + (1 - keep) * 0.5 * recurrent[2 * units :]
    return float(np.abs(np.linalg.eigvals(jacobian)).max())


def table(seeds: int = 3) -> list[dict[str, object]]:
    """Every row: published values beside the mean over seeds."""
    rows = []
    for name, (fields, small, large, ratio_small, ratio_large) in TABLE.items():
        ours = np.array([[measure(fields, big, seed) for seed in range(seeds)] for big in (False, True)])  # (2, seeds, 2)
        rows.append(
            {
                "row": name,
                "factor_small": [small, float(ours[0, :, 0].mean())],
                "factor_large": [large, float(ours[1, :, 0].mean())],
                "ratio_small": [ratio_small, float(np.exp(np.log(ours[0, :, 1]).mean()))],
                "ratio_large": [ratio_large, float(np.exp(np.log(ours[1, :, 1]).mean()))],
                "origin": float(np.mean([closed_form(fields, seed) for seed in range(seeds)])),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = table()
    if arguments.json:
        print("\n".join(json.dumps(row) for row in rows))
        return
    print(
        f"{'factor per step, reference / ours':28} {'U(-.05,.05)':>15} {'N(0,1)':>15} {'origin':>8}   {'50 steps back':>19} {'N(0,1)':>19}"
    )
    for row in rows:
        small, large = ("{:.3f} / {:.3f}".format(*row[key]) for key in ("factor_small", "factor_large"))  # type: ignore[misc]
        near, far = ("{:.1e} / {:.1e}".format(*row[key]) for key in ("ratio_small", "ratio_large"))  # type: ignore[misc]
        print(f"{row['row']:28}     {small:>15} {large:>15} {row['origin']:8.3f}   {near:>19} {far:>19}")


if __name__ == "__main__":
    main()
