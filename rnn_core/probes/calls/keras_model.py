"""Any Keras model as the probes see it: it runs as it is, and the way back goes through the records of its recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnn_core.engine.numpy_network import LayerPass
from rnn_core.probes.calls import keras_outputs
from rnn_core.probes.calls.call import Call, choose
from rnn_core.probes.calls.input_checks import check_mask, check_numbers, check_tokens
from rnn_core.probes.calls.keras_examples import KerasExample, check_used, examples_of
from rnn_core.probes.calls.keras_inputs import embeddings, fixed_batch
from rnn_core.probes.calls.keras_record import Ran, layer_pass, recurrent_layers, upstream
from rnn_core.probes.calls.keras_run import Ask, Found, RefusedError, run
from rnn_core.probes.calls.questions import Question


class KerasModel:
    """A Keras model. Raises ValueError for anything else, for one without weights, and for one without recurrent layers."""

    def __init__(self, network: Any) -> None:
        from keras import Model

        if not isinstance(network, Model):
            raise RefusedError(f"expected a Keras model or an rnn_core Model, got {type(network).__name__}")
        if not network.built:
            raise RefusedError("the model was never called, so it has no weights yet: call it once on its inputs")
        if not recurrent_layers(network):
            names = ", ".join(layer.name for layer in network.layers) or "none"
            raise RefusedError(f"the model has no recurrent layer: its layers are {names}")
        self.network = network

    @property
    def batch(self) -> int:
        return fixed_batch(self.network)

    def call(self, inputs: Any, mask: Any = None, layer: int | str | None = None, question: Question | None = None) -> Call:
        from keras import tree

        inputs, mask = self._checked(inputs, mask)
        ask = None if question is None else self._ask_at_once(question)
        found = run(self.network, inputs, mask, ask)
        output, activation = keras_outputs.output_of(found)
        position = choose([one.name for one in found.ran], layer)
        if question is not None:
            unlike = question.of == "output" and activation == "linear" and found.logits is not None
            if ask is None or unlike:
                found = run(self.network, inputs, mask, self._ask(question, output, activation, found))
            if question.of == "output":
                keras_outputs.columns_of(output, question.output)  # raises for one that there is not
        ran = found.ran[position]
        taken = layer_pass(ran)
        examples, sequences = len(tree.flatten(inputs)[0]), taken.inputs.shape[1]
        if sequences != examples:
            raise RefusedError(
                f"layer {ran.name!r} runs over {sequences} sequences where the inputs are {examples}, so none belongs to one example"
            )
        check_used(mask, found.ran)
        if question is None:
            return Call(taken, output, activation, self._running(ran, taken, output, inputs), name=found.output)
        given = found.gradients[position]
        if all(part is None for part in given):
            raise RefusedError(f"no gradient comes back to layer {ran.name!r}: the output does not depend on it")
        gradient = taken.backward(upstream(ran, taken, given, found.scale))
        return Call(taken, output, activation, None, np.asarray(found.value, np.float64), gradient, found.output)

    def examples(self, inputs: Any, mask: Any = None, output: int | None = None) -> Sequence[KerasExample]:
        inputs, mask = self._checked(inputs, mask)
        if not isinstance(inputs, np.ndarray):
            raise RefusedError("attributions need a model with one input, and this one has several inputs")
        return examples_of(self.network, inputs, mask, output)

    def _checked(self, inputs: Any, mask: Any) -> tuple[Any, np.ndarray | None]:
        """Inputs as the model takes them, and the mask."""
        from keras import tree

        expected = getattr(self.network, "inputs", None) or []
        if len(expected) > 1 or isinstance(inputs, dict):
            if not isinstance(inputs, (list, tuple, dict)) or (expected and len(inputs) != len(expected)):
                names = ", ".join(each.name for each in expected)
                raise RefusedError(
                    f"the model has {len(expected)} inputs ({names}): give a list or a dict of {len(expected)} arrays"
                )
            if mask is not None:
                raise RefusedError("a mask can be given only for a model with one input")
            return tree.map_structure(check_numbers, inputs), None
        shape = tuple(expected[0].shape)[1:] if expected else None
        inputs, tables = check_numbers(inputs, shape), embeddings(self.network)
        if tables and inputs.ndim == 2:
            inputs = check_tokens(inputs, tables[0].input_dim if len(tables) == 1 else None)
        return inputs, check_mask(mask, inputs.shape)

    def _ask_at_once(self, question: Question) -> Ask | None:
        """The number of a question, where nothing of the answer needs to be known before; else None."""
        if question.of == "output":
            return keras_outputs.one_output(question.output)
        single = len(getattr(self.network, "outputs", None) or []) == 1
        return keras_outputs.compiled_loss(self.network, question.targets) if single and self._has_loss else None

    @property
    def _has_loss(self) -> bool:
        return getattr(self.network, "compiled", False) and getattr(self.network, "_compile_loss", None) is not None

    def _ask(self, question: Question, output: np.ndarray, activation: str, found: Found) -> Ask:
        """The number of a question as a function of the model's tensors, once its answer is known."""
        if question.of == "output":
            return keras_outputs.of_the_answer(keras_outputs.one_output(question.output))
        if found.output:
            raise RefusedError(
                "the model has several outputs, and its loss is made of all: probe keras.Model(model.inputs, one of model.outputs)"
            )
        if self._has_loss:
            return keras_outputs.compiled_loss(self.network, question.targets)
        real = np.asarray(found.mask).astype(bool) if output.ndim == 3 and found.mask is not None else None
        return keras_outputs.own_loss(activation, question.targets, output, real)

    def _running(self, ran: Ran, taken: LayerPass, output: np.ndarray, inputs: Any) -> np.ndarray | None:
        """The rest of the model applied to the layer's output at every step; None where that is not what a shorter run gives."""
        if taken.layer.backwards or "/" in ran.name or not isinstance(inputs, np.ndarray):
            return None  # a backward layer's state at a step depends on where the sequence ends
        every_step = output if output.ndim == 3 else None
        running = every_step if ran.layer.return_sequences else self._rest_of_the_model(ran, taken)
        return running if running is not None and self._agrees(running, taken, inputs) else None

    def _rest_of_the_model(self, ran: Ran, taken: LayerPass) -> np.ndarray | None:
        """(B, T, K) what the layers above make of each of the layer's outputs; None where they need others, too."""
        import keras
        import tensorflow as tf

        states = np.swapaxes(taken.outputs, 0, 1)
        try:
            node = ran.layer._inbound_nodes[-1]  # the last: Sequential makes one per add
            head = keras.Model(node.output_tensors[0], self.network.outputs[0])
            answer = head(tf.constant(states.reshape(-1, states.shape[-1]), ran.layer.compute_dtype), training=False)
        except (ValueError, AttributeError, IndexError):
            return None
        values = np.asarray(getattr(answer, "_keras_logits", answer), np.float64)
        return values.reshape(*states.shape[:2], -1)

    def _agrees(self, running: np.ndarray, taken: LayerPass, inputs: np.ndarray) -> bool:
        """Whether a run over the first half of the steps ends with that step's running output."""
        half = inputs.shape[1] // 2
        if running.shape[1] != inputs.shape[1] or half < 1:
            return running.shape[1] == inputs.shape[1]
        try:
            short, _ = keras_outputs.output_of(run(self.network, inputs[:, :half]))
        except RefusedError:
            return False  # the model takes sequences of one length only
        expected = keras_outputs.with_columns(short[:, -1] if short.ndim == 3 else short)
        real = np.ones(len(inputs), bool) if taken.mask is None else taken.batch_first(taken.mask)[:, half - 1]
        found, size = running[:, half - 1], max(1.0, float(np.abs(expected).max()))
        return expected.shape == found.shape and bool((np.abs(expected - found)[real] <= 1e-4 * size).all())
