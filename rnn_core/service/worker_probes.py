"""What runs inside a worker process for a probe: the call, and the models it was sent before."""

from __future__ import annotations

import logging
import pickle
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from rnn_core.service.problems import is_expected

log = logging.getLogger(__name__)
_lock = threading.Lock()
_models: OrderedDict[str, Any] = OrderedDict()  # content key → the one Model object, since probes cache by identity
_MAX_MODELS = 16  # models kept


@dataclass(frozen=True)
class ModelRef:
    """Stands for a model in a probe's arguments; carries the model only when the worker does not have it yet."""

    key: str  # hash of the content
    data: bytes | None  # pickled Model, or None


class ProbeError(Exception):
    """A probe failed in a way that nobody expected; the message names the exception. The worker's log has the traceback."""


class UnknownModelError(Exception):
    """The worker does not have a model that a probe refers to: send the model itself."""


def probe(message: bytes) -> bytes:
    """Call a pickled (function, args, kwargs), with ModelRefs replaced by their models; returns the pickled result.

    Raises what the function raised; ProbeError for a ValueError or LookupError that nobody expected.
    """
    function, args, kwargs = pickle.loads(message)
    args, kwargs = [_resolved(value) for value in args], {name: _resolved(value) for name, value in kwargs.items()}
    try:
        result = function(*args, **kwargs)
    except (ValueError, LookupError) as problem:
        if is_expected(problem):
            raise
        log.exception("a probe failed")
        raise ProbeError(f"{type(problem).__name__}: {problem}") from problem
    return pickle.dumps(result, protocol=5)


def _resolved(value: Any) -> Any:
    """The model of a ModelRef; any other value as it is."""
    if not isinstance(value, ModelRef):
        return value
    with _lock:
        model = _models.get(value.key)
        if model is None:
            if value.data is None:
                raise UnknownModelError(value.key)
            model = _models[value.key] = pickle.loads(value.data)
        _models.move_to_end(value.key)
        while len(_models) > _MAX_MODELS:
            _models.popitem(last=False)
        return model
