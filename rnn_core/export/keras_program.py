"""An experiment as a Keras program: one file that needs keras and numpy only, with the same data and initial weights."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping

from rnn_core import data
from rnn_core.data import memory_tasks, puzzles
from rnn_core.data.imported import is_imported
from rnn_core.data.seeds import crc
from rnn_core.data.text import toy_grammar, toy_reviews
from rnn_core.data.text.toy_grammar import BLAME, FILLERS, NEGATIONS, PARTS, PRAISE, STRENGTHS, WHOLES
from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.engine.cells import cell_of
from rnn_core.engine.keras_models import HEADS
from rnn_core.export import series_program
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

_LOSSES = {"binary": "binary_crossentropy", "categorical": "sparse_categorical_crossentropy", "squared": "mean_squared_error"}
_LAYERS = {"simple_rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
_OPTIMISERS = {"adam": "Adam", "rmsprop": "RMSprop", "sgd": "SGD"}


def keras_program(experiment: Experiment, uploads: Mapping[str, bytes] | None = None) -> str:
    """The source of the program.

    Args:
        experiment: the program trains it.
        uploads: SHA-256 → bytes; the file of a csv experiment, for its format.

    Raises: ValueError where the experiment's data cannot be built.
    """
    if is_imported(experiment):
        raise ValueError(
            "How this model was trained is not known, so there is no program that trains it: download the model itself."
        )
    task, interface = data.task(experiment.data.task), data.interface(experiment, uploads)
    after = ""
    if task.group == "series":
        made, rows = series_program.data_part(experiment, uploads)
        after = series_program.forecast_part(experiment, rows)
    else:
        made = _data(experiment)
    parts = [_head(experiment, task.title), _model(experiment, interface), _initial_weights(experiment), made]
    program = "\n".join([*parts, _training(experiment, interface, task.group == "memory", after)])
    return re.sub(r"\n{4,}", "\n\n\n", program)


def _head(experiment: Experiment, title: str) -> str:
    first = {"csv": "import sys\n\n", "toy_reviews": "from collections.abc import Callable\n\n"}.get(experiment.data.task, "")
    csv = experiment.data.task == "csv"
    last, needs = ("import pandas\n", "numpy and pandas") if csv else ("", "and numpy")
    return f'''"""{title}, as a plain Keras program. Written by Unrolled; it needs keras with a backend, {needs}."""

from __future__ import annotations

{first}import keras
import numpy as np
{last}
SEED, LENGTH = {experiment.seed}, {experiment.data.length}
keras.utils.set_random_seed(SEED)
'''


def _model(experiment: Experiment, interface: Interface) -> str:
    spec, tokens = experiment.model, interface.inputs == "tokens"
    lines = ['keras.Input((None,), dtype="int32"),' if tokens else f"keras.Input((None, {interface.input_size})),"]
    if tokens:
        lines.append(
            f"keras.layers.Embedding({interface.input_size}, {spec.embedding}{', mask_zero=True' if experiment.data.mask else ''}),"
        )
    for n in range(spec.layers):
        layer = _layer(experiment, interface.per_step or n < spec.layers - 1)
        lines.append(f"keras.layers.Bidirectional({layer})," if spec.bidirectional else f"{layer},")
    head = HEADS[interface.loss]
    lines.append(f"keras.layers.Dense({interface.outputs}" + (")," if head == "linear" else f', activation="{head}"),'))
    return "model = keras.Sequential(\n    [\n" + "".join(f"        {line}\n" for line in lines) + "    ]\n)\n"


def _layer(experiment: Experiment, sequences: bool) -> str:
    """Source of one recurrent layer, with the arguments that differ from Keras's defaults."""
    spec = experiment.model
    options = {
        "activation": (spec.activation, "tanh"),
        "recurrent_initializer": (spec.initialiser, "orthogonal"),
        "use_bias": (spec.use_bias, True),
        "dropout": (spec.dropout, 0.0),
        "reset_after": (spec.reset_after or spec.cell != "gru", True),
        "return_sequences": (sequences, False),
    }
    arguments = [str(spec.units)] + [
        f"{name}={_literal(value)}" for name, (value, default) in options.items() if value != default
    ]
    if spec.cell not in _LAYERS:
        raise ValueError(f"Keras has no layer for the cell {spec.cell!r}, so there is no Keras program of this experiment")
    return f"keras.layers.{_LAYERS[spec.cell]}({', '.join(arguments)})"


def _initial_weights(experiment: Experiment) -> str:
    """Source that sets what Keras's initialisers lack: the recurrent gain and the gate bias."""
    spec, lines = experiment.model, []
    cell = cell_of(spec)
    if spec.gain != 1:
        lines.append(f"    cell.recurrent_kernel.assign(cell.recurrent_kernel * {spec.gain!r})  # recurrent gain")
    if spec.gate_bias is not None and spec.use_bias and cell.keep:
        first = cell.columns.index(cell.keep) * spec.units
        row = "0, " if cell.recurrent_bias else ""
        lines.append("    bias = cell.bias.numpy()")
        lines.append(f"    bias[{row}{first}:{first + spec.units}] = {spec.gate_bias!r}  # bias of the {cell.keep} gate")
        lines.append("    cell.bias.assign(bias)")
    if not lines:
        return ""
    wrappers = "[layer for layer in model.layers if isinstance(layer, keras.layers.Bidirectional)]"
    both = f"[side.cell for layer in {wrappers} for side in (layer.forward_layer, layer.backward_layer)]"
    one = '[layer.cell for layer in model.layers if hasattr(layer, "cell")]'
    return "\n".join([f"for cell in {both if spec.bidirectional else one}:", *lines, ""])


def _literal(value: object) -> str:
    """A value as Python source, strings in double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _data(experiment: Experiment) -> str:
    name = experiment.data.task
    if name == "imdb":
        return _imdb(experiment)
    if name == "toy_reviews":
        return _toy_reviews(experiment)
    return _puzzle(experiment)


def _padding(experiment: Experiment) -> str:
    """Arguments of `pad_sequences`. Bucketed batches are padded to one length, which is equivalent with a mask."""
    return "maxlen=LENGTH" + (', padding="post"' if experiment.data.padding == "post" else "")


def _imdb(experiment: Experiment) -> str:
    spec = experiment.data
    cut = f"[:{spec.samples}]" if spec.samples else ""
    return f"""
(x_train, y_train), (x_test, y_test) = keras.datasets.imdb.load_data(num_words={spec.vocabulary})
x_train = keras.utils.pad_sequences(x_train{cut}, {_padding(experiment)})  # keeps the last tokens of a longer review
x_test = keras.utils.pad_sequences(x_test, {_padding(experiment)})
held_out = int(len(x_train) * (1.0 - {spec.validation!r}))  # the last reviews, as Keras's validation_split takes them
x_validation, y_validation = x_train[held_out:], y_train[{f"held_out:{spec.samples}" if spec.samples else "held_out:"}]
x_train, y_train = x_train[:held_out], y_train[:held_out]
"""


def _toy_reviews(experiment: Experiment) -> str:
    spec, words = experiment.data, vocabulary(experiment.data.vocabulary)
    texts = (*PRAISE, *BLAME, *PARTS, *WHOLES, *NEGATIONS, *STRENGTHS, *FILLERS)
    used = sorted({word for text in (*texts, "the is but although even though") for word in text.split()})
    source = inspect.getsource(toy_grammar).split("from collections.abc import Callable\n", 1)[1]
    ids = "\n".join(f"    {word!r}: {words.id(word)}," for word in used)
    sizes = toy_reviews.sizes(spec)
    return f"""
# A grammar writes the reviews; they are synthetic.
{source}
IDS = {{  # of Keras's IMDB vocabulary; 1 starts a review, 2 is an unknown word
{ids}
}}


def reviews(count: int, purpose: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([SEED, purpose, 0])
    labels = rng.integers(0, 2, count).astype(bool)
    texts = [review(label, LENGTH - 1, rng.random)[0] for label in labels]
    ids = [[1, *(IDS[word] for word in text.lower().replace(".", " ").replace(",", " ").split())] for text in texts]
    return keras.utils.pad_sequences(ids, {_padding(experiment)}), labels[:, None].astype("float32")


{_three_parts("reviews", "toy_reviews", sizes)}"""


def _three_parts(function: str, purpose: str, sizes: Mapping[str, int]) -> str:
    return "".join(f"x_{part}, y_{part} = {function}({size}, {crc(f'{purpose}/{part}')})\n" for part, size in sizes.items())


def _puzzle(experiment: Experiment) -> str:
    spec, draw = experiment.data, getattr(puzzles, experiment.data.task)
    count, held_out = memory_tasks.sizes(spec)
    sizes = {"train": count, "validation": held_out, "test": memory_tasks.HELD_OUT}
    return f"""

{inspect.getsource(draw)}

def sequences(count: int, purpose: int, epoch: int = 0) -> tuple[np.ndarray, np.ndarray]:
    return {draw.__name__}(count, LENGTH, {spec.horizon}, np.random.default_rng([SEED, purpose, epoch]))


{_three_parts("sequences", draw.__name__, sizes)}"""


def _training(experiment: Experiment, interface: Interface, fresh: bool, after: str) -> str:
    spec = experiment.training
    clip = f", global_clipnorm={spec.clip!r}" if spec.clip else ""
    squared = interface.loss == "squared"
    metric = 'keras.metrics.RootMeanSquaredError(name="rmse")' if squared else '"accuracy"'
    fit = "model.fit(x_train, y_train, batch_size={}, {}validation_data=(x_validation, y_validation))"
    if fresh:
        purpose = crc(f"{experiment.data.task}/train")
        loop = fit.format(spec.batch, "initial_epoch=epoch, epochs=epoch + 1, ")
        fitting = f"for epoch in range({spec.epochs}):  # fresh sequences in every epoch\n"
        fitting += f"    x_train, y_train = sequences(len(x_train), {purpose}, epoch)\n    {loop}"
    else:
        fitting = fit.format(spec.batch, f"epochs={spec.epochs}, ")
    return f"""
model.summary()
optimiser = keras.optimizers.{_OPTIMISERS[spec.optimiser]}(learning_rate={spec.learning_rate!r}{clip})
model.compile(optimizer=optimiser, loss="{_LOSSES[interface.loss]}", metrics=[{metric}])
{fitting}
loss, metric = model.evaluate(x_test, y_test)
{after}print(f"Test {"RMSE" if squared else "Accuracy"}: {{metric:.4f}}")
"""
