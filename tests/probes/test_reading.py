"""Readings: probabilities equal Keras's, attributions are complete, and two readings differ from the first different word on."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.probes.sentence import reading
from rnn_core.probes.sentence.attributions import METHODS
from rnn_core.service import sentence
from rnn_core.service.sentence import Source, model_of
from rnn_core.store import run_file
from tests.probes.test_arithmetic import model, small_profile
from tests.probes.test_units import starter

TEXT = "The cast is wonderful, but the plot drags and I was bored by the end of it."
CELLS = ("simple_rnn", "lstm", "gru")


def read(cell: str, text: str, method: str = "integrated_gradients") -> reading.Reading:
    return sentence.read(starter(cell), vocabulary().encode(text).ids, method)


@pytest.mark.parametrize("cell", CELLS)
def test_running_probabilities_equal_keras_on_the_text_so_far(cell: str) -> None:
    found = read(cell, TEXT)
    network = model_of(starter(cell)).to_keras()
    expected = float(network(found.ids[None])[0, 0])
    assert found.probability[-1] == pytest.approx(expected, abs=1e-5)
    for steps in (1, 5, 12):  # the running probability is the output for a text that ends there
        assert found.probability[steps - 1] == pytest.approx(float(network(found.ids[None, :steps])[0, 0]), abs=1e-5)
    assert found.start + found.deltas.sum() == pytest.approx(found.logits[-1], abs=1e-4)
    np.testing.assert_allclose(found.path, found.profile.basis.project(found.states)[:, :2])


@pytest.mark.parametrize("cell", CELLS)
def test_integrated_gradients_are_complete(cell: str) -> None:
    found = read(cell, TEXT)
    change = abs(float(found.attribution.sum()))
    assert found.gap <= 1e-3 * max(1.0, change)
    long = sentence.read(starter(cell), np.r_[1, np.random.default_rng(0).integers(4, 9999, 499)].astype(np.int32))
    assert long.gap <= 1e-3 * max(1.0, abs(float(long.attribution.sum())))


def test_padding_gets_exactly_zero_attribution() -> None:
    from rnn_core.probes.sentence.attributions import attributions

    ids = vocabulary().encode(TEXT).ids
    padded, mask = np.r_[np.zeros(5, np.int32), ids][None], np.r_[np.zeros(5, bool), np.ones(len(ids), bool)][None]
    for method in METHODS:
        found = attributions(model_of(starter("gru")), padded, method, mask, output=0)
        assert (found.values[0, :5] == 0).all(), method
        np.testing.assert_allclose(
            found.values[0, 5:], attributions(model_of(starter("gru")), ids[None], method, output=0).values[0], atol=1e-5
        )


@pytest.mark.parametrize("cell", CELLS)
def test_blocks_have_one_column_per_unit_and_orders_are_permutations(cell: str) -> None:
    found = read(cell, TEXT)
    assert found.units == 32
    assert all(values.shape == (len(found.ids), 32) for values in found.blocks.values())
    for order in found.orders.values():
        assert sorted(np.asarray(order).tolist()) == list(range(32))
    last = found.blocks["h"][-1][found.orders["activation"]]
    assert (np.diff(last) <= 0).all()


def test_readings_differ_from_the_changed_word_on() -> None:
    first, second = read("gru", TEXT), read("gru", TEXT.replace("wonderful", "dreadful"))
    parted = reading.compare(first, second)
    assert parted.first == 4  # <start> the cast is WONDERFUL
    assert parted.alignment.tolist() == list(range(len(first.ids)))
    assert (parted.distance[:4] == 0).all()
    assert parted.distance[4] > 0
    assert parted.widest >= 4


def test_readings_of_the_same_text_do_not_differ() -> None:
    first = read("gru", TEXT)
    assert reading.compare(first, first).first is None


@pytest.mark.parametrize(
    ("first", "second", "align", "parts"),
    [
        ([1, 5, 6], [1, 9, 6], [0, 1, 2], 1),  # replaced
        ([1, 5, 6], [1, 6], [0, 2], 1),  # removed: the state differs from there on
        ([1, 5, 6], [1, 5, 9, 6], [0, 1, -1, 2], 2),  # inserted
        ([1, 5, 6], [1, 5], [0, 1], 1),  # the end removed: they differ at the last common word
    ],
)
def test_tokens_of_similar_texts_are_aligned(first: list[int], second: list[int], align: list[int], parts: int) -> None:
    made = model(cell="gru")
    a, b = (reading.read(made, small_profile(made), np.array(ids)) for ids in (first, second))
    parted = reading.compare(a, b)
    assert parted.alignment.tolist() == align
    assert parted.first == parts


def test_models_that_cannot_be_followed_are_refused() -> None:
    with pytest.raises(ValueError, match="both ends"):
        sentence.read(Source("both ends", 0, model(cell="gru", bidirectional=True)), np.array([1, 2]))
    assert "yes or no" in reading.unsupported(False, "floats", "binary", False)


def test_every_kept_step_of_a_starter_has_a_reading() -> None:
    record = run_file.open_starter("starter-lstm")
    ids = vocabulary().encode(TEXT).ids
    found = [sentence.read(Source(record.id, kept.step), ids) for kept in record.snapshots]
    assert abs(found[0].probability[-1] - 0.5) < 0.05  # untrained
    assert np.ptp(found[-1].probability) > 0.3
    assert all(
        one.profile.basis is not None and np.allclose(one.profile.basis.mean, found[0].profile.basis.mean) for one in found
    )
