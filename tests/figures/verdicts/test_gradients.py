"""Sentences about reach, on made-up curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnn_core import data
from rnn_core.figures.verdicts import gradients
from rnn_core.probes.strip import Strip, strip
from rnn_core.spec.experiment import Experiment
from rnn_core.studies.scenarios import SCENARIOS, untrained_strips
from tests.made_up import model

STEPS = 10


def made(cell: str, norms: np.ndarray) -> Strip:
    experiment = Experiment().replace(task="first_token", length=STEPS, units=4, cell=cell)
    return replace(strip(model(experiment), data.build(experiment).validation[0]), norms=norms)


FLAT, FALLING = np.ones(STEPS), 0.1 ** np.arange(STEPS, 0, -1)
GROWING, OVERFLOWING = 10.0 ** np.arange(STEPS, 0, -1), np.r_[np.inf, np.ones(STEPS - 1)]


@pytest.mark.parametrize(
    ("strips", "words"),
    [
        ([("simple_rnn", FALLING), ("lstm", FLAT), ("gru", FLAT)], "The vanilla RNN learns from the last 3 steps; the LSTM and GRU from all 10."),
        ([("lstm", FLAT)], "The LSTM learns from all 10 steps."),
        ([("lstm", np.r_[np.zeros(STEPS - 1), 1])], "The LSTM learns from the last step alone."),
        ([("gru", GROWING), ("lstm", FLAT)], "The LSTM learns from all 10 steps. Going back, the gradient of the vanilla RNN grows".replace("vanilla RNN", "GRU")),
        ([("gru", OVERFLOWING)], "The gradient of the GRU overflows: it is larger than any number."),
        ([("gru", np.full(STEPS, np.nan))], "The gradient of the GRU overflows: it is larger than any number."),
        ([("gru", np.zeros(STEPS))], "The answer of the GRU does not depend on its last state at all."),
    ],
)  # fmt: skip
def test_who_learns_from_how_many_steps(strips: list[tuple[str, np.ndarray]], words: str) -> None:
    assert gradients.reach([made(*one) for one in strips]).startswith(words)


def test_growth_is_said_with_its_size() -> None:
    assert "1,000,000,000" not in gradients.reach([made("gru", GROWING)])
    assert "grows to 1e9 times" in gradients.reach([made("gru", GROWING)])


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_does_what_its_name_says(name: str) -> None:
    one = SCENARIOS[name]
    for seed in range(3):
        experiment = Experiment(seed=seed).replace(gain=one.gain, gate_bias=one.gate_bias, length=one.length)
        found = untrained_strips(experiment, one.scale, one.cells)
        reach = {each.cell: each.reach for each in found.strips}
        if name == "shrinks":
            mean = float(found.strips[0].relative[0]) ** (1 / (one.length - 1))
            assert mean == pytest.approx(0.7, abs=0.03)
            assert f"{mean:.2f} on average" in gradients.factor(found.strips[0])
        elif name == "gates":
            assert min(reach.values()) == 100
            assert max(found.usual.values()) < 30
        elif name == "keras":
            assert (reach["simple_rnn"], reach["lstm"] < 30, reach["gru"] < 30) == (100, True, True)
        else:
            assert np.nanmax(found.strips[0].relative) > 100
            assert "grows to" in gradients.reach(found.strips)
