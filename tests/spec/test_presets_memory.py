"""Claims of the presets on memory tasks: contests, gain and gate bias, and the pairs of the lessons."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rnn_core import data
from rnn_core.engine import model as models
from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment
from tests.spec.claims import proves, trained
from tests.studies import test_lessons

# Proved by tests/studies/test_lessons.py, from recorded trainings and by training again.
proves("contractive", "the gradient keeps at most 0.7 of itself at every step back")(test_lessons.test_the_sentence_is_true)
for _name in ("orthogonal", "contractive"):
    proves(_name, "the first of 40 symbols")(test_lessons.test_the_vanilla_pair_trains_as_recorded)
proves("contractive", "is not learned in 800 steps")(test_lessons.test_the_vanilla_pair_trains_as_recorded)
proves("orthogonal", "names the first of 40 symbols more than 98 times in 100")(
    test_lessons.test_the_vanilla_pair_trains_as_recorded
)
proves("closed_gates", "and does not learn the first of 40 symbols in 800 steps")(
    test_lessons.test_the_gate_pair_trains_as_recorded
)
proves("open_gates", "names the first of 40 symbols more than 98 times in 100")(
    test_lessons.test_the_gate_pair_trains_as_recorded
)
proves("runaway", "the first update throws the weights so far that the second loss overflows")(
    test_lessons.test_the_runaway_pair_trains_as_recorded
)
proves("runaway_clipped", "survives, and its error falls to that of guessing the mean")(
    test_lessons.test_the_runaway_pair_trains_as_recorded
)


@proves("adding_200", "Twice as far")
@proves("temporal_order_100", "With gates that start open (bias 3)")
def test_memory_contests_have_the_claimed_length_and_bias():
    near, far, order = (presets.get(name) for name in ("adding_100", "adding_200", "temporal_order_100"))
    assert (near.data.length, far.data.length, order.data.length) == (100, 200, 100)
    assert order.model.gate_bias == 3
    assert far == near.replace(length=200, epochs=25)


def test_forget_bias_4_learns_in_one_epoch_and_the_default_does_not():
    experiment = presets.get("gate_bias")
    assert max(trained(experiment.replace(epochs=1))[0]) >= 0.995
    assert max(trained(experiment.replace(epochs=2, gate_bias=None))[0]) < 0.6


@proves(
    "gain_vanish",
    "Recurrent gain 0.5: at the start of training the gradient loses at least half at every step back",
    "over 50 steps nothing is left of it",
)
@proves(
    "gain_explode",
    "A linear RNN with recurrent gain 1.2 multiplies the gradient by 1.2 at every step back: 7,600 times over 50 steps, before training",
)
@pytest.mark.parametrize("name", ["gain_vanish", "gain_explode"])
def test_gradients_shrink_or_grow_by_the_gain(name):
    from rnn_core.probes.gradients.state_gradients import state_gradients

    experiment = presets.get(name)
    dataset = data.build(experiment.replace(samples=20))
    norms = state_gradients(
        models.build(experiment, dataset.interface), dataset.train.pad(np.arange(16)).inputs, of="output"
    ).norms
    steps = norms[:, :-1] / norms[:, 1:]  # the factor of one step back
    if name == "gain_vanish":
        assert (steps <= 0.5 * (1 + 1e-5)).all()
        assert (norms[:, 0] < 1e-14 * norms[:, -1]).all()
    else:
        np.testing.assert_allclose(steps, 1.2, rtol=1e-5)
        np.testing.assert_allclose(norms[:, 0] / norms[:, -1], 1.2**49, rtol=1e-4)
        assert round(1.2**49, -2) == 7600


@proves("contractive", "Recurrent gain 0.7", "and")
@proves("orthogonal", "The same vanilla RNN with Keras's own orthogonal start (gain 1)")
@proves("open_gates", "With an update-gate bias of 2 the same GRU")
@proves("runaway", "A linear RNN with recurrent gain 1.1")
@proves("runaway_clipped", "The same run with the gradient's norm clipped at 1")
def test_lessons_are_pairs_that_differ_in_one_field():
    contractive, orthogonal, closed, opened, runaway, clipped = (preset.experiment for preset in presets._LESSONS)
    assert orthogonal.replace(gain=0.7) == contractive
    assert (orthogonal.model.cell, orthogonal.model.gain, orthogonal.model.initialiser) == ("simple_rnn", 1, "orthogonal")
    assert closed.replace(gate_bias=2.0) == opened
    assert runaway.replace(clip=1.0) == clipped
    assert (runaway.model.cell, runaway.model.activation, runaway.model.gain) == ("simple_rnn", "linear", 1.1)


@proves("closed_gates", "Keras's default GRU starts with its update gate at one half on average,")
def test_a_default_gru_starts_half_closed():
    from rnn_core.probes.states.traces import trace

    experiment = presets.get("closed_gates")
    assert experiment.model == dataclasses.replace(Experiment().model, cell="gru")
    dataset = data.build(experiment)
    result = trace(models.build(experiment, dataset.interface), dataset.train.pad(np.arange(32)).inputs)
    assert result.gates["update"].mean() == pytest.approx(0.5, abs=0.03)
