"""Room for a batch: its length, and the tokens that occur in it."""

import numpy as np
import pytest

from rnn_core.data.sequences import Batch
from rnn_core.packing import distinct, packed


def test_room_comes_in_front_and_is_skipped():
    batch = Batch(np.arange(1, 71, dtype=np.int32)[None], None, np.ones((1, 1), np.float32))
    found, start = packed(batch, per_step=False)
    assert found.inputs.shape == (1, 100)
    assert start == 30
    np.testing.assert_array_equal(found.inputs[:, 30:], batch.inputs)


def test_targets_of_every_step_get_the_same_room():
    batch = Batch(np.ones((1, 210, 2), np.float32), np.ones((1, 210), bool), np.ones((1, 210), np.int32))
    found, start = packed(batch, per_step=True)
    assert found.inputs.shape == (1, 500, 2)
    assert (found.targets.sum(), found.mask.sum(), start) == (210, 210, 290)


def test_places_lead_back_to_the_tokens():
    tokens = np.random.default_rng(0).integers(0, 50, (4, 30))
    inputs, used, places = distinct(tokens, 10_000)
    np.testing.assert_array_equal(used[inputs], tokens)
    np.testing.assert_array_equal(places[tokens], inputs)
    assert len(used) == int(27 * 120**0.5) + 1
    assert inputs.max() == len(np.unique(tokens)) - 1
    assert np.all(np.delete(places, np.unique(tokens)) == len(used) - 1)


@pytest.mark.parametrize(("tokens", "vocabulary"), [(np.arange(9_000).reshape(30, 300), 10_000), (np.arange(40)[None], 40)])
def test_a_batch_of_many_words_has_room_for_all_and_one_more(tokens, vocabulary):
    inputs, used, places = distinct(tokens, vocabulary)
    np.testing.assert_array_equal(used[inputs], tokens)
    assert len(used) == vocabulary + 1
    assert inputs.max() < vocabulary
    assert places.max() <= vocabulary
