"""Measurements for the lessons: gradients of untrained networks, computed now, and outcomes of trainings recorded in lessons.json.

Every measurement takes a seed and returns named numbers, and curves if there are any to draw. tests/studies/test_lessons.py
repeats them; `python -m tests.benchmarks.imdb_gradients --write` and `... initialisation --write` record.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from rnn_core import data
from rnn_core.engine.model import Model, build
from rnn_core.probes.gradients import laboratory
from rnn_core.probes.gradients.clipping import compare
from rnn_core.probes.gradients.curves import Curve, curve
from rnn_core.probes.gradients.reach import median_reach
from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment

RECORDED = Path(__file__).parent / "recorded" / "lessons.json"


@dataclass(frozen=True, eq=False)
class Evidence:
    """The result of one measurement."""

    numbers: Mapping[str, float]  # name → value, the fields in a lesson's sentences
    curves: tuple[Curve, ...] = ()  # drawn by figures.gradients.norm_by_step
    bound: Mapping[float, str] = field(default_factory=dict)  # factor per step → label: straight lines to draw with the curves


@cache
def recorded() -> dict[str, Any]:
    """Contents of lessons.json: results of trainings that take too long for a page."""
    return dict(json.loads(RECORDED.read_text())) if RECORDED.exists() else {}


def start(experiment: Experiment, examples: int = 32) -> tuple[Model, data.Batch]:
    """The untrained model of a preset and a batch of its validation sequences."""
    dataset = data.build(experiment)
    return build(experiment, dataset.interface), dataset.validation.pad(np.arange(examples))


def state_curve(experiment: Experiment, label: str) -> tuple[Curve, np.ndarray]:
    """‖∂y/∂s_t‖ of a preset's untrained model on its own data, relative to the last step; and (B, T) per example."""
    from rnn_core.probes.gradients.state_gradients import state_gradients

    model, batch = start(experiment)
    norms = state_gradients(model, batch.inputs, mask=batch.mask).norms
    found = curve(norms, "state", experiment.model.cell, "at init", relative=True, label=label, parameters=model.parameters)
    return found, norms / norms[:, -1:]


def contractive(seed: int = 0) -> Evidence:
    """Recurrent gain 0.7 against 1 on the first-token puzzle."""
    contractive_experiment = presets.get("contractive").replace(seed=seed)
    gain = contractive_experiment.model.gain
    low_gain, ratios = state_curve(contractive_experiment, f"gain {gain:g}")
    gain_one, ratios_one = state_curve(presets.get("orthogonal").replace(seed=seed), "gain 1")
    lags = np.arange(ratios.shape[1])[::-1]
    excess = float((ratios / gain**lags).max())
    last = len(lags) - 1
    numbers = {
        "gain": gain,
        "lag": last,
        "ratio": low_gain.at(last),
        "excess": excess,
        "ratio_orthogonal": gain_one.at(last),
        "advantage": gain_one.at(last) / low_gain.at(last),
        "reach": median_reach(ratios),
        "reach_orthogonal": median_reach(ratios_one),
        "steps": len(lags),
    }
    return Evidence(numbers, (low_gain, gain_one), {gain: f"{gain:g} to the power n: the upper bound"})


def runaway(seed: int = 0) -> Evidence:
    """A linear RNN of gain 1.1 on the adding problem: its gradient, and one batch of it under both clipping rules."""
    from rnn_core.training.step import TrainingStep

    experiment = presets.get("runaway").replace(seed=seed)
    rising, _ = state_curve(experiment, f"gain {experiment.model.gain:g}, linear")
    model, batch = start(experiment, 64)
    gradients = TrainingStep(model, experiment.training).gradients(batch)
    clipped = compare(
        np.array([np.linalg.norm(gradient.astype(np.float64)) for gradient in gradients]), laboratory.weight_names(model), 1.0
    )
    last = len(rising.median) - 1
    numbers = {
        "gain": experiment.model.gain,
        "lag": last,
        "growth": rising.at(last),
        "factor": rising.factor,
        "before": clipped.norm,
        "after_global": clipped.norm_global,
        "after_variable": clipped.norm_variable,
        "turn_global": _degrees(clipped.cosine_global),
        "turn_variable": _degrees(clipped.cosine_variable),
    }
    return Evidence(numbers, (rising,))


def _degrees(cosine: float) -> float:
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def initialisation(seed: int = 0, length: int = 200) -> Evidence:
    """Factor per step of the three cells as Keras initialises them: inputs like an untrained embedding, and inputs of scale 1."""
    experiment = Experiment().replace(length=length, seed=seed)
    small = laboratory.untrained_curves(experiment, 0.05 / math.sqrt(3)).curves["state"]
    large = laboratory.untrained_curves(experiment, 1.0).curves["state"]
    numbers = {item.cell: item.factor for item in small} | {f"{item.cell}_large": item.factor for item in large}
    return Evidence(numbers, small)


def gate_bias(seed: int = 0, length: int = 120) -> Evidence:
    """Total gradient and forget-gate product of an untrained LSTM at several forget biases, and the same of a GRU at 0 and 3."""
    scale, curves = 0.05 / math.sqrt(3), []
    numbers: dict[str, float] = {}
    for cell, biases in (("lstm", (0, 1, 3, 5)), ("gru", (0, 3))):
        for bias in biases:
            experiment = Experiment().replace(cell=cell, gate_bias=float(bias), length=length, seed=seed)
            total, product = laboratory.gates(experiment, scale) or (None, None)
            assert total is not None
            assert product is not None
            numbers |= {
                f"{cell}_{bias}": total.factor,
                f"{cell}_{bias}_total": total.at(50),
                f"{cell}_{bias}_product": product.at(50),
            }
            if cell == "lstm":
                curves.append(dataclasses.replace(total, label=f"forget bias {bias}"))
    return Evidence(numbers, tuple(curves))


def padding(seed: int = 0) -> Evidence:
    """The gradient at the last of 200 random words before padding up to the preset's length, without and with a mask."""
    from rnn_core.probes.gradients.state_gradients import state_gradients

    experiment, words = presets.get("post_padding").replace(seed=seed), 200
    rng = np.random.default_rng(seed)
    length = experiment.data.length
    inputs = np.zeros((16, length), np.int32)
    inputs[:, :words] = rng.integers(4, 2000, (16, words))
    found = {}
    for masked in (False, True):
        model = build(experiment.replace(mask=masked), data.interface(experiment))
        norms = state_gradients(model, inputs, mask=inputs > 0 if masked else None).norms
        label = "padding skipped (mask)" if masked else "padding read"
        found[masked] = curve(norms, "state", experiment.model.cell, "at init", relative=True, label=label)
    last = length - words
    numbers = {"words": words, "pads": last, "left_read": found[False].at(last), "left_skipped": found[True].at(last)}
    return Evidence(numbers, (found[False], found[True]))


def before_and_after(seed: int = 0) -> Evidence:
    """Recorded: the shipped models untrained and trained, on real IMDB reviews."""
    record = recorded().get("imdb", {})
    curves = tuple(
        Curve(
            quantity="state",
            cell=item["cell"],
            when=item["moment"],
            median=np.array(item["median"], float),
            low=np.array(item["low"], float),
            high=np.array(item["high"], float),
            factor=item["factor"],
            examples=item["examples"],
            relative=True,
        )
        for item in record.get("curves", ())
    )
    return Evidence(record.get("numbers", {}), curves)


def vanilla_on_imdb(seed: int = 0) -> Evidence:
    """Recorded: test accuracy of the shipped models on whole reviews, and on their last k tokens alone."""
    return Evidence(recorded().get("vanilla", {}).get("numbers", {}))


def trainings() -> dict[str, float]:
    """Recorded trainings of the lessons' presets: lowest, middle and highest outcome over the seeds, as NAME_low, _mid and _high."""
    numbers: dict[str, float] = {}
    for name, values in recorded().get("trainings", {}).items():
        numbers |= {f"{name}_low": min(values), f"{name}_mid": median(values), f"{name}_high": max(values), name: values[0]}
    return numbers


def outcome(experiment: Experiment) -> dict[str, float]:
    """Train to the end; the last validation metric, the highest, the number of steps, and whether it diverged."""
    from rnn_core.training.loop import train

    metrics, snapshot, losses = [], None, []
    for snapshot in train(experiment):
        losses.append(snapshot.loss)
        if math.isfinite(snapshot.validation_metric):
            metrics.append(snapshot.validation_metric)
    assert snapshot is not None
    return {
        "last": metrics[-1] if metrics else math.nan,
        "highest": max(metrics, default=math.nan),
        "steps": snapshot.step,
        "diverged": float(snapshot.reason == "diverged"),
        "first_loss": next((loss for loss in losses if math.isfinite(loss)), math.nan),
    }
