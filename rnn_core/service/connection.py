"""The Dask client: starts the embedded cluster or connects to an existing one, and starts or connects again when it is lost."""

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
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT = 60.0  # seconds for the embedded scheduler to print its address, and for a worker to answer
POLL_SECONDS = 1.0  # between two queries of the scheduler for its workers
STARTING = "The workers are starting."
MAX_FAILED_STARTS = 5  # in a row, after which the state is "failed"


@dataclass(frozen=True)
class Worker:
    """One worker process."""

    address: str  # tcp://…
    name: str  # "probe", "train-0", or any name in a cluster that was not started here


class Connection:
    """Owns the Dask client and the embedded cluster. The callbacks are called from its threads and must return quickly.

    Args:
        scheduler: address of an existing cluster; "" starts one here.
        trainers: training workers of an embedded cluster.
        log: file for the standard error of the embedded cluster.
        on_event: called with the bytes of each event that a worker logs under `topic`.
        on_workers: called with the workers whenever they change; none when the cluster is lost.
        on_worker_lost: called with the address of a worker that the scheduler has just lost.
        on_state: called with "starting", "ready" or "failed", and a sentence.
    """

    def __init__(
        self,
        scheduler: str,
        trainers: int,
        log: Path,
        on_event: Callable[[bytes], None],
        on_workers: Callable[[tuple[Worker, ...]], None],
        on_worker_lost: Callable[[str], None],
        on_state: Callable[[str, str], None],
    ) -> None:
        self.scheduler, self.trainers, self.log = scheduler, trainers, log
        self.on_event, self.on_workers, self.on_worker_lost, self.on_state = on_event, on_workers, on_worker_lost, on_state
        self.topic = f"unrolled-{uuid.uuid4().hex}"
        self.workers: tuple[Worker, ...] = ()
        self._client: Any = None
        self._restarting: set[str] = set()  # addresses of workers that are being restarted
        self._process: subprocess.Popen[bytes] | None = None
        self._closed, self._query_now = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="unrolled-connection", daemon=True)
        self._thread.start()

    # ---------------------------------------------------------------- calls to workers

    @property
    def connected(self) -> bool:
        """Whether there is a client. `on_workers` is called each time a cluster is available again."""
        return self._client is not None

    def run(self, worker: str, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Call a function on a worker's event loop, at once, even while a training runs there. The future may fail with any exception."""

        async def call(client: Any) -> Any:
            return (await asyncio.wait_for(client._run(function, *args, workers=[worker]), TIMEOUT))[worker]

        return self._run_on_client(call)

    def submit(
        self, worker: str, allow_other_workers: bool, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Run a function as a task in a worker's thread; on another worker if this one is lost and `allow_other_workers` is true.

        Cancelling the future cancels the task.
        """

        async def call(client: Any) -> Any:
            task = client.submit(function, *args, workers=[worker], allow_other_workers=allow_other_workers, pure=False, **kwargs)
            try:
                return await task
            finally:
                task.release()

        return self._run_on_client(call)

    def restart(self, worker: str) -> None:
        """Restart a worker of the embedded cluster; it comes back under another address."""

        async def call(client: Any) -> Any:
            try:
                await client._restart_workers([worker], timeout=TIMEOUT, raise_for_error=False)
            finally:
                self._restarting.discard(worker)
                self._query_now.set()  # it may still be there, if it could not be ended

        self._restarting.add(worker)
        self._run_on_client(call)

    def close(self) -> None:
        """Close the client and end the embedded cluster."""
        self._closed.set()
        self._query_now.set()
        process = self._process
        self._thread.join(3 if process or self._client else 1)  # it may wait for an answer of a slow or foreign cluster
        if self._thread.is_alive():
            _end(process)

    def _run_on_client(self, call: Callable[[Any], Coroutine[Any, Any, Any]]) -> Future[Any]:
        client = self._client
        if client is None:
            failed: Future[Any] = Future()
            failed.set_exception(ConnectionError("there is no connection to the workers"))
            return failed
        return asyncio.run_coroutine_threadsafe(call(client), client.loop.asyncio_loop)

    # ---------------------------------------------------------------- connecting, watching, connecting again

    def _supervise(self) -> None:
        """Connect and watch; after a failure connect again, until `close` or MAX_FAILED_STARTS failures in a row."""
        failures = 0
        while not self._closed.is_set() and failures < MAX_FAILED_STARTS:
            began = time.monotonic()
            try:
                self._connect()
                self._watch()
                problem = "The workers stopped"
            except Exception as error:  # any failure: the next start may succeed
                problem = f"The workers did not start ({type(error).__name__}: {error})"
            self._disconnect()
            failures = 1 if time.monotonic() - began > 120 else failures + 1
            if not self._closed.is_set():
                self.on_state("starting", f"{problem}; starting them again.")
                self._closed.wait(min(30.0, 0.5 * 2**failures))
        if not self._closed.is_set():
            where = f"the cluster at {self.scheduler}" if self.scheduler else f"the workers; the reason is in {self.log}"
            self.on_state("failed", f"Could not reach {where}. Restart the app to try again.")

    def _connect(self) -> None:
        self.on_state("starting", STARTING)
        silence_dask()
        self._client = self._new_client(self.scheduler or self._start_process())

    def _new_client(self, address: str) -> Any:
        """A client of the cluster at this address."""
        import dask
        from distributed import Client

        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
        client = Client(address, set_as_default=False, timeout=TIMEOUT, direct_to_workers=False)
        client.subscribe_topic(self.topic, lambda event: self.on_event(event[1]))
        client.subscribe_topic("all", self._on_scheduler_event)
        return client

    def _replace_client(self) -> None:
        """Take another client after the connection broke, and report no workers, so that their jobs are requeued.

        Dask's client connects again by itself, but its tasks then count as cancelled and events were lost.
        """
        old = self._client
        self.on_workers(())  # first, so that no job is sent in between
        self._client = self._new_client(old.scheduler.address)
        with contextlib.suppress(Exception):
            old.close(timeout=2)

    def _start_process(self) -> str:
        """Start the embedded cluster; returns its address once it is up."""
        root = str(Path(__file__).parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rnn_core.service.embedded", "--trainers", str(self.trainers)],
                stdin=subprocess.PIPE,  # never written to: the system closes it when this process ends, and the cluster ends
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"},
                start_new_session=True,  # Ctrl-C in a terminal goes to the app alone
            )
        return str(json.loads(_first_line(self._process, TIMEOUT, self._closed))["address"])

    def _watch(self) -> None:
        """Report changes of the workers; returns when the cluster is lost or `close` was called."""
        failures, known, comm = 0, None, self._client.scheduler_comm
        while not self._closed.is_set() and failures < 3:
            if self._process is not None and self._process.poll() is not None:
                return
            if self._client.scheduler_comm is not comm:
                self._replace_client()
                known, comm = None, self._client.scheduler_comm
            try:
                workers = self._run_on_client(_workers).result(10)
                found = tuple(worker for worker in workers if worker.address not in self._restarting)
                failures = 0
            except Exception:  # the scheduler is busy or lost
                failures += 1
                self._closed.wait(0.5)  # a query that fails at once must not use up all tries in an instant
                continue
            if found != known:
                known = self.workers = found
                self.on_workers(found)
                self.on_state("ready" if found else "starting", "" if found else STARTING)
            if self._query_now.wait(POLL_SECONDS):
                self._query_now.clear()
                known = None  # report again: a worker that left may be back under the same address

    def _on_scheduler_event(self, event: tuple[float, Any]) -> None:
        """The scheduler reports that a worker joined or left: query the workers at once."""
        action = event[1].get("action") if isinstance(event[1], dict) else None
        if action == "remove-worker":
            self.on_worker_lost(str(event[1]["worker"]))
        if action in ("add-worker", "remove-worker"):
            self._query_now.set()

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()  # the cluster ends while the client closes
        if client is not None:
            with contextlib.suppress(Exception):
                client.close(timeout=2)
        _end(process)
        if self.workers:
            self.workers = ()
            self.on_workers(())


def _end(process: subprocess.Popen[bytes] | None) -> None:
    """End the embedded cluster: it ends by itself when its standard input closes, unless it is stuck."""
    if process is None:
        return
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError, ValueError):
                pipe.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def _workers(client: Any) -> tuple[Worker, ...]:
    identity = await client.scheduler.identity(n_workers=-1)
    found = [Worker(address, str(about["name"])) for address, about in identity["workers"].items()]
    return tuple(sorted(found, key=lambda worker: worker.address))


def _first_line(process: subprocess.Popen[bytes], timeout: float, closed: threading.Event) -> bytes:
    """The first line that the process prints.

    Raises TimeoutError after `timeout` seconds, RuntimeError when the process ends before, or as soon as `closed` is set.
    """
    assert process.stdout is not None
    if os.name == "posix":
        deadline = time.monotonic() + timeout
        while not select.select([process.stdout], [], [], 0.1)[0]:
            late = time.monotonic() > deadline
            if late or closed.is_set():
                process.kill()  # it has no workers yet: it prints its address before it starts them
                raise TimeoutError(f"the process printed nothing for {timeout:g} s") if late else RuntimeError("closed")
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the process ended with code {process.wait()}")
    return line


def silence_dask() -> None:
    """Turn off Dask's log of lost connections: viewers get one sentence instead (`on_state`)."""
    for name in ("distributed", "distributed.client", "distributed.comm", "distributed.core", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def dump(value: Any) -> bytes:
    """A value as pickled bytes, for messages between our own processes; never for data from a user."""
    return pickle.dumps(value, protocol=5)
