"""A cached training step trains as a new one would, and is never shared by two trainings."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core import data
from rnn_core.engine import model as models
from rnn_core.spec.experiment import Experiment
from rnn_core.training import step_cache
from rnn_core.training.loop import train

SMALL = Experiment().replace(task="first_token", length=8, samples=128, epochs=1, batch=32, units=4, cell="lstm", clip=1.0)


@pytest.fixture(autouse=True)
def _none_idle(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(step_cache, "_idle", type(step_cache._idle)())


def weights(experiment: Experiment) -> list[np.ndarray]:
    return list(list(train(experiment))[-1].run.model.weights)


@pytest.mark.parametrize("change", [{"gain": 1.5, "gate_bias": 3.0}, {"learning_rate": 0.1, "seed": 5}, {"dropout": 0.2}])
def test_a_cached_step_repeats_a_new_one_to_the_last_bit(change: dict[str, float]):
    experiment = SMALL.replace(**change)
    fresh = weights(experiment)
    weights(SMALL.replace(dropout=change.get("dropout", 0.0), seed=experiment.seed if "dropout" in change else 9))
    assert len(step_cache._idle) == 1, "both trainings have the same key"
    assert all(np.array_equal(*pair) for pair in zip(fresh, weights(experiment), strict=True))


@pytest.mark.parametrize(
    "change", [{"units": 5}, {"clip": 2.0}, {"optimiser": "sgd"}, {"dropout": 0.1}, {"batch": 16}, {"layers": 2}]
)
def test_what_the_program_depends_on_changes_the_key(change: dict[str, object]):
    keys = [_key(SMALL), _key(SMALL.replace(**change))]
    assert keys[0] != keys[1]


def test_the_seed_is_in_the_key_only_with_dropout():
    assert _key(SMALL.replace(seed=1)) == _key(SMALL.replace(seed=2))
    assert _key(SMALL.replace(seed=1, dropout=0.1)) != _key(SMALL.replace(seed=2, dropout=0.1))


def _key(experiment: Experiment) -> object:
    model = models.build(experiment, data.interface(experiment))
    return step_cache._cache_key(model, experiment.training, experiment.seed)


def test_two_trainings_at_once_get_different_steps():
    model = models.build(SMALL, data.interface(SMALL))
    with step_cache.cached_step(model, SMALL.training, 0) as one, step_cache.cached_step(model, SMALL.training, 0) as other:
        assert one is not other
    with step_cache.cached_step(model, SMALL.training, 0) as again:
        assert again is one, "the last that was returned"
    for units in range(5, 20):
        wider = models.build(SMALL.replace(units=units), data.interface(SMALL))
        with step_cache.cached_step(wider, SMALL.training, 0):
            pass
    assert len(step_cache._idle) == step_cache.CACHE_SIZE
