"""Capacities of a batch: its time steps and its distinct tokens."""

import numpy as np
import pytest

from rnn_core.data.sequences import Batch
from rnn_core.training.batch_lengths import CAPACITIES, capacity_of, distinct_tokens, padded


def test_padding_is_in_front_and_skipped():
    batch = Batch(np.arange(1, 71, dtype=np.int32)[None], None, np.ones((1, 1), np.float32))
    found, start = padded(batch, False, 100)
    assert found.inputs.shape == (1, 100)
    assert found.mask is None
    assert start == 30
    np.testing.assert_array_equal(found.inputs[:, 30:], batch.inputs)
    assert padded(found, False, 100) == (found, 0)


def test_masks_and_targets_of_every_step_are_padded_alike():
    rng = np.random.default_rng(0)
    batch = Batch(rng.normal(size=(3, 210, 2)).astype(np.float32), rng.random((3, 210)) > 0.5, rng.integers(1, 9, (3, 210)))
    found, start = padded(batch, True, 500)
    assert start == 290
    for wide, narrow in ((found.inputs, batch.inputs), (found.mask, batch.mask), (found.targets, batch.targets)):
        np.testing.assert_array_equal(wide[:, 290:], narrow)
        assert not wide[:, :290].any()


def test_capacities_are_few_and_close_to_the_length_for_large_batches():
    lengths = range(1, 4001)
    assert {capacity_of(length) for length in lengths} == {*CAPACITIES, 3000, 4000}
    assert all(capacity_of(length, large) >= length for length in lengths for large in (False, True))
    assert all(capacity_of(length, large=True) < 1.5 * length for length in lengths if length > 200)


def test_indices_give_the_tokens_back():
    tokens = np.random.default_rng(0).integers(0, 50, (4, 30))
    inputs, used, indices = distinct_tokens(tokens, 10_000)
    np.testing.assert_array_equal(used[inputs], tokens)
    np.testing.assert_array_equal(indices[tokens], inputs)
    assert len(used) == int(27 * 120**0.5) + 1
    assert inputs.max() == len(np.unique(tokens)) - 1
    assert np.all(np.delete(indices, np.unique(tokens)) == len(used) - 1)


@pytest.mark.parametrize(("tokens", "vocabulary"), [(np.arange(9_000).reshape(30, 300), 10_000), (np.arange(40)[None], 40)])
def test_a_batch_of_many_tokens_gets_the_capacity_of_the_vocabulary_and_one_more(tokens, vocabulary):
    inputs, used, indices = distinct_tokens(tokens, vocabulary)
    np.testing.assert_array_equal(used[inputs], tokens)
    assert len(used) == vocabulary + 1
    assert inputs.max() < vocabulary
    assert indices.max() <= vocabulary
