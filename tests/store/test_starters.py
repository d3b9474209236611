"""The starter models: accuracy, size, truthful records, and no review text."""

from __future__ import annotations

import gzip
import json
import math
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rnn_core.data.sequences import Sequences
from rnn_core.data.text import imdb_files
from rnn_core.data.text.token_ids import START, UNKNOWN
from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.probes.states import corpus
from rnn_core.store import run_file, starters
from rnn_core.training.step import TrainingStep
from tests import made_up
from tests.conftest import SHARED_IMDB

ACCURACY = {"simple_rnn": 0.85, "lstm": 0.875, "gru": 0.875}  # of the 25,000 test reviews, at least
imdb = pytest.mark.skipif(not (SHARED_IMDB / "imdb.npz").exists(), reason="needs IMDB beside the project")


def test_they_are_accurate_and_small() -> None:
    found = {info.id.removeprefix("starter-"): info for info in run_file.starters()}
    assert set(found) == set(starters.NAMES)
    for name, least in ACCURACY.items():
        assert found[name].test_metric >= least, name
    assert max(info.test_metric for info in found.values()) >= 0.885
    files = [path for name in starters.NAMES for path in starters.FOLDER.glob(f"{name}.*")]
    assert len(files) == 6
    assert sum(path.stat().st_size for path in files) < 12e6


@pytest.mark.parametrize("name", starters.NAMES)
def test_each_has_its_history_and_profiles(name: str) -> None:
    record = run_file.open_starter(f"starter-{name}")
    spec = record.experiment
    assert (spec.model.cell, spec.model.units, spec.data.vocabulary, spec.data.length) == (name, 32, 10_000, 500)
    assert record.snapshots[0].step == 0
    assert len(record.snapshots) >= 3
    measured = record.history["validation_metric"]
    assert record.info.metric == pytest.approx(np.nanmax(measured))
    best = record.history["step"][np.nanargmax(measured)]
    assert record.snapshots[-1].step == best  # the weights that ship are those with the best validation accuracy
    assert not made_up.problems(record)
    steps, norms = record.norm_history
    assert len(steps) == len(norms) > 10
    assert np.isfinite(norms[:, -1]).all()
    for kept in record.snapshots:
        profile = starters.profile(name, kept.step)
        assert len(profile.cloud) == len(profile.labels) >= 300
        assert np.array_equal(profile.basis.components, starters.profile(name, 0).basis.components)


def test_no_text_ships() -> None:
    """Arrays of numbers and one manifest, and no other file."""
    for path in starters.FOLDER.glob("*.run"):
        with zipfile.ZipFile(path) as archive:
            names = [entry for entry in archive.namelist() if entry != "manifest.json"]
            assert all(entry.endswith(".npz") for entry in names)
    for path in starters.FOLDER.glob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(arrays[name].dtype.kind in "biuf" for name in arrays.files)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(KeyError, match="no starter model"):
        starters.profile("../secrets", 0)
    with pytest.raises(KeyError, match="no profile at step 7"):
        starters.profile("gru", 7)


def test_augmentation_crops_and_drops_words_in_order() -> None:
    from rnn_core.store.starters import build

    values = np.concatenate([[START, *range(10, 10 + n)] for n in (20, 60, 5)]).astype(np.int32)
    offsets = np.cumsum([0, 21, 61, 6])
    whole = Sequences(values, offsets, np.array([[1.0], [0.0], [1.0]], np.float32))
    lengths = set()
    for seed in range(40):
        found = build.augmented(whole, np.random.default_rng(seed))
        assert len(found) == 3
        assert (found.lengths <= whole.lengths).all()
        assert (found.lengths >= np.minimum(whole.lengths, build.SHORTEST_CROP)).all()
        for n in range(3):
            assert found[n][0] == START
            words = found[n][1:]
            real = words[words != UNKNOWN]
            assert np.isin(real, whole[n]).all()
            assert (np.diff(real) > 0).all()  # in the review's own order
        lengths.add(int(found.lengths[1]))
    assert len(lengths) > 5


def test_best_is_chosen_by_validation_and_tested_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole build on toy reviews: the files open, and the test accuracy is that of the weights that ship."""
    from rnn_core.store.starters import build

    small = build.EXPERIMENTS["gru"].replace(task="toy_reviews", length=60, samples=600, epochs=2, learning_rate=0.01)
    monkeypatch.setitem(build.EXPERIMENTS, "gru", small)
    monkeypatch.setattr(build, "PROFILE_REVIEWS", 40)
    monkeypatch.setattr(
        build.corpus, "reviews", lambda task, count, length, size: corpus_reviews("toy_reviews", count, length, size)
    )
    accuracy = build.build("gru", tmp_path)
    monkeypatch.setattr(run_file, "STARTERS", tmp_path)
    record = run_file.open_starter("starter-gru")
    assert record.info.test_metric == pytest.approx(accuracy)
    model = record.model()
    assert all(np.array_equal(weight, weight.astype(np.float16).astype(np.float32)) for weight in model.weights)
    from rnn_core import data

    test = data.build(small).test
    assert test is not None
    assert TrainingStep(model, small.training).evaluate(test, 128)[1] == pytest.approx(accuracy)
    written = (tmp_path / "gru.npz").read_bytes()
    assert len(written) > 1000


corpus_reviews = corpus.reviews


def sampled() -> list[dict[str, object]]:
    with gzip.open(SHARED_IMDB / "raw_test_sample.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@imdb
def test_encoding_raw_text_gives_the_datasets_ids() -> None:
    """1,000 raw test reviews: text → ids gives the dataset's own ids, so the predictions and the accuracy are the same too.

    The dataset leaves out words that Keras's index lacks; the shipped vocabulary encodes them as unknown. They are left out
    here, so that the same words are compared.
    """
    index, words = imdb_files.word_index(), vocabulary()
    _, test = imdb_files.reviews()
    with np.load(SHARED_IMDB / "imdb.npz", allow_pickle=True) as file:
        ranks, labels = file["x_test"], file["y_test"]
    assert len(test) == len(ranks)
    for row in sampled():
        read = words.encode(str(row["text"]), tidy=False)
        there = np.array([True] + [word.lower() in index for word in read.words[1:]])
        ids = np.array([START, *(rank + 3 for rank in ranks[row["index"]])])
        np.testing.assert_array_equal(read.ids[there], np.where(ids < 10_000, ids, UNKNOWN))
        assert labels[row["index"]] == row["label"]


@imdb
@pytest.mark.parametrize("name", starters.NAMES)
def test_reported_accuracy_agrees_with_a_sample_of_the_test_reviews(name: str) -> None:
    record = run_file.open_starter(f"starter-{name}")
    sample = corpus.reviews("imdb", 1500, 500, 10_000)
    found = TrainingStep(record.model(), record.experiment.training).evaluate(sample, 128)[1]
    reported = record.info.test_metric
    assert abs(found - reported) < 4 * math.sqrt(reported * (1 - reported) / len(sample))
