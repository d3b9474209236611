"""The arithmetic of one step against the engine, over every cell and variant."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rnn_core.engine import model as models
from rnn_core.probes.sentence import arithmetic
from rnn_core.probes.states import principal_components
from rnn_core.probes.states.traces import trace
from rnn_core.probes.states.units import Profile
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

IDS = np.array([1, 7, 3, 2, 9, 4], np.int32)
VARIANTS = [
    {"cell": "simple_rnn"},
    {"cell": "simple_rnn", "activation": "relu", "use_bias": False},
    {"cell": "lstm"},
    {"cell": "lstm", "use_bias": False, "layers": 2},
    {"cell": "gru"},
    {"cell": "gru", "reset_after": False},
    {"cell": "gru", "layers": 2, "activation": "sigmoid"},
]


def model(**changes: object) -> models.Model:
    """A small model in which no weight or bias is near zero."""
    experiment = Experiment().replace(task="toy_reviews", units=5, embedding=4, vocabulary=12, **changes)
    made = models.build(experiment, Interface("tokens", 12, 1, "binary"))
    rng = np.random.default_rng(0)
    return made.with_weights([rng.normal(scale=0.7, size=weight.shape) for weight in made.weights])


def small_profile(made: models.Model) -> Profile:
    """A profile with random numbers, for a model that has none."""
    size = made.spec.units * (2 if made.spec.cell == "lstm" else 1)
    rng = np.random.default_rng(3)
    basis = principal_components.fit(rng.normal(size=(50, size)), components=2)
    order = np.arange(made.spec.units, dtype=np.int32)
    return Profile(basis, np.zeros((4, 2), np.float32), np.zeros(4, np.uint8), rng.normal(size=size), order, {}, 4, 50)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("t", [0, 4])
def test_one_step_equals_the_engines(variant: dict[str, object], t: int) -> None:
    made = model(**variant)
    found = arithmetic.step_of(made, IDS, t)
    traced = trace(made, IDS[None])
    np.testing.assert_allclose(found.after, traced.hidden[0, t], atol=1e-6)
    if found.memory:
        np.testing.assert_allclose(found.memory[1], traced.memory[0, t], atol=1e-6)
    for name, values in traced.gates.items():
        np.testing.assert_allclose(found.parts[name].activation, values[0, t], atol=1e-6, err_msg=name)
        part = found.parts[name]
        np.testing.assert_allclose(part.input + part.recurrent + part.bias, part.total)
    assert found.logits[1] == pytest.approx(float(traced.running[0, t, 0]), abs=1e-5)


def test_a_swapped_update_gate_gives_another_state() -> None:
    made = model(cell="gru")
    found = arithmetic.step_of(made, IDS, 4)
    z, candidate = found.parts["update"].activation, found.parts["candidate"].activation
    assert np.abs((1 - z) * found.before + z * candidate - trace(made, IDS[None]).hidden[0, 4]).max() > 1e-2


@pytest.mark.parametrize("variant", [{"cell": "simple_rnn"}, {"cell": "lstm"}, {"cell": "gru"}], ids=str)
def test_formulas_end_in_the_new_state(variant: dict[str, object]) -> None:
    found = arithmetic.step_of(model(**variant), IDS, 3)
    for unit in range(5):
        lines = arithmetic.formulas(found, unit)
        assert float(re.findall(r"-?\d+\.\d+", lines[-1])[-1]) == pytest.approx(found.after[unit], abs=6e-4)
        for line, part in zip(lines, found.parts.values(), strict=False):
            assert float(re.findall(r"-?\d+\.\d+", line)[-1]) == pytest.approx(part.activation[unit], abs=6e-4)


def test_impossible_steps_and_models_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 5"):
        arithmetic.step_of(model(cell="gru"), IDS, 6)
    with pytest.raises(ValueError, match="forwards"):
        arithmetic.step_of(model(cell="gru", bidirectional=True), IDS, 1)
