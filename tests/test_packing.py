"""Room for a batch: its length, and the tokens that occur in it."""

import numpy as np

from rnn_core.data.sequences import Batch
from rnn_core.packing import distinct, packed


def test_room_comes_in_front_and_is_skipped():
    batch = Batch(np.arange(1, 71, dtype=np.int32)[None], None, np.ones((1, 1), np.float32))
    found, start = packed(batch, bidirectional=False, per_step=False)
    assert found.inputs.shape == (1, 100)
    assert start == 30
    np.testing.assert_array_equal(found.inputs[:, 30:], batch.inputs)
    both, start = packed(batch, bidirectional=True, per_step=False)
    assert start == 0
    assert both.mask.sum() == 70


def test_places_lead_back_to_the_tokens():
    tokens = np.random.default_rng(0).integers(0, 50, (4, 30))
    places, used = distinct(tokens, 10_000)
    np.testing.assert_array_equal(used[places], tokens)
    assert len(used) == int(27 * 120**0.5)
    assert places.max() == len(np.unique(tokens)) - 1


def test_a_batch_of_many_words_has_room_for_all():
    tokens = np.arange(9_000).reshape(30, 300)
    places, used = distinct(tokens, 10_000)
    np.testing.assert_array_equal(used[places], tokens)
    assert len(used) == 10_000
    assert len(distinct(tokens % 40, 40)[1]) == 40
