"""The app and its workers in a process of their own, on a free port."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """One `streamlit run app.py`; `home` holds its runs and its log."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home, self.port, self._known = home, free_port(), 0
        self.environment = {**os.environ, "UNROLLED_HOME": str(home), **environment}
        self.url = f"http://localhost:{self.port}"
        self.seconds = self.start()

    def start(self) -> float:
        """Start the server; return the seconds until it answers."""
        began = time.monotonic()
        command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            "--server.port",
            str(self.port),
            "--server.headless",
            "true",
        ]
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
        while time.monotonic() < began + 60:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                if urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).read() == b"ok":
                    return time.monotonic() - began
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"the app did not start:\n{self.log()}")

    def log(self) -> str:
        return (self.home / "server.log").read_text(errors="replace")

    def caught(self) -> list[str]:
        """What the log says about exceptions caught in sections of pages since the last call, with the tracebacks. Each is a fault."""
        entries = [f"caught in section{entry[:4000]}" for entry in self.log().split("caught in section")[1:]]
        fresh, self._known = entries[self._known :], len(entries)
        return fresh

    def stop(self, kill: bool = False) -> None:
        """End the app and every process it started; `kill` ends it without clean-up."""
        children = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        self.process.kill() if kill else self.process.terminate()
        self.process.wait(20)
        _, alive = psutil.wait_procs(children, timeout=5)
        for child in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def web_process_libraries(self) -> set[str]:
        """Paths of all files that the web process (not its workers) has mapped into memory."""
        return {region.path for region in psutil.Process(self.process.pid).memory_maps(grouped=True)}

    def web_process_megabytes(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20
