"""Where the vectors of the steps enter a Keras model, and what they are. Every premise is checked by calling the model.

Of tokens: what the one Embedding layer gives out that reads them, as they come or moved to other steps. Of numbers: the inputs
themselves, or, where an Embedding layer inside reads some of them, what the lowest recurrent layer receives.

Shapes: B batch, T steps of the inputs, E numbers in a vector.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnn_core.probes.calls.call import AT_ONCE
from rnn_core.probes.calls.keras_inputs import INPUTS, Source, embeddings
from rnn_core.probes.calls.keras_record import Ran, RefusedError
from rnn_core.probes.calls.keras_run import Found, Vectors, run

OTHER_TOKENS = (
    "the model does not answer by the vectors of its steps alone: its Embedding receives other tokens than the inputs have, or "
    "more than one of them at a step"
)
ONE_TABLE = "attributions need exactly one Embedding layer that reads the tokens, the model has {}"


def vectors_of(network: Any, inputs: np.ndarray, found: Found) -> tuple[Source, np.ndarray]:
    """Where the vectors enter, and the vectors (B, T, E) of these inputs. `found`: a call with these inputs."""
    if inputs.ndim > 3:
        raise RefusedError(f"attributions need one vector for every step, and the model reads {inputs.ndim - 2} axes for each")
    if inputs.ndim == 3:
        vectors = inputs.astype(np.result_type(inputs.dtype, np.float32))
        inside = reads_numbers(network, vectors, found)
        return (_below_the_layers(network, inputs, found) if inside else None) or (INPUTS, vectors)
    if not found.tokens and not embeddings(network):
        raise RefusedError("attributions need a vector or a token for every step, and the model reads one flat row of numbers")
    source = _table_of(network, inputs, found)
    assert source.table is not None
    return source, np.asarray(source.table(inputs))


def _table_of(network: Any, inputs: np.ndarray, found: Found) -> Source:
    """The one Embedding layer that receives the tokens of every step, in their order or in another."""
    received = [(table, np.asarray(ids)) for table, ids in found.tokens]
    readers = {id(table): table for table, ids in received if ids.shape == inputs.shape and np.array_equal(ids, inputs)}
    if len(readers) == 1:
        (table,) = readers.values()
        if others := _others_read(network, inputs, table, received):
            raise RefusedError(ONE_TABLE.format(1 + others))
        if all(np.array_equal(ids, inputs) for each, ids in received if each is table):
            return Source(table)
        raise RefusedError(OTHER_TOKENS)
    tables = {id(table): table for table, ids in received if ids.ndim == 2 and len(ids) == len(inputs)}
    if len(readers) > 1 or len(tables) != 1:
        raise RefusedError(ONE_TABLE.format(len(readers) or len(embeddings(network))))
    (table,) = tables.values()
    return Source(table, _places(network, inputs, table, received))


def _others_read(network: Any, inputs: np.ndarray, table: Any, received: list[tuple[Any, np.ndarray]]) -> int:
    """How many other Embedding layers receive ids that are made of the tokens: other tokens give them other ids."""
    before = [(each, ids) for each, ids in received if each is not table]
    if not before:
        return 0
    tokens = np.random.default_rng(0).integers(0, table.input_dim, inputs.shape).astype(inputs.dtype)
    after = [np.asarray(ids) for each, ids in run(network, tokens).tokens if each is not table]
    if len(after) != len(before):
        return 1
    return len({id(each) for (each, ids), now in zip(before, after, strict=True) if not np.array_equal(ids, now)})


def _places(network: Any, inputs: np.ndarray, table: Any, received: list[tuple[Any, np.ndarray]]) -> tuple[int, ...]:
    """The step of the inputs whose token each step of the layer receives, found with random tokens and checked with these."""
    (batch, steps), size, rng = inputs.shape, int(table.input_dim), np.random.default_rng(0)
    if size < 3 or len(received) != 1:
        raise RefusedError(OTHER_TOKENS)
    calls = math.ceil(math.log(1e6 * steps**2) / math.log(size - 1) / batch)  # so many tell the steps apart
    given, seen = [], []
    for _ in range(calls):
        tokens = rng.integers(1, size, (batch, steps)).astype(inputs.dtype)
        given.append(tokens)
        seen.append(next(np.asarray(ids) for each, ids in run(network, tokens).tokens if each is table))
    columns = {column.tobytes(): place for place, column in enumerate(np.concatenate(given).astype(np.int64).T.copy())}
    if any(ids.shape != seen[0].shape for ids in seen):
        raise RefusedError(OTHER_TOKENS)
    found = [columns.get(column.tobytes(), -1) for column in np.concatenate(seen).astype(np.int64).T.copy()]
    ids = received[0][1]
    if len(columns) != steps or -1 in found or ids.shape[1] != len(found) or not np.array_equal(inputs[:, found], ids):
        raise RefusedError(OTHER_TOKENS)
    return tuple(found)


def reads_numbers(network: Any, vectors: np.ndarray, found: Found) -> bool:
    """Whether an Embedding layer inside makes ids of some of the inputs: other inputs give it other ids."""
    if not found.tokens:
        return False
    if np.array_equal(np.roll(vectors, 1, axis=1), vectors):
        return True  # it cannot be told
    before = [np.asarray(ids) for _, ids in found.tokens]
    for others in (vectors / 2, np.roll(vectors, 1, axis=1)[::-1]):
        after = [np.asarray(ids) for _, ids in run(network, others.astype(vectors.dtype)).tokens]
        if len(before) != len(after) or not all(map(np.array_equal, before, after)):
            return True
    return False


def _below_the_layers(network: Any, inputs: np.ndarray, found: Found) -> tuple[Source, np.ndarray] | None:
    """What the lowest recurrent layer receives, where every step of it is made of that step of the inputs alone, and the answer of it alone."""
    lowest = found.ran[0]
    if lowest.inputs is None or lowest.inputs.shape[:2] != inputs.shape[:2]:
        return None
    vectors = np.asarray(lowest.inputs)
    calls = tuple(n for n, one in enumerate(found.ran) if one.inputs is not None and np.array_equal(one.inputs, vectors))
    source = Source(calls=calls)
    return (source, vectors) if _step_by_step(network, inputs, vectors) and _enough(network, inputs, found, source) else None


def _step_by_step(network: Any, inputs: np.ndarray, vectors: np.ndarray) -> bool:
    """Whether another step of the inputs changes that step of the lowest layer's inputs alone. Asked of the first example."""
    steps = inputs.shape[1]
    others = np.repeat(inputs[:1], steps, 0)
    others[np.arange(steps), np.arange(steps)] = np.roll(inputs[0], 1, axis=0)
    for start in range(0, steps, AT_ONCE):
        part = others[start : start + AT_ONCE]
        try:
            given = np.asarray(run(network, part).ran[0].inputs)
        except RefusedError:
            return False
        changed = np.abs(given - vectors[0]).max(-1) > 1e-6 * max(1.0, float(np.abs(vectors).max()))
        changed[np.arange(len(part)), start + np.arange(len(part))] = False
        if changed.any():
            return False
    return True


def _enough(network: Any, inputs: np.ndarray, found: Found, source: Source) -> bool:
    """Whether the answer stays the same for other inputs, as long as the layer receives the same."""
    others = np.roll(inputs, 1, axis=1)[::-1]
    if np.array_equal(others, inputs):
        return False
    masks = [None if one.mask is None else np.asarray(one.mask).astype(bool) for one in found.ran]
    answer = np.asarray(found.answer, np.float64)
    try:
        again = run(network, others, None, None, Vectors(np.asarray(found.ran[source.calls[0]].inputs), source), masks)
    except RefusedError:
        return False
    return bool(np.abs(np.asarray(again.answer, np.float64) - answer).max() <= 1e-5 * max(1.0, float(np.abs(answer).max())))


def steps_left_out(network: Any, inputs: np.ndarray, found: Found, source: Source) -> tuple[bool, ...]:
    """For each call of a recurrent layer, whether its steps are those of the inputs; () where that cannot be said of all.

    The others receive one vector at all steps (RepeatVector): what a step means to them is in that vector.
    """
    if source.places:
        return ()
    own = [one.steps == inputs.shape[1] for one in found.ran]
    repeated = [_repeated(one) for one in found.ran]
    if any(repeated):
        other = _other_inputs(inputs, source)
        again = None if other is None else run(network, other).ran
        if again is None or len(again) != len(repeated):
            return ()
        repeated = [both and _repeated(one) for both, one in zip(repeated, again, strict=True)]
    first = repeated.index(True) if True in repeated else len(repeated)
    return tuple(own[:first]) + (False,) * (len(own) - first) if first and all(own[:first]) and all(repeated[first:]) else ()


def _other_inputs(inputs: np.ndarray, source: Source) -> np.ndarray | None:
    """Random inputs of this shape."""
    rng = np.random.default_rng(0)
    if source.table is not None:
        return rng.integers(1, source.table.input_dim, inputs.shape).astype(inputs.dtype)
    return rng.normal(size=inputs.shape).astype(inputs.dtype) if inputs.dtype.kind == "f" and not source.calls else None


def _repeated(one: Ran) -> bool:
    """Whether all steps of a layer's inputs (B, T, D) are alike."""
    return one.inputs is not None and one.steps > 1 and bool(np.ptp(np.asarray(one.inputs, np.float64), axis=1).max() == 0)
