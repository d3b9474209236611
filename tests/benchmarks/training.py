"""Time of one training step: ours, with the norm of every state's gradient, against Keras `fit`, Keras with XLA, and PyTorch.

    python -m tests.benchmarks.training [--json] [--rounds N] [--cells simple_rnn,lstm,gru]

One process, interleaved rounds, medians. Every column does the same work on the same data: batch 64, Adam, a yes/no head;
textbook: Embedding(10000, 32) and 500 steps; floats: 2 numbers per step and 200 steps. Each figure is milliseconds per step
in runs of `STEPS` steps, so that what Keras spends at the start of a `fit` hardly counts, each after a pause, in which the
threads of the column before fall asleep; "first" is the first step of ours, with tracing and compilation.

What was tried (2 cores, batch 64, T = 500, H = 32; milliseconds for forward and backward of the recurrence alone, on a machine
that was never quite quiet):

- plain graph against XLA: SimpleRNN 23 / 11, LSTM 63 / 33, GRU 66 / 28. XLA compiles in 0.4 to 0.8 s. Kept XLA.
- LSTM's four gates in one tanh (σ(x) = (1 + tanh(x/2))/2) and one stacked buffer: forward 20 → 12.5. Kept.
- local derivatives inside the backward loop instead of for all steps before it: LSTM 45 instead of 33 (the fused join of four
  products is recomputed). Not kept.
- writing gates over the projected inputs, and deltas over the gates, to save buffers: forward the same; in the backward loop XLA
  copies the whole buffer at every step, 500 ms and more. Not kept.
- (G, B) instead of (B, G), flat rows, 4 steps per iteration, 512-bit vectors, fast-math, single-threaded Eigen, XNNPACK off, the
  experimental LLVM matmul, a matmul written as a sum of rank-one updates: nothing beyond the noise, or slower.
- malloc without mmap, one arena: no change; huge pages for the heap: 10 % off the loop alone, nothing off the step. Not kept.
  With thresholds of 32 MB (glibc ignores larger ones) LSTM's loops alone go from 9.2 to 5.8, the step stays at 23. Not kept.
- XLA's switches for Eigen's threads, oneDNN, the thunk runtime, the scheduler, 512-bit vectors, with two halves: all within the
  noise. A GRU's four kept numbers in one buffer, σ as σ instead of tanh: 4.0 → 3.6 of its forward loop, 23 of the step. Not kept.
- NumPy's forward loop of a SimpleRNN (32 × 500 × 32) takes as long as XLA's, 1.6: the loop is at what one core gives.
- two halves of the batch side by side instead of one loop over all of it, which leaves the second core idle: whole steps of
  SimpleRNN, LSTM, GRU 13.1, 35.6, 34.0 → 11.2, 28.1, 25.8. Kept. Needs two intra-op threads: with one the halves queue.
- each token of the vocabulary projected once, rows gathered and their deltas summed per token, instead of every position:
  9.9, 27.4, 25.5 → 8.5, 24.5, 19.7 for everything but the optimiser. Kept. Only the tokens that occur (a third of them), found
  on the host in 0.07 ms and padded to a capacity that seldom changes: LSTM 20.5 → 19.8, GRU 17.8 → 16.8. Kept.
- the embedding's gradient, from those rows to all of the vocabulary: by unsorted_segment_sum on one thread 0.32; by a gather
  with each word's place, and one free place of zeros, too little to measure. SimpleRNN at 200 masked steps 5.7 → 4.4. Kept.
- local derivatives written by the forward loop instead of a pass of their own: 8.2, 24.4, 20.1 → 8.9, 23.2, 19.4. Not kept
  for 4 %: what the forward loop saves would no longer be the gates.
- the sum per token by scatter_nd, a resource's scatter, a sparse matmul or a sort: slower. Inside XLA: 5.0 → 2.1 alone
  (128 columns); not tried inside the step.
- the backward loop's product with the kernel transposed beforehand, from the left, or gate by gate: 6.0, 6.5, 8.3 ms against 6.2.
- Where the time goes in LSTM's forward step (25 µs): matmul 7, activations 6, writing what backward needs 7, the rest 5.
- fewer operations per step of the loop. XLA runs a loop's body in order on one thread when it has at most eight; a longer one
  is handed from thread to thread, and a matmul whose data lie in the other core's cache takes 10 µs instead of 4. The backward
  loops of LSTM and GRU had 14 and 8, and now have 8 and 6: they write nothing but the gradient of the state, and the inputs'
  gradients are computed from that for all steps at once; the recurrent kernel comes transposed. Kept.
- the way back in blocks of at most 50 steps, each with its factors, its share of the weights' gradients and its tokens' rows,
  so that nothing of (T, B, 4H) leaves the cache: LSTM 25.6 → 23.1, GRU 23.3 → 19.4. Kept. (What stood here before, that this
  gives nothing within the whole step, was wrong: T was not known when the graph was built, and all was one block.)
- what the forward loop saves, in one array with a single write: LSTM 23.5; in six arrays with six writes: 20.5. Kept. The
  products of a block read one of six interleaved arrays at a quarter of the speed of an array of its own.
- GRU's three equal parts side by side times one array of factors: XLA makes a broadcast of it, 15 µs per step instead of 8.
  Rows gathered inside the loop: XLA joins that with the tanh, 8 µs instead of 3. Neither kept.
- inputs multiplied by their kernel, and that kernel's gradient summed, in the blocks too, instead of arrays of all steps: floats
  3.8, 9.1, 7.7 → 2.9, 8.4, 6.9. Kept. Of the sum for a bias XLA makes a window there, 180 µs per block; as the kernel of one
  more input that is always 1 it costs next to nothing.
- a masked step chosen by arithmetic instead of by `where`, beside which XLA runs tanh at half its speed: SimpleRNN on reviews
  5.4 → 4.8. Kept where every number is bounded, so that the arithmetic is exact.
- what LSTM's and GRU's forward loops keep written at once, so that they too have at most eight operations: a stack in one array of
  six parts 8.7 → 10.3, 7.7 → 7.7; six writes into one array: no change. Not kept.
- XLA's own division of a pass between threads (there is work on both cores already) switched off, or blocks of 10 to 25 steps,
  too small for it; the two halves as one XLA program (reviews 5.9 → 7.9); threads pinned to cores (4 %); the next batch made
  ready by another thread meanwhile (0 to 5 %); tiny numbers flushed to zero: noise, or slower. None kept.
- a thread within operations and two between: floats SimpleRNN 3.6 → 2.5, textbook 8.5 → 7.2; but LSTM 20 → 30, GRU 17 → 27:
  a block hands its inner loop to that thread, and there the two halves queue. Not kept. Threads that sleep instead of spinning when
  they have nothing to do: floats 3.6 → 3.3, 8.4 → 8.2, 7.5 → 6.8; TensorFlow 2 has no public switch for it. Not kept.
- the step's concrete function called directly; XLA's scheduler, its small loops in one kernel, its older emitters: noise or slower.
- LLVM kept from unrolling inner loops of up to 32 passes, which it then does not turn into vectors (`rnn_core/engine/xla.py`): steps on
  reviews 4.9 → 4.1, 11.2 → 9.8, 8.5 → 7.8 with 32 units, the same with 4 to 8 or with 64 and more. Kept. It is set for the whole
  process, so Keras's columns here have it too.
- joining the halves' gradients, their norm and Adam in one XLA program: 4.05 → 4.35. Not kept. Norms before the embedding's
  gradient is spread over the vocabulary, padding in front of a batch without `np.pad`: together about 3 %. Kept.
- loops without maximum_iterations; GRU's kernel gradient from one stacked factor instead of two joins: within the noise.
- norms of the state gradients inside the backward loop or from the stacked gradients after it: no difference. Kept after.
- the embedding's gradient outside XLA, as one segment sum; Adam as TensorFlow's fused kernel.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from rnn_core.data.sequences import Batch
from rnn_core.engine.model import Model, build
from rnn_core.spec.experiment import CELLS, Experiment
from rnn_core.spec.interface import Interface

STEPS, BATCH, UNITS = 40, 64, 32
REST = 0.5  # seconds before every column
ROWS = {"textbook": (Interface("tokens", 10_000, 1, "binary"), 500), "floats": (Interface("floats", 2, 1, "binary"), 200)}
TARGETS = {"textbook": {"simple_rnn": 5.0, "lstm": 2.8, "gru": 4.5}, "floats": {"simple_rnn": 2.0, "lstm": 1.8, "gru": 3.5}}

Run = Callable[[], object]  # STEPS training steps


def data(interface: Interface, length: int) -> tuple[np.ndarray, np.ndarray]:
    """STEPS batches of inputs and targets. Tokens follow Zipf's law, as words do."""
    rng, count = np.random.default_rng(0), 8 * BATCH
    if interface.inputs == "tokens":
        inputs: np.ndarray = (1 + rng.zipf(1.3, (count, length)) % (interface.input_size - 1)).astype(np.int32)
    else:
        inputs = rng.normal(size=(count, length, interface.input_size)).astype(np.float32)
    targets = rng.integers(0, 2, (count, 1)).astype(np.float32)
    times = STEPS // 8
    return np.concatenate([inputs] * times), np.concatenate([targets] * times)


def ours(model: Model, inputs: np.ndarray, targets: np.ndarray) -> tuple[Run, float]:
    """STEPS steps, and the seconds of the first one."""
    from rnn_core.training.step import TrainingStep

    training_step = TrainingStep(model, Experiment().training, seed=0)
    parts = [slice(n, n + BATCH) for n in range(0, len(inputs), BATCH)]
    first = _time(lambda: training_step.step(Batch(inputs[:BATCH], None, targets[:BATCH])))
    return lambda: [training_step.step(Batch(inputs[part], None, targets[part])) for part in parts], first


def keras_fit(model: Model, inputs: np.ndarray, targets: np.ndarray, jit: bool) -> Run:
    network = model.to_keras()
    network.compile("adam", "binary_crossentropy", metrics=["accuracy"], jit_compile=jit or "auto")
    return lambda: network.fit(inputs, targets, batch_size=BATCH, epochs=1, verbose=0)


def pytorch(model: Model, inputs: np.ndarray, targets: np.ndarray) -> Run | None:
    try:
        import torch
    except ImportError:
        return None
    kind = {"simple_rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[model.spec.cell]
    tokens = model.interface.inputs == "tokens"
    table = torch.nn.Embedding(model.interface.input_size, model.spec.embedding) if tokens else torch.nn.Identity()
    layer = kind(model.spec.embedding if tokens else model.interface.input_size, model.spec.units, batch_first=True)
    head = torch.nn.Linear(model.spec.units, 1)
    adam = torch.optim.Adam([*table.parameters(), *layer.parameters(), *head.parameters()])

    def run() -> None:
        for n in range(0, len(inputs), BATCH):
            adam.zero_grad()
            logits = head(layer(table(torch.from_numpy(inputs[n : n + BATCH])))[0][:, -1])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(targets[n : n + BATCH]))
            loss.backward()
            adam.step()

    return run


def measure(row: str, cell: str, rounds: int) -> dict[str, Any]:
    """Median milliseconds per step of every column, and ours as a ratio."""
    interface, length = ROWS[row]
    model = build(Experiment().replace(cell=cell, units=UNITS), interface)
    inputs, targets = data(interface, length)
    own, first = ours(model, inputs, targets)
    columns = {
        "ours": own,
        "keras_fit": keras_fit(model, inputs, targets, False),
        "keras_jit": keras_fit(model, inputs, targets, True),
        "pytorch": pytorch(model, inputs, targets),
    }
    runs = {name: run for name, run in columns.items() if run is not None}
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(REST)
            times[name].append(_time(run) / STEPS)
    medians = {name: 1000 * median(values) for name, values in times.items()}
    ratios = {f"{name}/ours": medians[name] / medians["ours"] for name in medians if name != "ours"}
    return {
        "row": row,
        "cell": cell,
        "target": TARGETS[row][cell],
        "first_s": first,
        "ms": medians,
        "ratios": ratios,
        "raw_s": times,
    }


def _time(run: Run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--cells", default=",".join(CELLS))
    options = parser.parse_args()
    if not options.json:
        print(
            f"{'row':9} {'cell':11} {'ours':>7} {'fit':>7} {'xla':>7} {'torch':>7} ms/step | {'fit':>5} {'(want)':>6} {'xla':>5} {'torch':>5} x | first s"
        )
    for row in options.rows.split(","):
        for cell in options.cells.split(","):
            found = measure(row, cell, options.rounds)
            if options.json:
                print(json.dumps(found), flush=True)
                continue
            ms, ratios = found["ms"], found["ratios"]
            times = " ".join(f"{ms.get(name, float('nan')):7.1f}" for name in ("ours", "keras_fit", "keras_jit", "pytorch"))
            against = [ratios.get(f"{name}/ours", float("nan")) for name in ("keras_fit", "keras_jit", "pytorch")]
            tail = f"{against[0]:5.2f} {found['target']:6.1f} {against[1]:5.2f} {against[2]:5.2f}   | {found['first_s']:.1f}"
            print(f"{row:9} {cell:11} {times}         | {tail}", flush=True)
    if not options.json and "pytorch" not in found["ms"]:
        print("PyTorch is not installed: its column is left out (pip install torch==2.13.0).")


if __name__ == "__main__":
    main()
