"""Probe results by content: the same function of the same arguments is computed once, and shared by all who ask."""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from rnn_core.service import worker as jobs
from rnn_core.service.connection import Link, dump, failure, lost

LARGEST = 64 * 2**20  # bytes of results that are remembered


class ProbeCache:
    """Thread-safe. Calls that come before the workers are there wait for them."""

    def __init__(self, largest: int = LARGEST) -> None:
        self.largest = largest
        self._lock = threading.Lock()
        self._results: OrderedDict[str, tuple[Future[Any], int]] = OrderedDict()  # key → result, its size in bytes
        self._waiting: dict[str, Callable[[], None]] = {}
        self._link: Link | None = None
        self._worker = ""
        self._sent: set[str] = set()  # models that the worker was sent
        self._closed = ""  # why nobody will answer any more

    def use(self, link: Link, workers: list[str]) -> None:
        """Probe on one of these workers from now on; none when there are none."""
        with self._lock:
            self._link = link
            if self._worker not in workers:
                self._worker, self._sent = (workers[0] if workers else ""), set()
            waiting, self._waiting = (self._waiting, {}) if self._worker else ({}, self._waiting)
        for start in waiting.values():
            start()

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Future[Any]:
        import dask  # noqa: F401 the whole of it first: two threads that enter it by different doors both fail
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
            future.set_running_or_notify_cancel()  # one viewer's loss of interest must not cancel another's answer
            self._results[key] = (future, 0)
        self._start(key, future, function, args, kwargs, tries=2)
        return future

    def close(self, words: str = "The app is closing.") -> None:
        """Whoever still waits is told so; whoever asks later is told at once."""
        with self._lock:
            self._closed, self._waiting = words, {}
            unanswered = [key for key, (future, _) in self._results.items() if not future.done()]
            futures = [self._results.pop(key)[0] for key in unanswered]
        for future in futures:
            _fail(future, ConnectionError(words))

    def _start(self, key: str, future: Future[Any], function: Any, args: Any, kwargs: Any, tries: int) -> None:
        again = partial(self._start, key, future, function, args, kwargs)
        with self._lock:
            link, worker = self._link, self._worker
            if link is None or not worker or not link.connected:  # the cluster may be gone before its workers are known to be
                self._waiting[key] = partial(again, tries)
                return
            refer = partial(self._refer, whole=tries < 2)
            try:
                message = dump((function, tuple(map(refer, args)), {name: refer(value) for name, value in kwargs.items()}))
            except Exception as problem:
                self._results.pop(key, None)
                _fail(future, problem)
                return
        asked = link.submit(worker, True, jobs.probe, message)
        asked.add_done_callback(lambda done: self._arrived(key, future, done, again, tries))

    def _refer(self, value: Any, whole: bool) -> Any:
        """A model as a reference to what the worker holds; anything else as it is."""
        from dask.base import tokenize

        from rnn_core.engine.model import Model

        if not isinstance(value, Model):
            return value
        key = tokenize(value)
        known = key in self._sent and not whole
        self._sent.add(key)
        return jobs.ModelRef(key, None if known else dump(value))

    def _arrived(self, key: str, future: Future[Any], done: Future[bytes], again: Callable[[int], None], tries: int) -> None:
        problem = failure(done)
        if (lost(problem) or isinstance(problem, jobs.NotHeldError)) and tries > 0:
            again(tries - 1)
        elif problem is not None:
            with self._lock:
                self._results.pop(key, None)  # the next who asks tries anew
            _fail(future, problem)
        else:
            message = done.result()
            future.set_result(pickle.loads(message))  # from our own worker
            self._remember(key, future, len(message))

    def _remember(self, key: str, future: Future[Any], size: int) -> None:
        with self._lock:
            self._results[key] = (future, size)
            total = sum(size for _, size in self._results.values())
            for old in list(self._results):
                if total <= self.largest:
                    break
                if self._results[old][0].done():
                    total -= self._results.pop(old)[1]


def _fail(future: Future[Any], problem: BaseException) -> None:
    if not future.done():
        future.set_exception(problem)
