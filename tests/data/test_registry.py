"""The registry: texts, shapes and data of every task; the data depends on the seed and the data fields only."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data.seeds import generator
from rnn_core.data.sequences import Sequences
from rnn_core.data.series import table_file
from rnn_core.spec.experiment import DataSpec, Experiment

NAMES = [
    *("toy_reviews", "imdb"),
    *("sine", "sines", "square", "sawtooth", "damped", "chirp", "ar", "random_walk", "mackey_glass", "lorenz", "narma", "csv"),
    *("adding", "temporal_order", "first_token", "copying", "delayed_recall", "parity"),
]
GENERATED = [name for name in NAMES if name not in ("imdb", "csv")]
_CSV = b"a,b\n" + b"".join(b"%d,%d\n" % (n % 5, n * n % 13) for n in range(300))
_SMALL = {"length": 24, "samples": 120}


def small(name: str, **changes: object) -> tuple[Experiment, dict[str, bytes]]:
    """A small experiment of a task, and its uploads."""
    uploads = {table_file.key(_CSV): _CSV} if name == "csv" else {}
    source = {"source": table_file.key(_CSV)} if name == "csv" else {}
    return Experiment().replace(task=name, **_SMALL | source | changes), uploads


def digest(dataset: data.Dataset) -> str:
    """A hash of all arrays of a dataset."""
    parts = [dataset.train, dataset.validation, dataset.test]
    return hashlib.sha256(
        b"".join(array.tobytes() for part in parts for array in (part.values, part.offsets, part.targets))
    ).hexdigest()


def test_every_task_is_registered():
    assert list(data.tasks()) == NAMES
    with pytest.raises(ValueError, match=r"task must be one of toy_reviews, imdb, .*, got 'chess'"):
        data.build(Experiment().replace(task="chess"))


@pytest.mark.parametrize("name", NAMES)
def test_a_task_has_its_texts_and_valid_defaults(name):
    task = data.task(name)
    assert task.title
    assert task.description[-1] in ".?"
    assert task.group in ("text", "series", "memory")
    assert task.metric in ("accuracy", "rmse")
    assert task.input_label
    assert task.target_label
    assert set(task.knobs) <= set(DataSpec.__dataclass_fields__)
    Experiment().replace(**task.defaults)  # raises for a field or a value that does not exist
    assert "syn" in task.title.lower() or name != "toy_reviews"


@pytest.mark.parametrize("name", [*GENERATED, "csv"])
def test_shapes_agree_with_the_interface(name):
    experiment, uploads = small(name)
    dataset = data.build(experiment, uploads)
    shape = dataset.interface
    assert data.interface(experiment, uploads) == shape
    for part in (dataset.train, dataset.validation, dataset.test):
        batch = part.pad(np.arange(min(4, len(part))))
        assert batch.inputs.dtype == (np.int32 if shape.inputs == "tokens" else np.float32)
        assert batch.inputs.ndim == (2 if shape.inputs == "tokens" else 3)
        assert shape.inputs == "tokens" or batch.inputs.shape[2] == shape.input_size
        assert part.values.max() < shape.input_size or shape.inputs == "floats"
        if shape.loss == "categorical":
            assert batch.targets.dtype == np.int32
            assert batch.targets.shape == (batch.inputs.shape[:2] if shape.per_step else (len(batch.inputs),))
            assert 0 <= part.targets.min() <= part.targets.max() < shape.outputs
            assert len(data.task(name).classes) == shape.outputs
        else:
            assert batch.targets.dtype == np.float32
            assert batch.targets.shape == (len(batch.inputs), shape.outputs)
    assert all(np.isfinite(value) for value in dataset.baselines.values())
    assert dataset.baselines


@pytest.mark.parametrize("name", GENERATED)
def test_the_data_depends_on_the_seed_and_not_on_the_model(name):
    experiment, _ = small(name)
    assert digest(data.build(experiment)) == digest(data.build(experiment))
    assert digest(data.build(experiment)) == digest(data.build(experiment.replace(cell="gru", units=3, learning_rate=0.5)))
    assert digest(data.build(experiment)) != digest(data.build(experiment.replace(seed=1)))


def test_bits_are_the_same_in_another_process():
    program = (
        "from tests.data.test_registry import digest, small; from rnn_core import data; print(digest(data.build(small('{}')[0])))"
    )
    for name in ("toy_reviews", "adding", "mackey_glass"):
        done = subprocess.run([sys.executable, "-c", program.format(name)], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == digest(data.build(small(name)[0]))


def test_parts_do_not_share_sequences():
    for name in ("toy_reviews", "adding", "copying"):
        dataset = data.build(small(name, length=60)[0])
        first, second = dataset.train, dataset.validation
        assert not any(np.array_equal(first[n], second[n]) for n in range(min(len(first), len(second))))


@pytest.mark.parametrize("name", [name for name in NAMES if data.task(name).group == "memory"])
def test_memory_tasks_have_new_sequences_in_each_epoch(name):
    dataset = data.build(small(name)[0])
    resample = pickle.loads(pickle.dumps(dataset.resample))  # it is sent to worker processes
    np.testing.assert_array_equal(resample(0).values, dataset.train.values)
    np.testing.assert_array_equal(resample(5).targets, dataset.resample(5).targets)
    assert not np.array_equal(resample(1).values, resample(2).values)
    assert len(resample(3)) == len(dataset.train)


def test_generators_of_different_purposes_are_different_streams():
    draws = {tuple(generator(*arguments).integers(0, 2**60, 3)) for arguments in ((0, "a"), (0, "b"), (1, "a"), (0, "a", 1))}
    assert len(draws) == 4


def test_importing_the_registry_loads_no_tensorflow_and_no_pandas():
    program = "import sys; from rnn_core import data; data.tasks(); print([m for m in ('tensorflow', 'keras', 'pandas', 'streamlit') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_batches_pad_in_front_and_keep_the_last_steps():
    sequences = Sequences(np.arange(1, 10, dtype=np.int32), np.array([0, 2, 9]), np.zeros((2, 1), np.float32))
    np.testing.assert_array_equal(sequences.pad(np.array([0, 1]), 4).inputs, [[0, 0, 1, 2], [6, 7, 8, 9]])
    np.testing.assert_array_equal(sequences.pad(np.array([0, 1]), 4, "post").inputs, [[1, 2, 0, 0], [6, 7, 8, 9]])
    np.testing.assert_array_equal(sequences.pad(np.array([0]), 4).mask, [[False, False, True, True]])
    assert sequences.pad(np.array([0]), 4, mask=False).mask is None
    np.testing.assert_array_equal(sequences.take(np.array([1, 0])).values, [3, 4, 5, 6, 7, 8, 9, 1, 2])


@pytest.mark.parametrize("padding", ["bucket", "pre", "post"])
def test_batches_hold_every_sequence_once(padding):
    dataset = data.build(small("toy_reviews", length=60)[0])
    produced = list(data.batches(dataset.train, 7, np.random.default_rng(0), padding=padding, length=60))
    assert sum(len(batch.targets) for batch in produced) == len(dataset.train)
    counted = sum(int((batch.inputs != 0).sum()) for batch in produced)
    assert counted == len(dataset.train.values)  # no token is lost, none doubled
