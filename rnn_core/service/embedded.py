"""The embedded cluster's own process: `python -m rnn_core.service.embedded --trainers N`.

It prints one line with the scheduler's address and runs until its standard input closes. When the app ends for any reason,
the operating system closes that pipe; scheduler and workers then end, and the scratch folder is removed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import threading
from typing import Any

SETTINGS = {
    "distributed.admin.log-length": 20,  # events that the scheduler keeps: ours carry arrays
    "distributed.admin.low-level-log-length": 100,
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.worker.memory.target": False,  # nothing is spilled to disk: a training that does not fit is ended
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.worker.profile.enabled": False,  # its sampling costs processor time and is not used
    "distributed.comm.timeouts.connect": "20s",
    "distributed.worker.daemon": True,
}

# TensorFlow's threads in the probe worker. Beside a training on 2 cores (LSTM 32, 300 steps), a trace of 64 sequences takes 110 ms
# with one thread and 170 ms with two, gradients 150 and 190 ms; on an idle machine there is no difference.
PROBE_THREADS = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainers", type=int, default=1, help="worker processes that train")
    arguments = parser.parse_args()
    try:
        asyncio.run(_serve(arguments.trainers))
    finally:
        os._exit(0)  # ends the process even if a library's thread still runs


async def _serve(trainers: int) -> None:
    import dask
    from distributed import Scheduler

    dask.config.set(SETTINGS)
    input_closed = _when_input_closes()
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        # Until this line the app may kill the process, so the scratch folder and the workers come after it.
        print(json.dumps({"address": scheduler.address, "pid": os.getpid()}), flush=True)
        with tempfile.TemporaryDirectory(prefix="unrolled-", ignore_cleanup_errors=True) as scratch:
            await _run_workers(scheduler.address, trainers, scratch, input_closed)


async def _run_workers(scheduler: str, trainers: int, scratch: str, input_closed: asyncio.Future[None]) -> None:
    """Run one probe worker and `trainers` training workers until the input closes."""
    from distributed import Nanny

    options: dict[str, Any] = {"preload": ["rnn_core.service.worker_setup"], "local_directory": scratch, "host": "127.0.0.1"}
    share = max(1, (os.cpu_count() or 2) // trainers)
    nannies = [
        Nanny(scheduler, name=name, nthreads=1, env=_environment(threads), memory_limit="auto", **options)
        for name, threads in [("probe", PROBE_THREADS), *((f"train-{n}", share) for n in range(trainers))]
    ]
    starting = asyncio.gather(*nannies)  # starts them
    with contextlib.suppress(asyncio.CancelledError):
        await input_closed
    starting.cancel()
    for nanny in nannies:
        nanny.auto_restart = False  # type: ignore[attr-defined]
        with contextlib.suppress(Exception):
            await asyncio.wait_for(nanny.kill(timeout=0.2), 2)


def _environment(threads: int) -> dict[str, str]:
    """Variables that limit threads and memory; they must be set before TensorFlow loads."""
    return {
        "UNROLLED_TF_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "MALLOC_ARENA_MAX": "2",
        "UNROLLED_COPY_AHEAD": "1",  # prepare IMDB at the start: this machine and its home folder are the app's own
    }


def _when_input_closes() -> asyncio.Future[None]:
    """A future that is cancelled when standard input closes: the parent closed it, or ended."""
    loop = asyncio.get_running_loop()
    closed: asyncio.Future[None] = loop.create_future()

    def wait() -> None:
        with contextlib.suppress(OSError, ValueError):
            while sys.stdin.buffer.read(4096):
                pass
        loop.call_soon_threadsafe(closed.cancel)

    threading.Thread(target=wait, daemon=True).start()
    return closed


if __name__ == "__main__":
    main()
