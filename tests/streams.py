"""Functions that tests run on workers, which import them from here."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np


def count(last: int, pause: float = 0.02) -> Iterator[int]:
    for n in range(last):
        time.sleep(pause)
        yield n


def fail(message: str) -> Any:
    raise ValueError(message)


def process_id(salt: int = 0) -> int:
    return os.getpid()


def priority(salt: int = 0) -> int:
    return os.nice(0)


def parameters(model: Any, salt: int = 0) -> int:
    return int(model.parameters)


def break_numpy(salt: int = 0) -> Any:
    return np.zeros(3) + np.zeros(4)


def break_a_table(salt: int = 0) -> Any:
    return {"known": 1}["something long that is not there"]
