"""Projected inputs: values and gradients of all steps at once, block by block, and by TensorFlow's own tape agree."""

import numpy as np
import pytest

from tests.referee import close

STEPS, SIZE, BATCH, INPUTS, COLUMNS, ROWS = 20, 5, 3, 2, 4, 7


def projections():
    import tensorflow as tf

    from rnn_core.engine.input_projections import Dense, Projected, TableRows

    rng = np.random.default_rng(0)

    def drawn(*shape):
        return tf.constant(rng.normal(size=shape))

    ids = tf.constant(rng.integers(0, ROWS, (STEPS, BATCH)))
    return {
        "dense": Dense(drawn(STEPS, BATCH, INPUTS), drawn(INPUTS, COLUMNS), drawn(COLUMNS)),
        "dense without bias": Dense(drawn(STEPS, BATCH, INPUTS), drawn(INPUTS, COLUMNS)),
        "projected": Projected(drawn(STEPS, BATCH, COLUMNS)),
        "table rows": TableRows(drawn(ROWS, COLUMNS), ids),
    }


@pytest.mark.parametrize("kind", ["dense", "dense without bias", "projected", "table rows"])
def test_blocks_are_parts_of_the_whole_and_their_gradients_add_up(kind):
    import tensorflow as tf

    projection = projections()[kind]
    delta = tf.constant(np.random.default_rng(1).normal(size=(STEPS, BATCH, COLUMNS)))
    with tf.GradientTape() as tape:
        tape.watch(projection.tensors)
        values = projection.values()
    wanted = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(values, projection.tensors, delta)]
    blocks = range(STEPS // SIZE)
    close(tf.concat([projection.block(n, SIZE).values() for n in blocks], 0), values, 1e-14)
    found = projection.zero_gradients(len(blocks), SIZE)
    for n in reversed(blocks):
        found = projection.add(found, delta[n * SIZE : (n + 1) * SIZE], tf.constant(n))
    for whole, added, gradient in zip(projection.gradients(delta), projection.total(found), wanted, strict=True):
        close(whole, gradient, 1e-12)
        close(added, gradient, 1e-12)


def test_a_masked_step_keeps_every_bit_of_the_state_also_where_the_new_one_is_infinite():
    import tensorflow as tf

    from rnn_core.engine.blocks import masked_state
    from rnn_core.engine.cells import GRU, SimpleRNN

    rng = np.random.default_rng(2)
    new, old, real = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), np.array([[1.0], [0], [1], [0]])
    for cell in (SimpleRNN(3), GRU(3, "sigmoid"), SimpleRNN(3, "relu"), SimpleRNN(3, "linear")):
        np.testing.assert_array_equal(masked_state(cell, *map(tf.constant, (real, new, old))), np.where(real > 0, new, old))
    new[1] = np.inf  # a relu's state can overflow float32 on padding
    np.testing.assert_array_equal(
        masked_state(SimpleRNN(3, "relu"), *map(tf.constant, (real, new, old))), np.where(real > 0, new, old)
    )
