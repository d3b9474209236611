"""A Dask cluster that the app did not start: a scheduler and workers, each a process on this machine."""

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
    """Start a scheduler with these workers; yields its address. All are ended with the block.

    Args:
        folder: holds the address and the workers' scratch files.
        workers: command-line options of each.
        environment: variables added to this process's own.
    """
    file, started = folder / "scheduler.json", []

    def start(*arguments: str) -> None:
        command, variables = [sys.executable, "-m", *arguments, "--no-dashboard"], {**os.environ, **environment}
        started.append(subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    try:
        start("distributed.cli.dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--scheduler-file", str(file))
        until(lambda: file.exists() and file.read_text().rstrip().endswith("}"))  # the scheduler writes it in parts
        address = json.loads(file.read_text())["address"]
        for options in workers:
            scratch = ("--nthreads", "1", "--local-directory", str(folder / "scratch"))
            start("distributed.cli.dask_worker", address, "--no-nanny", *scratch, *options)
        yield address
    finally:
        for process in reversed(started):
            process.kill()  # on a terminate signal, a worker would first finish its training
            process.wait(20)
