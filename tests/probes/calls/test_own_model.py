"""Our models, probed in NumPy, against the same networks as stock Keras layers, whose own loop runs and whose tape differentiates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rnn_core.engine.model import Model, build
from rnn_core.probes.gradients import laboratory
from rnn_core.probes.gradients.norms import norm
from rnn_core.probes.gradients.state_gradients import GradientFlow, state_gradients
from rnn_core.probes.jacobians.jacobians import jacobians
from rnn_core.probes.sentence.attributions import METHODS, attributions
from rnn_core.probes.states.traces import trace
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("simple_rnn", {"layers": 2}),
    ("simple_rnn", {"activation": "relu", "use_bias": False, "gain": 1.2}),
    ("simple_rnn", {"activation": "linear"}),
    ("lstm", {"gate_bias": 3.0}),
    ("lstm", {"layers": 2, "bidirectional": True}),
    ("lstm", {"activation": "sigmoid", "use_bias": False}),
    ("gru", {}),
    ("gru", {"reset_after": False, "layers": 2}),
    ("gru", {"reset_after": False, "bidirectional": True, "use_bias": False}),
    ("gru", {"activation": "relu"}),
]
FIELDS = ("value", "norms", "hidden", "cell", "inputs", "components", "totals", "signed", "mask")
WORDS = np.random.default_rng(0).integers(1, 20, (4, 7))
WORDS[1, :3] = WORDS[2, 4:] = WORDS[3] = 0  # padded in front, behind, and nothing but padding


def made(cell: str, interface: Interface, **options: Any) -> Model:
    """A small network in which no weight or bias is near zero."""
    model = build(Experiment().replace(cell=cell, units=5, embedding=3, task="imdb", **options), interface)
    rng = np.random.default_rng(4)
    return model.with_weights([rng.normal(scale=0.5, size=weight.shape) for weight in model.weights])


def same(found: GradientFlow, wanted: GradientFlow) -> None:
    assert (found.layer, found.cell_name, found.quantity) == (wanted.layer.split("#")[0], wanted.cell_name, wanted.quantity)
    for field in FIELDS:
        ours, theirs = getattr(found, field), getattr(wanted, field)
        for key in ours if isinstance(ours, dict) else [None]:
            one, other = (ours, theirs) if key is None else (ours[key], theirs[key])
            if other is None:
                assert one is None
                continue
            assert (one.shape, one.dtype) == (other.shape, other.dtype)
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-12, err_msg=f"{field} {key or ''}")


@pytest.mark.parametrize(("cell", "options"), VARIANTS, ids=str)
def test_gradients_traces_and_jacobians_equal_those_of_keras(cell: str, options: dict[str, Any]) -> None:
    model = made(cell, Interface("tokens", 20, 1, "binary"), mask=True, **options)
    network = model.to_keras("float64")
    for layer in range(model.spec.layers * (1 + model.spec.bidirectional)):
        same(state_gradients(model, WORDS, layer=layer), state_gradients(network, WORDS, layer=layer))
        found, wanted = trace(model, WORDS, layer=layer), trace(network, WORDS, layer=layer)
        np.testing.assert_allclose(found.outputs[found.mask], wanted.outputs[wanted.mask], atol=1e-6)
        for field in ("states", "output", "probability", "running", "running_probability", "mask"):
            if getattr(wanted, field) is not None:
                np.testing.assert_allclose(getattr(found, field), getattr(wanted, field), atol=1e-6, err_msg=field)
        for name, gate in wanted.gates.items():
            np.testing.assert_allclose(found.gates[name][found.mask], gate[wanted.mask], atol=1e-6, err_msg=name)
    np.testing.assert_allclose(jacobians(model, WORDS[0]).steps, jacobians(network, WORDS[0]).steps, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("interface", "targets"),
    [
        (Interface("floats", 2, 1, "binary"), np.array([1.0, 0.0, 1.0])),
        (Interface("floats", 2, 3, "categorical"), np.array([2, 0, 1])),
        (Interface("floats", 2, 2, "squared"), np.ones((3, 2))),
        (Interface("floats", 2, 3, "categorical", per_step=True), np.arange(18).reshape(3, 6) % 3),
    ],
    ids=str,
)
@pytest.mark.parametrize("masked", [False, True])
def test_every_loss_equals_that_of_keras(interface: Interface, targets: np.ndarray, masked: bool) -> None:
    model, mask = made("gru", interface), np.arange(6)[None] < np.array([6, 4, 5])[:, None] if masked else None
    x = np.random.default_rng(1).normal(size=(3, 6, 2))
    network = model.to_keras("float64")
    same(state_gradients(model, x, targets, "loss", mask), state_gradients(network, x, targets, "loss", mask))
    same(state_gradients(model, x, mask=mask), state_gradients(network, x, mask=mask))


@pytest.mark.parametrize("method", METHODS)
def test_every_attribution_equals_that_of_keras(method: str) -> None:
    model = made("lstm", Interface("tokens", 20, 3, "categorical"), mask=True, layers=2, bidirectional=True)
    found, wanted = (attributions(one, WORDS[:3], method) for one in (model, model.to_keras("float64")))
    np.testing.assert_allclose(found.values, wanted.values, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(found.answer, wanted.answer, rtol=1e-9)


def test_bad_targets_and_outputs_are_refused() -> None:
    model, x = made("gru", Interface("floats", 1, 2, "squared")), np.ones((2, 3, 1))
    for one in (model, model.to_keras()):
        with pytest.raises(ValueError, match="needs targets"):
            state_gradients(one, x, of="loss")
        with pytest.raises(ValueError, match=r"targets must have the shape \(2, 2\)"):
            state_gradients(one, x, np.ones(5), of="loss")
        with pytest.raises(ValueError, match="output must be between 0 and 1, got 2"):
            state_gradients(one, x, output=2)


def test_the_gradient_of_five_hundred_steps_does_not_underflow() -> None:
    experiment = Experiment().replace(gain=0.2, length=500, units=8)
    model, inputs = laboratory.untrained(experiment, "gru"), laboratory.random_inputs(0, 2, 500, 0.03)
    found = state_gradients(model, inputs).norms
    assert 1e-200 < found[:, 0].min() < 1e-100
    np.testing.assert_allclose(found, state_gradients(model.to_keras("float64"), inputs).norms, rtol=1e-6)


def test_an_exploding_network_raises_no_warning() -> None:
    for activation in ("linear", "relu"):
        model = laboratory.untrained(Experiment().replace(gain=5.0, length=500, units=8, activation=activation), "simple_rnn")
        inputs = laboratory.random_inputs(0, 2, 500, 1.0)
        found = laboratory.quantities(state_gradients(model, inputs))
        assert not (found["state"] < 1e200).all()
        assert jacobians(model, inputs[0]).steps.shape == (500, 8, 8)


def test_norms_of_tiny_and_huge_vectors_are_exact() -> None:
    unit = np.array([3.0, 0.0, -4.0])
    sizes = np.array([0.0, 1e-320, 1e-300, 1e-170, 1e-90, 1.0, 1e90, 1e170, 1e300])
    np.testing.assert_allclose(norm(sizes[:, None] * unit), 5 * sizes, rtol=1e-3)  # 1e-320 has three digits left
    np.testing.assert_allclose(norm(sizes[2:, None] * unit), 5 * sizes[2:], rtol=1e-14)
