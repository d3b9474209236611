"""A cache of probe results, keyed by function and content of the arguments: each result is computed once for all viewers."""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from rnn_core.service import worker_probes
from rnn_core.service.connection import Connection, dump
from rnn_core.service.problems import exception_of, is_connection_error

MAX_BYTES = 64 * 2**20  # pickled results kept


class ProbeCache:
    """Calls probes on one worker and caches their results. Thread-safe. Calls made before a worker is available wait for one."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._results: OrderedDict[str, tuple[Future[Any], int]] = OrderedDict()  # key → result, its bytes; oldest first
        self._waiting: dict[str, Callable[[], None]] = {}  # key → starts the call
        self._connection: Connection | None = None
        self._worker = ""
        self._sent: set[str] = set()  # keys of the models that the worker was sent
        self._closed = ""  # why no call can be answered any more, or ""

    def use(self, connection: Connection, workers: list[str]) -> None:
        """Probe on one of these workers from now on, the present one if it is among them; start the waiting calls."""
        with self._lock:
            self._connection = connection
            if self._worker not in workers:
                self._worker, self._sent = (workers[0] if workers else ""), set()
            waiting, self._waiting = (self._waiting, {}) if self._worker else ({}, self._waiting)
        for start in waiting.values():
            start()

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Future[Any]:
        """The future of function(*args, **kwargs), shared by all calls with equal arguments."""
        import dask  # noqa: F401 the package first: two threads that import different parts of it at once both fail
        from dask.base import tokenize

        key = tokenize(f"{function.__module__}.{function.__qualname__}", args, dict(kwargs))
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key][0]
            future: Future[Any] = Future()
            if self._closed:
                future.set_exception(ConnectionError(self._closed))
                return future
            future.set_running_or_notify_cancel()  # so that no viewer can cancel a result that others wait for
            self._results[key] = (future, 0)
        self._start(key, future, function, args, kwargs, tries=2)
        return future

    def close(self, reason: str = "The app is closing.") -> None:
        """Fail unfinished and later calls with a ConnectionError of this reason."""
        with self._lock:
            self._closed, self._waiting = reason, {}
            unanswered = [key for key, (future, _) in self._results.items() if not future.done()]
            futures = [self._results.pop(key)[0] for key in unanswered]
        for future in futures:
            _fail(future, ConnectionError(reason))

    def _start(self, key: str, future: Future[Any], function: Any, args: Any, kwargs: Any, tries: int) -> None:
        again = partial(self._start, key, future, function, args, kwargs)
        with self._lock:
            connection, worker = self._connection, self._worker
            if connection is None or not worker or not connection.connected:  # lost, and not yet reported to `use`
                self._waiting[key] = partial(again, tries)
                return
            refer = partial(self._by_reference, send_model=tries < 2)
            try:
                message = dump((function, tuple(map(refer, args)), {name: refer(value) for name, value in kwargs.items()}))
            except Exception as problem:
                self._results.pop(key, None)
                _fail(future, problem)
                return
        asked = connection.submit(worker, True, worker_probes.probe, message)
        asked.add_done_callback(lambda done: self._on_result(key, future, done, again, tries))

    def _by_reference(self, value: Any, send_model: bool) -> Any:
        """A model as a ModelRef, with the model in it if the worker was not sent it or `send_model`; any other value as it is."""
        from dask.base import tokenize

        from rnn_core.engine.model import Model

        if not isinstance(value, Model):
            return value
        key = tokenize(value)
        known = key in self._sent and not send_model
        self._sent.add(key)
        return worker_probes.ModelRef(key, None if known else dump(value))

    def _on_result(self, key: str, future: Future[Any], done: Future[bytes], again: Callable[[int], None], tries: int) -> None:
        problem = exception_of(done)
        if (is_connection_error(problem) or isinstance(problem, worker_probes.UnknownModelError)) and tries > 0:
            again(tries - 1)
        elif problem is not None:
            with self._lock:
                self._results.pop(key, None)  # so that the next call tries again
            _fail(future, problem)
        else:
            message = done.result()
            future.set_result(pickle.loads(message))  # from our own worker
            self._cache(key, future, len(message))

    def _cache(self, key: str, future: Future[Any], size: int) -> None:
        """Record the result's size, and drop the least recently used results beyond `max_bytes`."""
        with self._lock:
            self._results[key] = (future, size)
            total = sum(size for _, size in self._results.values())
            for old in list(self._results):
                if total <= self.max_bytes:
                    break
                if self._results[old][0].done():
                    total -= self._results.pop(old)[1]


def _fail(future: Future[Any], problem: BaseException) -> None:
    if not future.done():
        future.set_exception(problem)
