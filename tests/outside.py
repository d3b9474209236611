"""A Dask cluster that no app started: a scheduler and workers, each a process of its own on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.watching import until

WARM = ("--preload", "rnn_core.service.worker_setup")


@contextmanager
def cluster(folder: Path, workers: Sequence[Sequence[str]], environment: Mapping[str, str]) -> Iterator[str]:
    """Address of a scheduler with these workers; all end with the block.

    Args:
        folder: for the address and the workers' scratch files.
        workers: options of each.
        environment: variables besides this process's own.
    """
    file, started = folder / "scheduler.json", []

    def start(*words: str) -> None:
        command, variables = [sys.executable, "-m", *words, "--no-dashboard"], {**os.environ, **environment}
        started.append(subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    try:
        start("distributed.cli.dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--scheduler-file", str(file))
        until(file.exists)
        address = json.loads(file.read_text())["address"]
        for options in workers:
            scratch = ("--nthreads", "1", "--local-directory", str(folder / "scratch"))
            start("distributed.cli.dask_worker", address, "--no-nanny", *scratch, *options)
        yield address
    finally:
        for process in reversed(started):
            process.kill()  # asked politely, a worker would first finish what it trains
            process.wait(20)
