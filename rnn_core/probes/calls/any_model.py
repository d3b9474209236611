"""A model of either kind, as the probes see it."""

from __future__ import annotations

from typing import Any

from rnn_core.engine.model import Model
from rnn_core.probes.calls.call import CalledModel
from rnn_core.probes.calls.own_model import OwnModel


def called(model: Any) -> CalledModel:
    """Our `Model` or a Keras model. Raises ValueError with a sentence for anything else, and for a model that cannot be probed."""
    if isinstance(model, Model):
        return OwnModel(model)
    from rnn_core.probes.calls.keras_model import KerasModel

    return KerasModel(model)
