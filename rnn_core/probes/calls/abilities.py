"""What each recurrent layer of a Keras model can show: every probe is tried on random inputs, and a refusal keeps its sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_core.probes.calls.keras_inputs import embeddings
from rnn_core.probes.calls.keras_model import KerasModel
from rnn_core.probes.calls.keras_record import recurrent_layers
from rnn_core.probes.calls.keras_run import run

PROBES = ("states", "gates", "gradients", "jacobians", "attributions")
STEPS, SIZE, EXAMPLES = 8, 4, 2  # of the random inputs: time steps, other axes of any size, and examples
NO_GATES = "a SimpleRNN has no gates"


@dataclass(frozen=True)
class Abilities:
    """What one call of one recurrent layer can show."""

    layer: str  # its name, as the probes take it
    cell: str  # name of the Keras class, such as "LSTM"
    units: int  # H; 0 where it is not known
    why_not: dict[str, str]  # one of PROBES → the sentence that says why not; "" where it can


def abilities(network: Any) -> tuple[Abilities, ...]:
    """Every recurrent layer in the order of the calls. Raises ValueError for a model without any, and for one never built."""
    KerasModel(network)
    try:
        inputs = random_inputs(network)
        ran = [(one.layer, one.name) for one in run(network, inputs).ran]
    except ValueError as problem:
        why = dict.fromkeys(PROBES, str(problem))
        return tuple(Abilities(name, _cell(layer), getattr(layer, "units", 0), why) for layer, name in recurrent_layers(network))
    whole = _why_not(lambda: _attributions(network, inputs))
    return tuple(Abilities(name, _cell(layer), getattr(layer, "units", 0), _of_layer(network, inputs, layer, name, whole)) for layer, name in ran)  # fmt: skip


def _of_layer(network: Any, inputs: Any, layer: Any, name: str, attributions: str) -> dict[str, str]:
    from keras import tree

    from rnn_core.probes.gradients.state_gradients import state_gradients
    from rnn_core.probes.jacobians.jacobians import jacobians
    from rnn_core.probes.states.traces import trace

    states = _why_not(lambda: trace(network, inputs, layer=name))
    found = {
        "states": states,
        "gates": states or (NO_GATES if _cell(layer) == "SimpleRNN" else ""),
        "gradients": _why_not(lambda: state_gradients(network, inputs, layer=name)),
        "jacobians": _why_not(lambda: jacobians(network, tree.map_structure(lambda part: part[0], inputs), layer=name)),
        "attributions": attributions,
    }
    return {probe: found[probe] for probe in PROBES}


def _attributions(network: Any, inputs: Any) -> None:
    from rnn_core.probes.sentence.attributions import attributions

    attributions(network, inputs, "gradient_norm")


def _why_not(probe: Callable[[], Any]) -> str:
    """The sentence of a refusal; "" where the probe answers."""
    try:
        probe()
    except ValueError as problem:
        return str(problem)
    return ""


def random_inputs(network: Any) -> Any:
    """Inputs that fit a model: one array, or a list or dict of arrays. Raises ValueError where its inputs are not known."""
    from keras import tree

    if not getattr(network, "inputs", None):
        raise ValueError("what the model reads is not known, because it is a class of its own: probe it with inputs of yours")
    rng, tables = np.random.default_rng(0), embeddings(network)
    size = min((table.input_dim for table in tables), default=2)

    def drawn(tensor: Any) -> np.ndarray:
        first = tensor.shape[0] or EXAMPLES
        shape = [first, *(length or (SIZE if n else STEPS) for n, length in enumerate(tensor.shape[1:]))]
        if "int" in str(tensor.dtype) or (tables and len(shape) == 2 and tensor.shape[1] is None):
            return rng.integers(0, size, shape).astype(np.int32)
        return rng.normal(size=shape).astype(np.float32)

    found = tree.map_structure(drawn, getattr(network, "_inputs_struct", network.inputs))
    return found[0] if isinstance(found, (list, tuple)) and len(found) == 1 else found


def _cell(layer: Any) -> str:
    """ "LSTM" of an LSTM layer and of a cell inside RNN."""
    name = type(layer).__name__
    return name if name != "RNN" else type(layer.cell).__name__.removesuffix("Cell")
