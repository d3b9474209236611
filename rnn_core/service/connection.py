"""The connection to the workers: starts the embedded cluster or joins the named one, and starts again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import pickle
import select
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds for the embedded scheduler to say its address, and for a worker to answer
POLL = 1.0  # seconds between two looks at who is there
RETRIES = 5  # starts in a row that may fail


@dataclass(frozen=True)
class Worker:
    """One worker process."""

    address: str  # tcp://…
    name: str  # "probe", "train-0", or what its owner called it
    threads: int


class Link:
    """Owns the Dask client. The callbacks are called from its threads and must return quickly.

    Args:
        scheduler: address of an existing cluster; "" starts one here.
        trainers: training workers of an embedded cluster.
        log: file for what the workers print.
        on_event: gets each event's bytes.
        on_workers: gets the workers whenever they change; none when the cluster is gone.
        on_gone: gets the address of a worker that the scheduler has just lost.
        on_state: gets "starting", "ready" or "failed", and a sentence.
    """

    def __init__(
        self,
        scheduler: str,
        trainers: int,
        log: Path,
        on_event: Callable[[bytes], None],
        on_workers: Callable[[tuple[Worker, ...]], None],
        on_gone: Callable[[str], None],
        on_state: Callable[[str, str], None],
    ) -> None:
        self.scheduler, self.trainers, self.log = scheduler, trainers, log
        self.on_event, self.on_workers, self.on_gone, self.on_state = on_event, on_workers, on_gone, on_state
        self.topic = f"unrolled-{uuid.uuid4().hex}"
        self.workers: tuple[Worker, ...] = ()
        self._client: Any = None
        self._leaving: set[str] = set()  # workers that are being started afresh
        self._process: subprocess.Popen[bytes] | None = None
        self._closed, self._hinted = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="unrolled-link", daemon=True)
        self._thread.start()

    # ---------------------------------------------------------------- what the service asks for

    @property
    def connected(self) -> bool:
        """Whether there is a cluster to ask; workers are told of (`on_workers`) each time there is one again."""
        return self._client is not None

    def run(self, worker: str, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Call a function on a worker's event loop, at once, whatever it computes. The future may fail with anything."""

        async def ask(client: Any) -> Any:
            return (await asyncio.wait_for(client._run(function, *args, workers=[worker]), PATIENCE))[worker]

        return self._later(ask)

    def submit(self, worker: str, elsewhere: bool, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function in a worker's thread; in another's if that worker goes and `elsewhere` allows it. May be cancelled."""

        async def ask(client: Any) -> Any:
            task = client.submit(function, *args, workers=[worker], allow_other_workers=elsewhere, pure=False, **kwargs)
            try:
                return await task
            finally:
                task.release()

        return self._later(ask)

    def restart(self, worker: str) -> None:
        """End a worker of the embedded cluster and start it afresh, under another address."""

        async def ask(client: Any) -> Any:
            try:
                await client._restart_workers([worker], timeout=PATIENCE, raise_for_error=False)
            finally:
                self._leaving.discard(worker)
                self._hinted.set()  # it may be there as before, if it could not be ended

        self._leaving.add(worker)
        self._later(ask)

    def close(self) -> None:
        """End the connection, and the embedded cluster with it."""
        self._closed.set()
        self._hinted.set()
        self._thread.join(15)

    def _later(self, ask: Callable[[Any], Coroutine[Any, Any, Any]]) -> Future[Any]:
        client = self._client
        if client is None:
            failed: Future[Any] = Future()
            failed.set_exception(ConnectionError("the workers are not there"))
            return failed
        return asyncio.run_coroutine_threadsafe(ask(client), client.loop.asyncio_loop)

    # ---------------------------------------------------------------- life

    def _supervise(self) -> None:
        failures = 0
        while not self._closed.is_set() and failures < RETRIES:
            began = time.monotonic()
            try:
                self._connect()
                self._watch()
                problem = "The workers stopped"
            except Exception as error:  # whatever it is, the next start may do better
                problem = f"The workers did not start ({type(error).__name__}: {error})"
            self._disconnect()
            failures = 1 if time.monotonic() - began > 120 else failures + 1
            if not self._closed.is_set():
                self._state("starting", f"{problem}; starting them again.")
                self._closed.wait(min(30.0, 0.5 * 2**failures))
        if not self._closed.is_set():
            where = f"the cluster at {self.scheduler}" if self.scheduler else f"the workers; {self.log} says why"
            self._state("failed", f"Could not reach {where}. Restart the app to try again.")

    def _connect(self) -> None:
        self._state("starting", "The workers are starting.")
        quieten()
        self._client = self._meet(self.scheduler or self._start_process())

    def _meet(self, address: str) -> Any:
        """A client of the cluster there."""
        import dask
        from distributed import Client

        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
        client = Client(address, set_as_default=False, timeout=PATIENCE, direct_to_workers=False)
        client.subscribe_topic(self.topic, lambda event: self.on_event(event[1]))
        client.subscribe_topic("all", self._hint)
        return client

    def _renew(self) -> None:
        """The connection broke. Dask's client connects again by itself, but its tasks count as cancelled and events were lost:
        take another, and bring to the workers anew what they were busy with."""
        old = self._client
        self.on_workers(())  # first: nothing is brought there in between
        self._client = self._meet(old.scheduler.address)
        with contextlib.suppress(Exception):
            old.close(timeout=2)

    def _start_process(self) -> str:
        """The embedded cluster's address, once it is up."""
        root = str(Path(__file__).parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rnn_core.service.embedded", "--trainers", str(self.trainers)],
                stdin=subprocess.PIPE,  # never written to: it closes when this process ends
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"},
                start_new_session=True,  # Ctrl-C in a terminal is for the app
            )
        return str(json.loads(_first_line(self._process, PATIENCE))["address"])

    def _watch(self) -> None:
        """Returns when the cluster is gone or close() was called."""
        failures, known, line = 0, None, self._client.scheduler_comm
        while not self._closed.is_set() and failures < 3:
            if self._process is not None and self._process.poll() is not None:
                return
            if self._client.scheduler_comm is not line:
                self._renew()
                known, line = None, self._client.scheduler_comm
            try:
                found = tuple(worker for worker in self._later(_workers).result(10) if worker.address not in self._leaving)
                failures = 0
            except Exception:  # the scheduler is busy, or gone
                failures += 1
                continue
            if found != known:
                known = self.workers = found
                self.on_workers(found)
                ready = ("ready", "") if found else ("starting", "The workers are starting.")
                self._state(*ready)
            if self._hinted.wait(POLL):
                self._hinted.clear()
                known = None  # whoever left may be back under the same address

    def _hint(self, event: tuple[float, Any]) -> None:
        """A worker came or went, says the scheduler: look at once."""
        action = event[1].get("action") if isinstance(event[1], dict) else None
        if action == "remove-worker":
            self.on_gone(str(event[1]["worker"]))
        if action in ("add-worker", "remove-worker"):
            self._hinted.set()

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
        if client is not None:
            with contextlib.suppress(Exception):
                client.close(timeout=2)
        if process is not None:
            try:
                process.wait(8)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.workers:
            self.workers = ()
            self.on_workers(())

    def _state(self, state: str, message: str) -> None:
        self.on_state(state, message)


async def _workers(client: Any) -> tuple[Worker, ...]:
    identity = await client.scheduler.identity(n_workers=-1)
    found = [Worker(address, str(about["name"]), int(about["nthreads"])) for address, about in identity["workers"].items()]
    return tuple(sorted(found, key=lambda worker: worker.address))


def _first_line(process: subprocess.Popen[bytes], patience: float) -> bytes:
    """The first line that the process prints; TimeoutError or RuntimeError when there is none."""
    assert process.stdout is not None
    if os.name == "posix":
        ready, _, _ = select.select([process.stdout], [], [], patience)
        if not ready:
            process.kill()
            raise TimeoutError(f"nothing was heard for {patience:g} s")
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the process ended with code {process.wait()}")
    return line


def failure(done: Future[Any]) -> BaseException | None:
    """What a future failed with, being cancelled included; None when it did not."""
    return CancelledError() if done.cancelled() else done.exception()


def lost(problem: BaseException | None) -> bool:
    """Whether a future failed because a worker or the cluster went away, not because of what it ran."""
    gone = ("CancelledError", "FutureCancelledError", "KilledWorker", "CommClosedError", "ClosedClientError")
    ours = isinstance(problem, (ConnectionError, TimeoutError)) or type(problem).__name__ in gone
    return problem is not None and ours


def quieten() -> None:
    """Lost connections are told to the viewer in our own words; Dask need not log them too."""
    for name in ("distributed", "distributed.client", "distributed.comm", "distributed.core", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def dump(value: Any) -> bytes:
    """Between our own processes only; never for what a user brings."""
    return pickle.dumps(value, protocol=5)
