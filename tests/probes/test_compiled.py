"""The compiled way of `state_gradients` gives the numbers of the general way, which other tests compare with Keras."""

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pytest

from rnn_core.engine.model import Model, build
from rnn_core.probes.gradients import compiled
from rnn_core.probes.gradients.norms import norm
from rnn_core.probes.gradients.state_gradients import GradientFlow, state_gradients
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

VARIANTS = [
    ("simple_rnn", {"layers": 2}),
    ("simple_rnn", {"activation": "relu", "use_bias": False}),
    ("lstm", {}),
    ("gru", {}),
    ("gru", {"reset_after": False}),
]


@pytest.fixture(autouse=True)
def _no_calls_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_calls", Counter())
    monkeypatch.setattr(compiled, "_programs", set())


def made(cell: str, interface: Interface, **options: Any) -> Model:
    return build(Experiment().replace(cell=cell, units=5, embedding=3, task="imdb", **options), interface)


def both_ways(monkeypatch: pytest.MonkeyPatch, *question: object, **options: object) -> tuple[GradientFlow, GradientFlow]:
    found = []
    for often in (10**9, 0):
        monkeypatch.setattr(compiled, "COMPILED_FROM", often)
        found.append(state_gradients(*question, **options))
    return found[0], found[1]


def same(general: GradientFlow, fast: GradientFlow) -> None:
    """Compares every field."""
    for field in dataclasses.fields(GradientFlow):
        wanted, found = getattr(general, field.name), getattr(fast, field.name)
        if isinstance(wanted, dict):
            assert found.keys() == wanted.keys()
            for key in wanted:
                np.testing.assert_allclose(found[key], wanted[key], rtol=1e-10, atol=1e-14, err_msg=f"{field.name} {key}")
        elif isinstance(wanted, np.ndarray):
            assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
            np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-14, err_msg=field.name)
        else:
            assert found == wanted, field.name


@pytest.mark.parametrize(("cell", "options"), VARIANTS)
def test_every_field_equals_that_of_the_general_way(cell: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model = made(cell, Interface("tokens", 20, 1, "binary"), mask=True, **options)
    words = np.random.default_rng(0).integers(1, 20, (4, 7))
    words[1, :3] = words[2, 4:] = words[3] = 0  # padded in front, behind, and nothing but padding
    same(*both_ways(monkeypatch, model, words))


@pytest.mark.parametrize(
    ("interface", "targets"),
    [
        (Interface("floats", 2, 1, "binary"), np.array([1.0, 0.0, 1.0])),
        (Interface("floats", 2, 3, "categorical"), np.array([2, 0, 1])),
        (Interface("floats", 2, 2, "squared"), np.ones((3, 2))),
        (Interface("floats", 2, 3, "categorical", per_step=True), np.arange(18).reshape(3, 6) % 3),
    ],
)
def test_every_loss_equals_that_of_the_general_way(
    interface: Interface, targets: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, mask = made("gru", interface), np.arange(6)[None] < np.array([6, 4, 5])[:, None]
    x = np.random.default_rng(1).normal(size=(3, 6, 2))  # an odd batch cannot be split in halves
    same(*both_ways(monkeypatch, model, x, targets, of="loss", mask=mask))


def test_a_repeated_shape_is_compiled_and_uses_new_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    model, calls = made("lstm", Interface("floats", 1, 1, "squared")), []
    monkeypatch.setattr(compiled, "measures", lambda *given, real=compiled.measures: calls.append(1) or real(*given))
    x = np.random.default_rng(2).normal(size=(2, 9, 1))
    found = [state_gradients(model, x) for _ in range(compiled.COMPILED_FROM)]
    assert len(calls) == 1
    same(found[0], found[-1])
    other = model.with_weights([2 * weight for weight in model.weights])
    again = state_gradients(other, x)
    assert len(calls) == 2
    monkeypatch.setattr(compiled, "COMPILED_FROM", 10**9)
    same(state_gradients(other, x), again)


def test_no_more_than_max_programs_shapes_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "MAX_PROGRAMS", 2)
    model = made("gru", Interface("floats", 1, 1, "squared"))
    ways = [[compiled.worthwhile(model, (1, length, 1), None) for length in (3, 4, 5)] for _ in range(compiled.COMPILED_FROM)]
    assert ways == [[False] * 3] * (compiled.COMPILED_FROM - 1) + [[True, True, False]]
    assert compiled.worthwhile(model, (1, 4, 1), None)


def test_bad_targets_and_outputs_are_refused_by_the_compiled_way_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "COMPILED_FROM", 0)
    model, x = made("gru", Interface("floats", 1, 2, "squared")), np.ones((2, 3, 1))
    with pytest.raises(ValueError, match="needs targets"):
        state_gradients(model, x, of="loss")
    with pytest.raises(ValueError, match=r"targets must have the shape \(2, 2\)"):
        state_gradients(model, x, np.ones(5), of="loss")
    with pytest.raises(ValueError, match="output must be between 0 and 1, got 2"):
        state_gradients(model, x, output=2)


def test_norms_neither_overflow_nor_underflow() -> None:
    values = np.random.default_rng(3).normal(size=(5, 4)) * np.array([1e-300, 1e-160, 1, 1e160, 1e300])[:, None]
    values = np.concatenate([values, np.zeros((1, 4))])
    np.testing.assert_allclose(compiled.norm(values).numpy(), norm(values), rtol=1e-14)
