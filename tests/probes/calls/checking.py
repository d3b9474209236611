"""Each probe of one model against the referee, and whether the model is afterwards what it was before."""

from __future__ import annotations

import re
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rnn_core.probes.gradients.state_gradients import state_gradients
from rnn_core.probes.jacobians.jacobians import jacobians
from rnn_core.probes.sentence.attributions import attributions
from rnn_core.probes.states.traces import trace
from tests.probes.calls import unrolled, zoo
from tests.probes.calls.kinds import PROBES, Kind
from tests.probes.calls.unrolled import Unrolled

POINTS = 2  # of integrated gradients


class WrongError(AssertionError):
    """A probe said something that is not so, or changed the model."""


def same(what: str, found: Any, wanted: Any, tolerance: float, least: float = 1e-6) -> None:
    """Within the tolerance of the largest number, or of `least`."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    if found.shape != wanted.shape:
        raise WrongError(f"{what} has the shape {found.shape}, right is {wanted.shape}")
    gap, size = np.abs(found - wanted).max(initial=0), max(np.abs(wanted).max(initial=0), least)
    if not gap <= tolerance * size:
        raise WrongError(f"{what} differs by {gap / size:.2g} of its size: {found.ravel()[:4]} for {wanted.ravel()[:4]}")


class Checked:
    """One kind, its referee, and a check for every probe."""

    def __init__(self, kind: Kind) -> None:
        self.kind, self.network = kind, kind.network
        self.before: dict[str, Any] = {}  # the last snapshot
        self.referee = Unrolled(kind.network, kind.head, kind.table, kind.given, kind.places)
        with keeping(kind.network):
            self.answer = self.referee.answer(kind.inputs)
        self.calls = self.referee.calls
        self.position = self.referee.default() if kind.position is None and self.calls else kind.position
        if kind.given is None and kind.own_answer:
            with keeping(kind.network):
                self._is_sure([self.answer], keras.tree.flatten(answer_of(kind))[:1])

    def _is_sure(self, found: list[Any], wanted: list[Any]) -> None:
        """The referee gives what the model gives."""
        for one, other in zip(found, wanted, strict=True):
            if self.kind.head is not None:
                softmax = one.shape[-1] > 1
                one = tf.nn.softmax(one) if softmax else tf.sigmoid(one)
            same("the referee's own answer", one, other, max(self.kind.tolerance, 1e-5))

    def verdict(self, probe: str) -> str:
        """ "right", or the words of a refusal. Raises WrongError for anything else."""
        before, mode = self.before or snapshot(self.kind), tf.config.functions_run_eagerly()
        try:
            getattr(self, probe)()
            said = "right"
        except ValueError as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            if "rnn_core" not in place.filename or not (place.line or "").startswith("raise"):
                raise WrongError(f"{probe}: {type(error).__name__} at {place.name}: {error}") from error
            said = str(error)
        self.before = after = snapshot(self.kind)
        if tf.config.functions_run_eagerly() != mode:
            raise WrongError(f"{probe} changed whether functions run eagerly")
        for what, old in before.items():
            if after[what] != old:
                raise WrongError(f"{probe} changed {what} of the model: {difference(old, after[what])}")
        return said

    def trace(self) -> None:
        kind, tolerance = self.kind, max(self.kind.tolerance, 1e-6)  # a trace is in float32
        found, one = trace(self.network, kind.inputs, kind.given, kind.layer), self.calls[self.position]
        same("trace.states", found.states, one.states, tolerance)
        same("trace.outputs", found.outputs, one.inplace(one.outputs), tolerance)
        same("trace.output", found.output, self.answer, tolerance)
        same("trace.mask", found.mask, one.real, 0)
        assert found.quantity.partition(" of ")[0] == ("logit" if kind.head is not None else "output"), found.quantity
        if found.running is not None:
            self._running(found)

    def _running(self, found: Any) -> None:
        """Of every step: what a sequence that ends there gives."""
        if self.kind.given is not None or not isinstance(self.kind.inputs, np.ndarray):
            return
        for t in range(self.kind.inputs.shape[1]):
            with keeping(self.network):
                wanted = np.asarray(unrolled.last_step(self.referee.answer(self.kind.inputs[:, : t + 1])), np.float64)
            same(
                f"trace.running at {t}",
                found.running[found.mask[:, t], t],
                wanted[found.mask[:, t]],
                max(self.kind.tolerance, 1e-6) * 10,
            )

    def _flow(self, found: Any, number: Callable[[Any], Any]) -> None:
        tolerance = self.kind.tolerance
        with keeping(self.network):
            wanted = unrolled.flow(self.referee, self.kind.inputs, number, self.kind.position)
        same("the number", found.value, wanted["value"], tolerance)
        same("gradients in the states", found.signed, wanted["signed"], tolerance)
        same("norms", found.norms, np.linalg.norm(wanted["signed"], axis=-1), tolerance)
        same("gradients in the inputs", found.inputs, wanted["inputs"], tolerance)
        if sum(one.layer is self.calls[self.position].layer for one in self.calls) == 1:
            for name, total in wanted["totals"].items():
                same(f"the gradient of {name}", found.totals[name], total, tolerance)

    def gradients(self) -> None:
        kind = self.kind
        self._flow(state_gradients(self.network, kind.inputs, mask=kind.given, layer=kind.layer), kind.number or unrolled.largest)

    def loss(self) -> None:
        kind = self.kind
        targets = np.zeros(getattr(self.answer, "shape", (3, 1))) if kind.targets is None else kind.targets
        found = state_gradients(self.network, kind.inputs, targets, "loss", kind.given, kind.layer)
        real = next((one.mask for one in reversed(self.calls) if one.mask is not None), None)
        if kind.loss is not None:
            self._flow(found, lambda answer: kind.loss(targets, self._squashed(answer), real))

    def _squashed(self, answer: Any) -> Any:
        if self.kind.head is None:
            return answer
        activate = keras.activations.softmax if answer.shape[-1] > 1 else keras.activations.sigmoid
        return activate(answer)

    def jacobians(self) -> None:
        kind = self.kind
        first = keras.tree.map_structure(lambda part: part[0], kind.inputs)
        found = jacobians(self.network, first, None if kind.given is None else kind.given[0], kind.layer)
        one = self.calls[self.position]
        states = one.states[0][::-1] if one.layer.go_backwards else one.states[0]
        same("jacobians.states", found.states, states, self.kind.tolerance * 3)
        with keeping(self.network):
            wanted = unrolled.jacobians(one)
        same("jacobians.steps", found.steps, wanted, self.kind.tolerance)

    def attributions(self) -> None:
        self._attributions("integrated_gradients")

    def leave_one_out(self) -> None:
        self._attributions("leave_one_out")

    def _attributions(self, method: str) -> None:
        kind, one = self.kind, keras.tree.map_structure(lambda part: part[1:2], self.kind.inputs)
        given = None if kind.given is None else kind.given[1:2]
        found = attributions(self.network, one, method, given, steps=POINTS)
        self.referee.given = given
        try:
            with keeping(self.network):
                wanted = unrolled.attributions(self.referee, one, method, POINTS)
        finally:
            self.referee.given = kind.given
        least = float(np.abs(found.answer).max()) if method == "leave_one_out" else 1e-6  # of which they are differences
        same(f"attributions by {method}", found.values, wanted, kind.tolerance * 3, least)


def difference(old: Any, new: Any) -> Any:
    """The first part of two lists that differs."""
    pairs = zip(old, new, strict=False) if isinstance(old, list) else [(old, new)]
    one, other = next((pair for pair in pairs if pair[0] != pair[1]), (old, new))
    return set(one.items()) ^ set(other.items()) if isinstance(one, dict) else f"{str(one)[:99]} → {str(other)[:99]}"


def answer_of(kind: Kind) -> Any:
    return kind.network(keras.tree.map_structure(tf.convert_to_tensor, kind.inputs), training=False)


def owners_of(network: Any) -> list[Any]:
    """The network, its layers, and their cells."""
    layers = list(network._flatten_layers())
    return [*layers, *(layer.cell for layer in layers if isinstance(layer, keras.layers.RNN) and layer.cell not in layers)]


def variables_of(network: Any) -> list[Any]:
    """All of them; Keras counts the states of a stateful layer among none."""
    owners = owners_of(network)
    states = [state for owner in owners if getattr(owner, "stateful", False) for state in owner.states]
    return [*(variable for owner in owners for variable in owner.variables), *states]


@contextmanager
def keeping(network: Any) -> Iterator[None]:
    """Puts back what the referee's own calls change."""
    values = [(variable, variable.numpy()) for variable in variables_of(network)]
    try:
        yield
    finally:
        for variable, value in values:
            variable.assign(value)
        for owner in owners_of(network):
            for name in ("_dropout_mask", "_recurrent_dropout_mask"):
                if name in owner.__dict__:
                    owner.__dict__[name] = None


def snapshot(kind: Kind) -> dict[str, Any]:
    """What a probe must not change: every variable's bytes, every attribute of every layer, and the answer."""
    with keeping(kind.network):
        parts = keras.tree.flatten(answer_of(kind))
        answer = [np.asarray(part).tobytes() for part in parts]
        masks = [repr(getattr(part, "_keras_mask", None)) for part in parts]
    return {
        "variables": [np.asarray(variable).tobytes() for variable in variables_of(kind.network)],
        "metrics": [np.asarray(variable).tobytes() for variable in kind.network.metrics_variables],
        "losses": [len(getattr(owner, "_losses", [])) for owner in owners_of(kind.network)],
        "attributes": [{name: id(value) for name, value in owner.__dict__.items() if plain(name, value)} for owner in owners_of(kind.network)],
        "answer": answer,
        "masks": masks,
    }  # fmt: skip


def plain(name: str, value: Any) -> bool:
    """Whether an attribute is one that calling the model leaves alone."""
    return name not in ("_call_context_args", "_called") and not isinstance(value, (int, float, str, bytes))


def fits(said: str, expected: str | None) -> bool:
    """Whether a verdict is the expected one."""
    return said == "right" if expected is None else said != "right" and re.search(expected, said) is not None


def main() -> int:
    """The whole zoo as it is in use, with TensorFlow's graphs: `python -m tests.probes.calls.checking [part of a name …]`."""
    counts: Counter[tuple[str, str]] = Counter()
    for name, make in zoo.KINDS.items():
        if sys.argv[1:] and not any(part in name for part in sys.argv[1:]):
            continue
        kind = make()
        checked = Checked(kind)
        for probe in kind.asked if kind.loss else [each for each in kind.asked if each != "loss" or each in kind.refused]:
            try:
                said = checked.verdict(probe)
                verdict = ("right" if said == "right" else "refused") if fits(said, kind.refused.get(probe)) else "UNEXPECTED"
            except Exception as problem:
                said, verdict = f"{type(problem).__name__}: {problem}", "WRONG"
            counts[probe, verdict] += 1
            if verdict in ("UNEXPECTED", "WRONG"):
                print(f"{name} {probe} {verdict}: {said[:300]}", flush=True)
    for probe in PROBES:
        print(probe, ", ".join(f"{verdict} {counts[probe, verdict]}" for verdict in ("right", "refused", "UNEXPECTED", "WRONG")))
    return int(any(verdict in ("UNEXPECTED", "WRONG") for _, verdict in counts))


if __name__ == "__main__":
    sys.exit(main())
