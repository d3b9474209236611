"""The numbers of the animation against stock Keras and a tape."""

from __future__ import annotations

import numpy as np
import pytest

from pages.parts.gradients import bptt_animation
from rnn_core.probes.gradients.walkthrough import walkthrough
from rnn_core.spec.experiment import CELLS, Experiment


@pytest.mark.parametrize("cell", CELLS)
def test_every_number_of_the_animation_equals_keras(cell: str) -> None:
    import tensorflow as tf

    from rnn_core.engine.model import build
    from rnn_core.spec.interface import Interface

    experiment = Experiment().replace(cell=cell, seed=3)
    walk = walkthrough(experiment, 5)
    network = build(experiment.replace(units=4), Interface("floats", 1, 1, "binary")).to_keras("float64")
    values = np.array([float(label.replace("−", "-")) for label in walk.inputs])[None, :, None]
    with tf.GradientTape() as tape:
        probability = network(values)
        loss = -tf.math.log(probability if walk.target else 1 - probability)
    kernel = next(weight for weight in network.trainable_variables if "recurrent_kernel" in weight.path)
    assert walk.probability == pytest.approx(float(probability[0, 0]), rel=1e-6)
    assert walk.loss == pytest.approx(float(loss[0, 0]), rel=1e-6)
    np.testing.assert_allclose(walk.total, tape.gradient(loss, kernel.value), rtol=1e-5, atol=1e-9)
    assert walk.target == int(values[0, 0, 0] > 0)


@pytest.mark.parametrize("cell", CELLS)
def test_shares_are_one_per_step_and_the_first_is_zero(cell: str) -> None:
    walk = walkthrough(Experiment().replace(cell=cell), 6)
    assert walk.shares.shape[0] == walk.norms.shape[0] == len(walk.inputs) == 6
    assert walk.share_norms[0] == 0
    assert (walk.share_norms[1:] > 0).all()


def test_a_large_gain_makes_the_gradient_grow_backwards_and_a_small_one_shrink() -> None:
    small, large = (walkthrough(Experiment().replace(gain=gain), 6).norms for gain in (0.3, 2.5))
    assert small[0] < 1e-2 * small[-1]
    assert large[0] > 2 * large[-1]


def test_the_payload_has_every_number_with_four_digits() -> None:
    walk = walkthrough(Experiment(), 6)
    data = bptt_animation.payload(walk)
    assert len(data["stages"]) == 5
    np.testing.assert_allclose(data["norms"], walk.norms, rtol=1e-3)
    np.testing.assert_allclose(np.sum(data["shares"], axis=0), data["total"], atol=1e-3)
    assert bptt_animation.payload(walkthrough(Experiment(), 6))["rev"] == data["rev"]
    assert bptt_animation.payload(walkthrough(Experiment(seed=1), 6))["rev"] != data["rev"]
