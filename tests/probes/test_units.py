"""Unit statistics in cases with a known result, and the contexts of a unit in other reviews."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.probes.states import corpus, units
from rnn_core.service import sentence
from rnn_core.service.sentence import Source
from rnn_core.store import run_file


def starter(name: str) -> Source:
    record = run_file.open_starter(f"starter-{name}")
    return Source(record.id, record.snapshots[-1].step)


@pytest.fixture(autouse=True)
def toy_reviews_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus without IMDB, so that these tests do not depend on the machine."""
    monkeypatch.setattr(corpus, "imdb_present", lambda: False)
    sentence.corpus_of.cache_clear()
    yield
    sentence.corpus_of.cache_clear()


@pytest.mark.parametrize(("bias", "shares"), [(10.0, (0, 1)), (-10.0, (1, 0)), (0.0, (0, 0))])
def test_a_constant_gate_saturates_as_its_bias_says(bias: float, shares: tuple[float, float]) -> None:
    gate = np.full((3, 5, 4), 1 / (1 + np.exp(-bias)))
    np.testing.assert_allclose(units.saturation(gate), np.tile(shares, (4, 1)))


def test_saturation_counts_real_tokens_only() -> None:
    gate = np.array([[[0.99], [0.5], [0.01], [0.01]]])
    mask = np.array([[True, True, False, False]])
    np.testing.assert_allclose(units.saturation(gate, mask), [[0, 0.5]])


def test_correlations_equal_pearsons() -> None:
    rng = np.random.default_rng(0)
    values, labels = rng.normal(size=(200, 5)), rng.integers(0, 2, 200)
    values[:, 0], values[:, 1], values[:, 2] = labels, -labels, 7.0
    found = units.correlations(values, labels)
    np.testing.assert_allclose(found[:3], [1, -1, 0], atol=1e-6)
    np.testing.assert_allclose(found[3:], [np.corrcoef(values[:, n], labels)[0, 1] for n in (3, 4)], atol=1e-6)


def test_likeness_makes_correlated_units_neighbours() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 300))
    states = np.stack([a, b, a + 0.1 * rng.normal(size=300), b + 0.1 * rng.normal(size=300), 3 * a], axis=1)
    order = units.likeness(states).tolist()
    assert sorted(order) == [0, 1, 2, 3, 4]
    places = {unit: place for place, unit in enumerate(order)}
    assert abs(places[1] - places[3]) == 1
    assert {abs(places[0] - places[2]), abs(places[0] - places[4]), abs(places[2] - places[4])} <= {1, 2}


def test_likeness_accepts_constant_units() -> None:
    assert sorted(units.likeness(np.zeros((10, 4))).tolist()) == [0, 1, 2, 3]
    assert units.likeness(np.zeros((10, 1))).tolist() == [0]


def test_contexts_are_the_extremes_of_the_corpus() -> None:
    source = starter("lstm")
    found, everything = sentence.contexts(source, 3, count=4), sentence.corpus_of(source)
    values = everything.hidden[:, 3]
    assert found.values[0] == values.max()
    assert found.values[-1] == values.min()
    assert list(found.values[:4]) == sorted(found.values[:4], reverse=True)
    assert found.tokens == len(values) == len(everything.sequences.values)
    assert found.origins == ("toy review",)
    assert len({(one.before, one.words) for one in found.passages[:4]}) == 4
    with pytest.raises(ValueError, match="unit must be between 0 and 31"):
        sentence.contexts(source, 32)


def test_a_profile_uses_real_tokens_and_final_states() -> None:
    from rnn_core.probes.states.traces import trace

    source = starter("gru")
    sequences = corpus.reviews("toy_reviews", 25, 60, 10_000)
    model = run_file.open_starter(source.run).model()
    profile = units.profile(model, sequences)
    last = trace(model, sequences[7][None]).states[0, -1]
    np.testing.assert_allclose(profile.cloud[7], profile.basis.project(last)[:2], atol=1e-5)
    assert profile.tokens == int(sequences.lengths.sum())
    assert set(profile.saturation) == {"update", "reset"}
