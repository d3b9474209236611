"""A Keras file of somebody else's model: loaded safely, and put into the store as a run where it can be copied exactly.

Only for a process of its own, such as the command line: TensorFlow is loaded, and a model is called.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_core.data import imported
from rnn_core.data.imported import Description
from rnn_core.data.text.own_vocabulary import read_words
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface
from rnn_core.store.saved import imported_file

if TYPE_CHECKING:
    from rnn_core.engine.model import Model
    from rnn_core.store.store import Store

LONGEST = 2000  # steps of a sequence that is given with a model
LENGTH = 60  # steps of sequences that are drawn, where the model reads any number
MOST = 200_000  # numbers in all of them


def load(path: Path) -> Any:
    """The Keras model of a file, without any code of its own. Raises ValueError with a sentence for every other file."""
    import keras

    if not path.is_file():
        raise ValueError(f"{path} is no file")
    problem: Exception | None = None
    for compiled in (True, False):  # a loss of somebody's own need not keep the model from being loaded
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the state of an optimiser, which is not used
                return keras.models.load_model(path, custom_objects=None, compile=compiled, safe_mode=True)
        except Exception as reason:  # Keras raises many kinds for what it cannot read
            problem = reason
    words = " ".join(str(problem).split())
    if "Could not locate class" in words or "lambda" in words.lower():
        raise ValueError(
            f"{path.name} needs code of its own (a class or function that is not Keras's), which is not run here: probe it in the "
            f"library, where you define that code. Keras says: {words[:200]}"
        )
    raise ValueError(f"{path.name} cannot be loaded as a Keras model: {words[:300]}")


def add(
    store: Store, network: Any, file: str, name: str = "", words: bytes | None = None, sequences: np.ndarray | None = None
) -> str:
    """Put a copy of a Keras model into the store; returns the run's id. Arguments as for `add_model`.

    Raises: ValueError where the app has no network that answers as this model does; the sentence says why.
    """
    from rnn_core.engine.model import from_keras

    return add_model(store, from_keras(network), file, name, words, sequences, network.input_shape[1] or 0)


def add_model(
    store: Store,
    model: Model,
    file: str,
    name: str = "",
    words: bytes | None = None,
    sequences: np.ndarray | None = None,
    length: int = 0,
) -> str:
    """Put a model that was trained elsewhere into the store; returns the run's id.

    Args:
        file: the name of its file.
        name: of the run; default: the file's.
        words: its vocabulary as JSON (see `read_words`).
        sequences: (N, T) token ids or (N, T, D) numbers to run it on; default: drawn at random.
        length: steps of a sequence; 0: any.
    """
    if words is not None and model.interface.inputs != "tokens":
        raise ValueError("the model reads numbers, so it has no vocabulary")
    found = None if words is None else read_words(words, model.interface.input_size)
    given = None if sequences is None else _checked(sequences, model.interface)
    content = Description(file, model.interface, found, given).to_bytes()
    length = length or (LENGTH if given is None else max(map(len, given)))
    experiment = _experiment(model, imported.key(content), min(length, LONGEST))
    run_id = store.create(
        experiment, uploads={experiment.data.source: content}, name=name or Path(file).stem, status="imported",
        message=f"Imported from {file}.",
    )  # fmt: skip
    try:
        store.keep(run_id, imported_file(model))
    except BaseException:
        store.delete(run_id)
        raise
    return run_id


def _experiment(model: Model, source: str, length: int) -> Experiment:
    """The experiment of an imported model: its network, and a task that cannot be trained."""
    fields = {each: getattr(model.spec, each) for each in ("cell", "units", "layers", "bidirectional", "activation", "embedding")}
    fields |= {each: getattr(model.spec, each) for each in ("reset_after", "use_bias", "dropout")}
    size = min(max(model.interface.input_size, 10), 88_587)
    if model.interface.inputs == "tokens":
        fields["vocabulary"] = size
    return Experiment().replace(
        task=imported.NAME, source=source, length=length, padding="pre", mask=model.mask, batch=1, **fields
    )


def _checked(sequences: Any, interface: Interface) -> list[Any]:
    """Given sequences as nested lists. Raises ValueError: what was expected, and what came."""
    values = np.asarray(sequences)
    tokens = interface.inputs == "tokens"
    wanted = "(sequences, steps) whole numbers" if tokens else f"(sequences, steps, {interface.input_size}) numbers"
    fits = values.ndim == (2 if tokens else 3) and (tokens or values.shape[-1] == interface.input_size)
    if not fits or values.dtype.kind not in ("iu" if tokens else "iuf") or 0 in values.shape:
        raise ValueError(f"the sequences must be {wanted}, got {values.dtype} of the shape {values.shape}")
    if values.size > MOST or values.shape[1] > LONGEST:
        raise ValueError(f"the sequences may have {MOST:,} numbers and {LONGEST:,} steps, got the shape {values.shape}")
    if tokens and (values.min() < 0 or values.max() >= interface.input_size):
        raise ValueError(f"token ids must be between 0 and {interface.input_size - 1}, got {values.min()} to {values.max()}")
    if not tokens and not np.isfinite(values).all():
        raise ValueError("the sequences must be finite, got NaN or infinity")
    return list(values.tolist())
