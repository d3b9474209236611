"""A cell that is added in one file trains, and every probe answers for it; what Keras cannot hold is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rnn_core.data.sequences import Batch
from rnn_core.engine import blocks, recurrence
from rnn_core.engine.input_projections import Projected
from rnn_core.engine.model import Model, build
from rnn_core.engine.parameters import recurrent as parameters
from rnn_core.export.keras_file import keras_file
from rnn_core.export.keras_program import keras_program
from rnn_core.probes.gradients import laboratory, walkthrough
from rnn_core.probes.gradients.state_gradients import state_gradients
from rnn_core.probes.jacobians.jacobians import jacobians
from rnn_core.probes.sentence import arithmetic, reading
from rnn_core.probes.sentence.attributions import METHODS, attributions
from rnn_core.probes.states.traces import trace
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface
from rnn_core.store import saved
from rnn_core.training.loop import train
from rnn_core.training.observer import eigenvalues, states
from rnn_core.training.step import TrainingStep
from tests.engine.minimal_gated_unit import MinimalGatedUnit, as_in_the_paper, known
from tests.engine.test_blocks import MASKS
from tests.probes.test_arithmetic import small_profile
from tests.referee import close

UNITS, WORDS = 5, np.array([[3, 4, 5, 6, 7], [0, 0, 8, 9, 1]])


@pytest.fixture(autouse=True)
def _known() -> Iterator[None]:
    with known():
        yield


TOKENS = Interface("tokens", 12, 1, "binary")


def made(interface: Interface = TOKENS, **options: Any) -> Model:
    model = build(Experiment().replace(cell="mgu", units=UNITS, embedding=4, task="imdb", **options), interface)
    rng = np.random.default_rng(0)
    return model.with_weights([rng.normal(scale=0.6, size=weight.shape) for weight in model.weights])


def by_the_tape(model: Model, vectors: np.ndarray, mask: np.ndarray | None = None) -> tuple[Any, list[Any], Any, list[Any]]:
    """(tape, states (B, H) after each step, logits, weights) of a network of one layer: the paper's equations, unrolled eagerly."""
    import tensorflow as tf

    weights = [tf.constant(weight, tf.float64) for weight in model.weights[model.embedding is not None :]]
    h, found = tf.zeros((len(vectors), UNITS), tf.float64), []
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([*weights, h])
        for t in range(vectors.shape[1]):
            after = as_in_the_paper(tf.constant(vectors[:, t], tf.float64), h, *weights[:3])
            h = after if mask is None else tf.where(mask[:, t, None], after, h)
            h = tf.identity(h)
            found.append(h)
        logits = h @ weights[3] + weights[4]
    return tape, found, logits, weights


@pytest.mark.parametrize("side", MASKS)
@pytest.mark.parametrize("length", [6, 100])
def test_the_blocks_and_the_plain_loop_agree_with_the_tape(side: str, length: int) -> None:
    import tensorflow as tf

    cell, rng = MinimalGatedUnit(UNITS), np.random.default_rng(1)
    mask = None if MASKS[side] is None else np.resize(MASKS[side], (3, length))
    vectors, model = rng.normal(size=(3, length, 2)), made(Interface("floats", 2, 1, "binary"))
    tape, states_, logits, weights = by_the_tape(model, vectors, mask)
    kernel, recurrent, bias, head = (np.asarray(weight) for weight in weights[:4])
    x = np.swapaxes(vectors @ kernel + bias, 0, 1)
    record = recurrence.forward(cell, x, recurrent, None, (np.zeros((3, UNITS)),), None if mask is None else mask.T)
    upstream = np.zeros_like(record.states[0])
    upstream[-1] = head[:, 0]
    _, totals, _ = recurrence.backward(cell, record, (upstream,), recurrent, None if mask is None else mask.T)
    close(record.states[0], np.stack(states_), 1e-12)
    for t in (0, length // 2, length - 1):
        close(totals[0][t], tape.gradient(logits, states_[t]), 1e-12)
    real = None if mask is None else tf.constant(mask.T[..., None])
    zeros = (tf.zeros((3, UNITS), tf.float64),)
    blocked = blocks.forward(cell, Projected(tf.constant(x)), tf.constant(recurrent), None, zeros, real)
    close(blocked[0][1:], record.states[0], 1e-12)


def test_a_training_step_has_the_gradients_of_the_tape_and_a_training_learns() -> None:
    import tensorflow as tf

    interface, rng = Interface("floats", 2, 1, "binary"), np.random.default_rng(2)
    model, x, targets = made(interface), rng.normal(size=(4, 9, 2)), np.array([[0.0], [1], [1], [0]])
    found = TrainingStep(model, Experiment().replace(batch=4).training).gradients(Batch(x.astype(np.float32), None, targets))
    tape, _, logits, weights = by_the_tape(model, x)
    with tape:
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))
    for ours, theirs in zip(found, tape.gradient(loss, weights), strict=True):
        close(ours, theirs, 1e-5)
    experiment = Experiment().replace(
        task="first_token", cell="mgu", length=8, units=16, samples=960, epochs=6, learning_rate=0.02, batch=32
    )
    accuracies = [snapshot.validation_metric for snapshot in train(experiment)]
    assert [value for value in accuracies if np.isfinite(value)][-1] > 0.9


def test_every_probe_answers() -> None:
    model = made(mask=True)
    assert model.embedding is not None
    tape, every, logits, _ = by_the_tape(model, model.embedding[WORDS].astype(np.float64), WORDS > 0)
    flow, traced = state_gradients(model, WORDS), trace(model, WORDS)
    close(flow.value, logits[:, 0], 1e-6)
    close(traced.states, np.swapaxes(np.stack(every), 0, 1), 1e-6)
    for t in range(5):
        gradient = np.linalg.norm(tape.gradient(logits, every[t]), axis=-1)
        close(flow.norms[:, t], gradient, 1e-6)
    assert list(traced.gates) == ["forget", "candidate"]
    steps = jacobians(model, WORDS[0]).steps
    close(flow.signed[0, 0], flow.signed[0, -1] @ np.linalg.multi_dot(steps[:0:-1]), 1e-10)
    assert attributions(model, WORDS, steps=400).gap.max() < 1e-4
    found = reading.read(model, small_profile(model), WORDS[0])
    close(found.attribution, attributions(model, WORDS[:1], steps=None, output=0).values[0], 1e-4)
    step = arithmetic.step_of(model, WORDS[0], 3)
    close(step.after, traced.states[0, 3], 1e-6)
    for name, part in step.parts.items():
        close(part.activation, traced.gates[name][0, 3], 1e-6)
        close(part.activation, np.tanh(part.total) if name == "candidate" else 1 / (1 + np.exp(-part.total)), 1e-6)
    assert len(arithmetic.formulas(step, 0)) == 2
    close(states(model, WORDS[0]), traced.states[0], 1e-6)
    assert eigenvalues(model).shape == (UNITS,)


def test_the_laboratory_and_the_walkthrough_show_it() -> None:
    experiment = Experiment().replace(cell="mgu", units=6, length=30)
    curves = laboratory.untrained_curves(experiment, cells=("mgu",)).curves
    assert all(np.isfinite(one.median).all() for drawn in curves.values() for one in drawn)
    assert laboratory.singular_values(experiment, cells=("mgu",))[0].values.shape[1] == 6
    assert len(laboratory.lyapunov(experiment, cells=("mgu",))[0].values) == 6
    assert laboratory.gates(experiment) is None, "its gate scales the new content, not the old state"
    assert laboratory.batch_gradient(experiment)["recurrent weights U"] > 0
    shown = walkthrough.walkthrough(experiment)
    assert shown.shares.shape[1:] == (4, 8)
    close(shown.shares.sum(0), shown.total, 1e-12)


def test_its_parameters_and_stored_weights_are_counted_by_its_columns() -> None:
    model = made(layers=2, bidirectional=True)
    assert parameters(Experiment(model=model.spec), model.interface) == model.parameters
    assert saved.weight_shapes(model.spec, model.interface) == [weight.shape for weight in model.weights]


@pytest.mark.parametrize("method", METHODS)
def test_deep_bidirectional_networks_have_attributions(method: str) -> None:
    model = made(Interface("tokens", 12, 3, "categorical"), layers=2, bidirectional=True, mask=True)
    assert np.isfinite(attributions(model, WORDS, method).values).all()


def test_what_keras_cannot_hold_is_refused_in_a_sentence() -> None:
    experiment = Experiment().replace(cell="mgu", task="first_token", length=8)
    for ask in (lambda: made().to_keras(), lambda: keras_file(made()), lambda: keras_program(experiment)):
        with pytest.raises(ValueError, match="Keras has no layer for the cell 'mgu', so there is no Keras"):
            ask()


def test_it_is_unknown_where_nobody_added_it() -> None:
    from rnn_core.engine import cells
    from rnn_core.spec import experiment

    del cells.CELLS["mgu"]
    experiment.CELLS.remove("mgu")
    try:
        with pytest.raises(ValueError, match="cell must be one of simple_rnn, lstm, gru"):
            Experiment().replace(cell="mgu")
    finally:
        cells.add(MinimalGatedUnit)
