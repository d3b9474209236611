"""Commands to a running training: pause, resume, one step, one epoch, stop, new learning rate."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

COMMANDS = ("pause", "resume", "step", "epoch", "stop", "learning_rate")


class Control:
    """Thread-safe: any thread calls `send`; the training loop calls the rest between batches."""

    def __init__(self, on_change: Callable[[str], None] = lambda status: None) -> None:
        self._changed = threading.Condition()
        self._on_change = on_change  # called with "paused" or "running" when that changes
        self._paused = False
        self._pause_after = ""  # "step" or "epoch": pause when it ends
        self._rate: float | None = None
        self.stopped = False

    def listen(self, on_change: Callable[[str], None]) -> None:
        """Replaces the function that is called when the status changes."""
        self._on_change = on_change

    def send(self, command: str, value: float | None = None) -> None:
        """One of COMMANDS; `value` is the new learning rate for "learning_rate"."""
        if command not in COMMANDS:
            raise ValueError(f"command must be one of {', '.join(COMMANDS)}, got {command!r}")
        if command == "learning_rate" and not (value is not None and math.isfinite(value) and 1e-6 <= value <= 10):
            raise ValueError(f"learning_rate must be between 1e-6 and 10, got {value!r}")
        with self._changed:
            if command == "learning_rate":
                self._rate = value
            elif command == "stop":
                self.stopped = True
            else:
                self._paused = command == "pause"
                self._pause_after = command if command in ("step", "epoch") else ""
            self._changed.notify_all()

    @property
    def paused(self) -> bool:
        return self._paused

    def wait(self) -> float:
        """Blocks while paused and not stopped; returns the seconds waited. Called before each batch."""
        if not self._paused or self.stopped:
            return 0.0
        began = time.perf_counter()
        self._on_change("paused")
        with self._changed:
            self._changed.wait_for(lambda: self.stopped or not self._paused)
        self._on_change("running")
        return time.perf_counter() - began

    def learning_rate(self) -> float | None:
        """The learning rate sent since the last call, or None."""
        with self._changed:
            rate, self._rate = self._rate, None
            return rate

    def batch_done(self, epoch_ended: bool) -> None:
        """Pauses after the step or epoch that was commanded. Called after each batch."""
        with self._changed:
            if self._pause_after == "step" or (self._pause_after == "epoch" and epoch_ended):
                self._paused, self._pause_after = True, ""
