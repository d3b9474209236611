"""Runs a Keras model once, as it is, records its recurrent layers, differentiates a number, and leaves the model as it was.

The model is called in one new TensorFlow graph; where a layer hides in a graph of the model's own, it is called eagerly.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.probes.calls.keras_inputs import INPUTS, Source, embedded, mask_passed_on, tensors_of
from rnn_core.probes.calls.keras_record import (
    LOCK,
    TOLERANCES,
    ElsewhereError,
    Forced,
    Ran,
    RefusedError,
    recording,
    recurrent_layers,
    repeated,
)

SCALE = 2.0**80  # the number is differentiated so many times too large: float32 between the layers has no value below 1e-38

Ask = Callable[[Any, Any], Any]  # (the model's answer, its logits or the answer itself) → (B,) the number to differentiate


@dataclass(frozen=True, eq=False)
class Vectors:
    """What the steps of the inputs are replaced by in one call."""

    values: np.ndarray  # (B, T, E)
    source: Source = INPUTS  # where they enter the network


@dataclass(frozen=True, eq=False)
class Found:
    """What one call of the network gave, as tensors."""

    answer: Any  # as the network returned it; of several outputs the first
    logits: Any  # what Keras says stood before its last sigmoid or softmax, or None
    mask: Any  # (B, T) of the answer's steps, or None
    ran: list[Ran]
    tokens: list[tuple[Any, Any]]  # the calls of Embedding layers: the layer and the ids that it received
    output: str = ""  # the name of this output, where there are several
    value: Any = None  # (B,)
    gradients: Any = None  # for each of `ran`: of `out`; then of the vectors, where there are any
    scale: float = 1.0  # by which the gradients are too large


def run(
    network: Any,
    inputs: Any,
    mask: np.ndarray | None = None,
    ask: Ask | None = None,
    vectors: Vectors | None = None,
    forced: Forced | None = None,
) -> Found:
    """Call the network, and differentiate what is asked.

    Args:
        mask: (B, T) given by the caller; Keras decides how far it goes.
        forced: masks of the recurrent layers in this call, whatever Keras would give them.

    Raises: RefusedError with a sentence.
    """
    import tensorflow as tf

    scale = _scale(network)
    kept: list[Ran] = []
    tables: list[Any] = []

    def body() -> tuple[Any, ...]:
        return _body(network, inputs, mask, ask, vectors, forced, scale, kept, tables)

    with LOCK, _plainly(network), warnings.catch_warnings():
        # That a mask ends there is no fault of the caller.
        warnings.filterwarnings("ignore", message=".*does not support masking")
        try:
            with _left_as_it_was(network):
                function = tf.function(body, autograph=False)
                # Calling the function itself would warn of a new graph for every probe.
                got = function() if tf.config.functions_run_eagerly() else function.get_concrete_function()()
            if {id(layer) for layer, _ in recurrent_layers(network)} - {id(one.layer) for one in kept}:
                raise ElsewhereError
        except RefusedError:
            raise
        except Exception:  # a graph of the model's own, or one that runs only eagerly
            with _left_as_it_was(network):
                got = _eagerly(body)
            if vectors is None and forced is None:
                _check_own_graph(network, tensors_of(inputs, mask), got[0])
    if not kept:
        raise RefusedError("no recurrent layer ran in this call of the model, or it ran where it cannot be seen")
    whole, answer, logits, answer_mask, tensors, ids, value, gradients = got
    why = repeated(network, kept)
    ran = [
        Ran(one.layer, one.name, one.refusal or why.get(id(one.layer), ""), one.steps, *each)
        for one, each in zip(kept, tensors, strict=True)
    ]
    tokens = list(zip(tables, ids, strict=True))
    return Found(answer, logits, answer_mask, ran, tokens, _name(network, whole), value, gradients, scale)


def _name(network: Any, answer: Any) -> str:
    """The name of the first of several outputs; "" of a single one."""
    import tensorflow as tf
    from keras import tree

    if tf.is_tensor(answer):
        return ""
    if isinstance(answer, dict):
        return str(next(key for key, value in answer.items() if value is tree.flatten(answer)[0]))
    return str((getattr(network, "output_names", None) or ["output 1"])[0])


def _body(
    network: Any,
    inputs: Any,
    mask: np.ndarray | None,
    ask: Ask | None,
    vectors: Vectors | None,
    forced: Forced | None,
    scale: float,
    kept: list[Ran],
    tables: list[Any],
) -> tuple[Any, ...]:
    """The call itself: all outputs, the first, its logits and mask, what was recorded, ids, number, gradients.

    `kept` gets the calls of recurrent layers, `tables` those of Embedding layers.
    """
    import tensorflow as tf
    from keras import tree

    source = None if vectors is None else vectors.source
    given = None if vectors is None else tensors_of(vectors.values, mask if source == INPUTS else None)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        if given is not None:
            tape.watch(given)
        fed = (source.calls, given) if source is not None and source.calls else None
        with (
            mask_passed_on(network, mask),
            recording(network, tape, mask, forced, fed) as ran,
            embedded(network, source, given) as tokens,
        ):
            whole = network(given if source == INPUTS else tensors_of(inputs, mask), training=False)
        answer = tree.flatten(whole)[0]
        logits = getattr(answer, "_keras_logits", None)
        value = tf.cast(ask(answer, answer if logits is None else logits), tf.float64) if ask else None
        scaled = None if value is None else value * scale
    watched = [one.out for one in ran] + ([] if given is None else [given])
    gradients = tape.gradient(scaled, watched) if ask else None
    kept[:], tables[:] = ran, [table for table, _ in tokens]
    answer_mask, ids = getattr(answer, "_keras_mask", None), [each for _, each in tokens]
    return whole, answer, logits, answer_mask, [one.tensors for one in ran], ids, value, gradients


def _eagerly(body: Callable[[], tuple[Any, ...]]) -> tuple[Any, ...]:
    """The same without a graph, also inside functions that the model has compiled."""
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        return body()
    except RefusedError:
        raise
    except ElsewhereError:
        raise RefusedError(
            "a recurrent layer runs inside a compiled graph of the model, where its states cannot be seen"
        ) from None
    except Exception as problem:  # whatever the model raises: its inputs do not fit it
        words = " ".join(str(problem).split())[:200]
        raise RefusedError(f"the model cannot be called on these inputs: {words}") from problem
    finally:
        tf.config.run_functions_eagerly(before)


def _check_own_graph(network: Any, inputs: Any, answer: Any) -> None:
    """Raises RefusedError where the model itself, with its own compiled graph, answers otherwise than its layers do."""
    from keras import tree

    with _left_as_it_was(network), mask_passed_on(network, getattr(inputs, "_keras_mask", None)):
        own = network(inputs, training=False)
    for one, other in zip(tree.flatten(own), tree.flatten(answer), strict=True):
        ours, its = np.asarray(other, np.float64), np.asarray(one, np.float64)
        if np.abs(ours - its).max(initial=0) > TOLERANCES.get(one.dtype.name, 0) * 10 * max(1.0, np.abs(its).max(initial=0)):
            raise RefusedError(
                "the model's own compiled graph answers otherwise than its layers do, as if it had been traced with other weights: "
                "build the model before its function is first called"
            )


def _scale(network: Any) -> float:
    """SCALE, or 1 where a layer computes in half precision, which it would overflow."""
    return 1.0 if any(str(layer.compute_dtype) == "float16" for layer in network._flatten_layers()) else SCALE


@contextmanager
def _plainly(network: Any) -> Iterator[None]:
    """Inside, no layer computes its call a second time for the way back, which would cut the records off."""
    layers = [layer for layer in network._flatten_layers() if layer.__dict__.get("_remat_mode") is not None]
    modes = [layer.__dict__["_remat_mode"] for layer in layers]
    try:
        for layer in layers:
            layer.__dict__["_remat_mode"] = None
        yield
    finally:
        for layer, mode in zip(layers, modes, strict=True):
            layer.__dict__["_remat_mode"] = mode


@contextmanager
def _left_as_it_was(network: Any) -> Iterator[None]:
    """Puts back what a call changes: seeds and masks of dropout, states of stateful layers, losses that layers add."""
    import tensorflow as tf

    layers = list(network._flatten_layers())
    owners = [*layers, *(layer.cell for layer in layers if hasattr(layer, "cell"))]
    seeds = [owner.seed_generator.state for owner in owners if getattr(owner, "seed_generator", None) is not None]
    states = [state for layer in layers for state in (getattr(layer, "states", None) or []) if hasattr(state, "assign")]
    before = [(variable, variable.numpy()) for variable in (*network.non_trainable_variables, *seeds, *states)]
    losses = [(layer._losses, list(layer._losses)) for layer in layers if hasattr(layer, "_losses")]
    masks = [(owner, name) for owner in owners for name in ("_dropout_mask", "_recurrent_dropout_mask")]
    eagerly = tf.config.functions_run_eagerly()
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(eagerly)  # TensorFlow's vectorized_map forgets to, where it breaks off
        changed = [variable for variable, value in before if not np.array_equal(variable.numpy(), value)]
        for variable, value in before:
            if any(variable is each for each in changed):
                variable.assign(value)
        for added, old in losses:
            added[:] = old
        for owner, name in masks:  # of a call that broke off, tensors of a graph that is gone
            if owner.__dict__.get(name) is not None:
                owner.__dict__[name] = None
    for owner in owners:  # a recurrent layer draws masks of dropout, whether or not it uses them
        seed = getattr(owner, "seed_generator", None)
        if seed is not None and not hasattr(owner, "get_dropout_mask") and any(seed.state is each for each in changed):
            raise RefusedError(f"layer {owner.name!r} draws random numbers even when the model answers: no two answers are alike")
