"""What a layer reads: the same numbers and gradients for all steps at once, block by block, and by TensorFlow's own tape."""

import numpy as np
import pytest

from tests.referee import close

STEPS, SIZE, BATCH, INPUTS, COLUMNS, ROWS = 20, 5, 3, 2, 4, 7


def kinds():
    import tensorflow as tf

    from rnn_core.engine.input_projections import Dense, Ready, Rows

    rng = np.random.default_rng(0)

    def drawn(*shape):
        return tf.constant(rng.normal(size=shape))

    ids = tf.constant(rng.integers(0, ROWS, (STEPS, BATCH)))
    return {
        "dense": Dense(drawn(STEPS, BATCH, INPUTS), drawn(INPUTS, COLUMNS), drawn(COLUMNS)),
        "dense without bias": Dense(drawn(STEPS, BATCH, INPUTS), drawn(INPUTS, COLUMNS)),
        "ready": Ready(drawn(STEPS, BATCH, COLUMNS)),
        "rows": Rows(drawn(ROWS, COLUMNS), ids),
    }


@pytest.mark.parametrize("kind", ["dense", "dense without bias", "ready", "rows"])
def test_blocks_are_parts_of_the_whole_and_their_gradients_add_up(kind):
    import tensorflow as tf

    read = kinds()[kind]
    delta = tf.constant(np.random.default_rng(1).normal(size=(STEPS, BATCH, COLUMNS)))
    with tf.GradientTape() as tape:
        tape.watch(read.tensors)
        values = read.values()
    wanted = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(values, read.tensors, delta)]
    blocks = range(STEPS // SIZE)
    close(tf.concat([read.block(n, SIZE).values() for n in blocks], 0), values, 1e-14)
    found = read.nothing(len(blocks), SIZE)
    for n in reversed(blocks):
        found = read.add(found, delta[n * SIZE : (n + 1) * SIZE], tf.constant(n))
    for whole, added, gradient in zip(read.gradients(delta), read.total(found), wanted, strict=True):
        close(whole, gradient, 1e-12)
        close(added, gradient, 1e-12)


def test_a_masked_step_keeps_the_state_to_the_bit_also_beside_infinity():
    import tensorflow as tf

    from rnn_core.engine.blocks import chosen
    from rnn_core.engine.cells import GRU, SimpleRNN

    rng = np.random.default_rng(2)
    new, old, real = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), np.array([[1.0], [0], [1], [0]])
    for cell in (SimpleRNN(3), GRU(3, "sigmoid"), SimpleRNN(3, "relu"), SimpleRNN(3, "linear")):
        np.testing.assert_array_equal(chosen(cell, *map(tf.constant, (real, new, old))), np.where(real > 0, new, old))
    new[1] = np.inf  # a relu's state can outgrow float32 on padding; it is not taken
    np.testing.assert_array_equal(chosen(SimpleRNN(3, "relu"), *map(tf.constant, (real, new, old))), np.where(real > 0, new, old))
