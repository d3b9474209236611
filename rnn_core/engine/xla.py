"""One switch for XLA, TensorFlow's compiler, set before it compiles its first program.

LLVM, which makes XLA's machine code, first unrolls every inner loop of a small known length, and afterwards finds no loop in
which to use the processor's vectors: with 32 units most passes over (B, 32) became 32 single additions, copies or products.
With only very short loops unrolled, training steps on reviews take 15, 12 and 8 % less (SimpleRNN, LSTM, GRU; 2 cores).

XLA reads `XLA_FLAGS` once, when it is first used. In a process where it was used before, steps are slower and their results may
differ in the last bits from those of a process where it was not.
"""

from __future__ import annotations

import os

VECTORS = "--xla_backend_extra_options=-unroll-full-max-count=8"


def prefer_vectors() -> None:
    """Put the switch in front of the flags that are set already, which may override it. A file of flags is left alone."""
    flags = os.environ.get("XLA_FLAGS", "").strip()
    if VECTORS not in flags and (not flags or flags.startswith("-")):
        os.environ["XLA_FLAGS"] = f"{VECTORS} {flags}".strip()
