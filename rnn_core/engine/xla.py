"""Sets one flag of XLA, TensorFlow's compiler, before it compiles its first program.

LLVM, which generates XLA's machine code, unrolls every inner loop of a small static length before it vectorises: with 32 units
most passes over (B, 32) became 32 scalar operations. With only very short loops unrolled, training steps on reviews take 15,
12 and 8 % less time (SimpleRNN, LSTM, GRU; 2 cores).

XLA reads `XLA_FLAGS` once, at its first use. In a process that used XLA before this module was imported, steps are slower and
results may differ in the last bits.
"""

from __future__ import annotations

import os

VECTORS = "--xla_backend_extra_options=-unroll-full-max-count=8"


def prefer_vectors() -> None:
    """Puts the flag before those already in XLA_FLAGS, which may override it. A file name in XLA_FLAGS is left unchanged."""
    flags = os.environ.get("XLA_FLAGS", "").strip()
    if VECTORS not in flags and (not flags or flags.startswith("-")):
        os.environ["XLA_FLAGS"] = f"{VECTORS} {flags}".strip()
