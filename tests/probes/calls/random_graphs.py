"""Random functional graphs of stock Keras layers, each probed and compared with the referee.

The whole: `python -m tests.probes.calls.random_graphs --graphs 200 --seed 1`. One line for each graph that is refused or wrong, then
counts; exits 1 where a probe says anything wrong, or where fewer than 90 % of the promised graphs are answered.

A graph is promised where all its recurrent layers are stock ones with known activations that run once for each example.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from tests.probes.calls.checking import Checked
from tests.probes.calls.kinds import PROBES, Kind, L, drawn

KNOWN = ("tanh", "tanh", "tanh", "relu", "sigmoid", "linear", "elu", "softsign", "softplus", "selu", "hard_sigmoid")
UNKNOWN = ("gelu", "silu", "mish")
MAY = {  # what a promised graph may be refused for: of a probe, never because of the layers
    "leave_one_out": "leaving a step out needs|exactly one Embedding|flat row",
    "attributions": "exactly one Embedding|does not answer by the vectors",
}
Random = np.random.Generator


@dataclass
class Graph:
    """One random graph."""

    kind: Kind
    promised: bool
    words: list[str] = field(default_factory=list)  # its layers, as a line


def graph(seed: int) -> Graph:
    """The graph of a seed."""
    keras.utils.set_random_seed(seed)
    return _Grower(np.random.default_rng(seed)).grow()


class _Grower:
    """Adds layers to a sequence (B, T, D), then ends it."""

    def __init__(self, rng: Random) -> None:
        self.rng, self.promised, self.words = rng, True, []  # type: Random, bool, list[str]
        self.steps, self.table = 4, None  # type: int, Any
        self.shared: list[tuple[Any, int]] = []  # layers that may be called again, and the size of their inputs

    def grow(self) -> Graph:
        rng = self.rng
        start, inputs = self._start()
        sequence = start if self.table is None else self.table(start)
        if self.table is None and rng.random() < 0.3:
            sequence = self._call(L.Masking(), sequence)
        for _ in range(rng.integers(0, 3)):
            sequence = self._around(sequence)
        for _ in range(rng.integers(0, 3)):
            sequence = self._recurrent(sequence, True)
            for _ in range(rng.integers(0, 2)):
                sequence = self._around(sequence)
        last, per_step = self._end(sequence)
        outputs, ending = int(rng.integers(1, 4)), str(rng.choice(["linear", "sigmoid", "softmax", "tanh"]))
        ending = "sigmoid" if ending == "softmax" and outputs == 1 else ending
        ending = "softmax" if ending == "sigmoid" and outputs > 1 else ending
        head = L.Dense(outputs, ending)
        network = drawn(keras.Model(start, self._call(head, last)))
        kind = Kind(network, inputs, head if ending in ("sigmoid", "softmax") else None, self.table)
        self._compile(kind, outputs, ending, per_step)
        return Graph(kind, self.promised, self.words)

    def _start(self) -> tuple[Any, np.ndarray]:
        rng = self.rng
        lengths = rng.integers(1, self.steps + 1, 3)
        real = np.arange(self.steps) < lengths[:, None]
        real = real[:, ::-1] if rng.random() < 0.3 else real
        if rng.random() < 0.4:
            self.table = L.Embedding(9, 3, mask_zero=bool(rng.random() < 0.6))
            self.words.append("Embedding, mask_zero" if self.table.mask_zero else "Embedding")
            return L.Input((self.steps,), dtype="int32"), (rng.integers(1, 9, real.shape) * real).astype("int32")
        inputs = rng.normal(size=(3, self.steps, 2)).astype("float32")
        return L.Input((self.steps, 2)), inputs * real[..., None] if rng.random() < 0.5 else inputs

    def _call(self, layer: Any, inputs: Any, **given: Any) -> Any:
        self.words.append(type(layer).__name__)
        return layer(inputs, **given)

    def _around(self, sequence: Any) -> Any:
        """Any layer that leaves a sequence a sequence."""
        rng, size = self.rng, sequence.shape[-1]
        makers: tuple[Callable[[], Any], ...] = (
            lambda: self._call(L.Conv1D(3, int(rng.integers(1, 4)), padding="causal", activation="relu"), sequence),
            lambda: self._call(L.Conv1D(3, 2), sequence) if sequence.shape[1] > 3 else sequence,
            lambda: self._call(L.MaxPooling1D(2), sequence) if sequence.shape[1] > 3 else sequence,
            lambda: self._call(L.LayerNormalization(), sequence),
            lambda: self._call(L.BatchNormalization(), sequence),
            lambda: self._call(L.Dropout(0.5), sequence),
            lambda: self._call(L.SpatialDropout1D(0.5), sequence),
            lambda: self._call(L.Dense(3, "tanh"), sequence),
            lambda: self._call(L.TimeDistributed(L.Dense(3, "elu")), sequence),
            lambda: L.add([sequence, self._call(L.Dense(size), sequence)]),
            lambda: L.concatenate([sequence, self._call(L.Dense(2, "sigmoid"), sequence)]),
            lambda: self._call(L.MultiHeadAttention(1, 2), sequence, value=sequence),
            lambda: L.add([sequence, self._recurrent(sequence, True, size)]),
            lambda: self._call(L.Permute((2, 1)), sequence) if rng.random() < 0.3 else sequence,
            lambda: self._call(L.ZeroPadding1D(1), sequence) if rng.random() < 0.3 else sequence,
        )
        return makers[rng.integers(len(makers))]()

    def _recurrent(self, sequence: Any, sequences: bool, units: int = 0) -> Any:
        """One recurrent layer, or one in both directions."""
        rng = self.rng
        again = [layer for layer, size in self.shared if size == sequence.shape[-1] and units in (0, layer.units)]
        if sequences and again and rng.random() < 0.4:
            self.words.append("the same again")
            return again[0](sequence)
        layer = self._layer(units or int(rng.integers(1, 4)), sequences)
        if rng.random() < 0.25 and not units:
            merge = str(rng.choice(["concat", "sum", "ave", "mul"]))
            layer.go_backwards, layer.stateful = False, False
            return self._call(L.Bidirectional(layer, merge_mode=merge), sequence)
        if sequences and not layer.unroll:
            self.shared.append((layer, sequence.shape[-1]))
        return self._call(layer, sequence)

    def _layer(self, units: int, sequences: bool) -> Any:
        rng = self.rng
        make = (L.SimpleRNN, L.LSTM, L.GRU)[rng.integers(3)]
        activation = str(rng.choice(KNOWN))
        if rng.random() < 0.04:
            activation, self.promised = str(rng.choice(UNKNOWN)), False
        options: dict[str, Any] = {
            "activation": activation,
            "use_bias": bool(rng.random() < 0.8),
            "go_backwards": bool(rng.random() < 0.15),
            "unroll": bool(rng.random() < 0.15),
            "dropout": float(rng.choice([0, 0.3])),
        }
        if make is not L.SimpleRNN and rng.random() < 0.2:
            options["recurrent_activation"] = "hard_sigmoid"
        if make is L.GRU:
            options["reset_after"] = bool(rng.random() < 0.7)
        self.words.append(f"({', '.join(f'{name}={value}' for name, value in options.items() if value not in (False, 0.0))})")
        return make(units, return_sequences=sequences, **options)

    def _end(self, sequence: Any) -> tuple[Any, bool]:
        """What the head receives, and whether it is a sequence."""
        rng, way = self.rng, self.rng.integers(8)
        if way == 0:
            return self._recurrent(sequence, True), True
        if way == 1:
            return self._call(L.GlobalMaxPooling1D(), self._recurrent(sequence, True)), False
        if way == 2:
            return self._call(L.Flatten(), self._recurrent(sequence, True)), False
        if way == 3:
            return self._states(sequence), False
        if way == 4:
            short = self._recurrent(sequence, False)
            return self._recurrent(self._call(L.RepeatVector(4), short), bool(rng.random() < 0.5)), False
        if way == 5:
            two = [self._recurrent(sequence, False), self._recurrent(sequence, False)]
            return L.concatenate(two), False
        if way == 6 and sequence.shape[1] > 1:
            h = self._recurrent(sequence, True)
            return self._call(L.Flatten(), self._call(L.Attention(), [h, h])), False
        return self._recurrent(sequence, False), False

    def _states(self, sequence: Any) -> Any:
        """A second layer that starts from the final state of a first."""
        layer = self._layer(2, False)
        layer.return_state = True
        _, *states = self._call(layer, sequence)
        second = type(layer)(2)
        return self._call(second, sequence, initial_state=states if len(states) > 1 else states[0])

    def _compile(self, kind: Kind, outputs: int, ending: str, per_step: bool) -> None:
        rng, shape = self.rng, tuple(kind.network.output_shape)[1:]
        losses = keras.losses
        if len(shape) > 1:
            return  # masks of the loss are the zoo's
        targets = rng.random((3, *shape)).astype("float32")
        if ending == "softmax":
            targets = np.eye(outputs, dtype="float32")[rng.integers(0, outputs, 3)]
        each = {"softmax": losses.categorical_crossentropy, "sigmoid": losses.binary_crossentropy}.get(
            ending, losses.mean_squared_error
        )
        kind.network.compile(loss=each.__name__)
        kind.targets, kind.loss = targets, lambda t, p, mask: each(t, p)


def judged(seeds: range) -> Iterator[tuple[int, Graph, dict[str, str]]]:
    """Each graph with its verdicts: "right", a refusal's words, or "WRONG: …"."""
    for seed in seeds:
        one = graph(seed)
        try:
            checked = Checked(one.kind)
        except AssertionError as problem:
            yield seed, one, {"referee": f"WRONG: {problem}"}
            continue
        said = {}
        for probe in PROBES:
            if (probe == "loss" and one.kind.loss is None) or (probe == "leave_one_out" and seed % 3):
                continue
            try:
                said[probe] = checked.verdict(probe)
            except Exception as problem:
                said[probe] = f"WRONG: {type(problem).__name__}: {problem}"
        yield seed, one, said


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--graphs", type=int, default=200)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    counts, start, answered, promised = Counter(), time.time(), 0, 0
    for seed, one, said in judged(range(given.seed * 1000, given.seed * 1000 + given.graphs)):
        for probe, words in said.items():
            verdict = "right" if words == "right" else "WRONG" if words.startswith("WRONG") else "refused"
            counts[probe, verdict] += 1
            if verdict != "right":
                print(
                    f"{seed} {probe} {verdict if verdict != 'WRONG' else ''} {words[:300]}   [{' '.join(one.words)}]", flush=True
                )
        if one.promised:
            promised += 1
            answered += is_answered(said)
    for probe in PROBES:
        print(f"{probe:14s} right {counts[probe, 'right']}, refused {counts[probe, 'refused']}, wrong {counts[probe, 'WRONG']}")
    print(f"{answered} of {promised} promised graphs answered, {given.graphs} graphs, {time.time() - start:.0f} s")
    wrong = sum(count for (_, verdict), count in counts.items() if verdict == "WRONG")
    return int(wrong > 0 or answered < 0.9 * promised)


def is_answered(said: dict[str, str]) -> bool:
    """Whether the four probes that every promised graph must answer did."""
    return all(said.get(probe) == "right" for probe in ("trace", "gradients", "jacobians", "attributions"))


if __name__ == "__main__":
    sys.exit(main())
