"""IMDB: the order of its sources, reading as Keras does, and the fast copy; random files where the real ones are missing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from rnn_core import data
from rnn_core.data.text import imdb, imdb_files
from rnn_core.spec import presets
from rnn_core.spec.experiment import Experiment
from tests.conftest import SHARED_IMDB

real = pytest.mark.skipif(not (SHARED_IMDB / "imdb.npz").exists(), reason="IMDB is not on this machine")


@pytest.fixture(autouse=True)
def _empty_cache():
    imdb_files._reviews.cache_clear()
    yield
    imdb_files._reviews.cache_clear()


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without IMDB: an empty Keras cache and an empty home."""
    monkeypatch.delenv("UNROLLED_IMDB", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path / "home"))
    return tmp_path


def write(folder: Path, count: int = 40, seed: int = 0) -> Path:
    """Writes an imdb.npz of random ranks, in Keras's layout."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    reviews = {}
    for part in ("train", "test"):
        lists = np.empty(count, object)
        lists[:] = [rng.integers(1, 20_000, rng.integers(1, 30)).tolist() for _ in range(count)]
        reviews |= {f"x_{part}": lists, f"y_{part}": rng.integers(0, 2, count)}
    np.savez(folder / "imdb.npz", **reviews)
    return folder


def test_the_folder_of_the_variable_comes_first(nowhere, monkeypatch):
    write(nowhere / "keras" / "datasets", count=30)
    monkeypatch.setenv("UNROLLED_IMDB", str(write(nowhere / "mine", count=20)))
    assert len(imdb_files.reviews()[0]) == 20
    monkeypatch.delenv("UNROLLED_IMDB")
    assert len(imdb_files.reviews()[0]) == 30


def test_a_folder_without_the_file_is_an_error_with_advice(nowhere, monkeypatch):
    monkeypatch.setenv("UNROLLED_IMDB", str(nowhere))
    with pytest.raises(FileNotFoundError, match=r"UNROLLED_IMDB is .* no imdb\.npz in it\. .*toy reviews"):
        data.build(presets.get("textbook"))
    assert not imdb_files.available()


def test_the_fast_copy_is_used_and_renewed(nowhere):
    folder = write(nowhere / "keras" / "datasets", count=20)
    first = imdb_files.reviews()[0]
    copy = nowhere / "home" / "imdb-ids.npz"
    assert copy.is_file()
    imdb_files._reviews.cache_clear()
    np.testing.assert_array_equal(imdb_files.reviews()[0].values, first.values)
    write(folder, count=25, seed=1)  # the source changes: the copy is renewed
    assert len(imdb_files.reviews()[0]) == 25
    copy.write_bytes(copy.read_bytes()[:1000])  # a damaged copy is replaced
    imdb_files._reviews.cache_clear()
    assert len(imdb_files.reviews()[0]) == 25
    (folder / "imdb.npz").unlink()  # without the source the copy is read
    imdb_files._reviews.cache_clear()
    assert imdb_files.available()
    assert len(imdb_files.reviews()[0]) == 25


def test_the_copy_made_in_advance_is_read(nowhere, monkeypatch):
    imdb_files.prepare()  # without a source nothing happens
    folder, copy = write(nowhere / "keras" / "datasets"), nowhere / "home" / "imdb-ids.npz"
    monkeypatch.setattr(imdb_files, "MIN_FREE_BYTES", 2**70)
    imdb_files.prepare()
    assert not copy.exists(), "too little free space for a copy in advance"
    monkeypatch.setattr(imdb_files, "MIN_FREE_BYTES", 0)
    imdb_files.prepare()
    assert copy.is_file()
    with monkeypatch.context() as patch:
        patch.setattr(imdb_files, "_read", lambda path: pytest.fail("the slow file was read again"))
        imdb_files.prepare()
        assert len(imdb_files.reviews()[0]) == 40
    (folder / "imdb.npz").write_bytes(b"no longer IMDB")
    copy.unlink()
    imdb_files.prepare()  # a damaged file is an error of `reviews`, not here


def test_reviews_are_read_without_a_writable_home(nowhere, monkeypatch):
    write(nowhere / "keras" / "datasets")
    (nowhere / "home").write_text("a file where the folder should be")
    assert len(imdb_files.reviews()[0]) == 40


def test_a_file_of_another_format_is_refused_in_one_sentence(nowhere, monkeypatch):
    (nowhere / "imdb.npz").write_bytes(b"not an archive at all")
    monkeypatch.setenv("UNROLLED_IMDB", str(nowhere))
    with pytest.raises(ValueError, match="is not the IMDB file of Keras"):
        imdb_files.reviews()


def test_keras_downloads_the_file_and_checks_its_hash(nowhere, monkeypatch):
    file = write(nowhere / "served", count=15) / "imdb.npz"
    monkeypatch.setattr(imdb_files, "_ORIGIN", f"{(nowhere / 'served').as_uri()}/")
    with pytest.raises(FileNotFoundError, match="could not be downloaded"):  # a file with another hash is refused
        imdb_files.reviews()
    monkeypatch.setitem(imdb_files._HASHES, "imdb.npz", hashlib.sha256(file.read_bytes()).hexdigest())
    assert len(imdb_files.reviews()[0]) == 15
    assert imdb_files.find("imdb.npz") is not None


def test_a_failed_download_is_one_sentence_with_advice(nowhere, monkeypatch):
    monkeypatch.setattr(imdb_files, "_ORIGIN", "http://127.0.0.1:9/")  # no server there
    with pytest.raises(
        FileNotFoundError, match=r"not on this machine and could not be downloaded .*UNROLLED_IMDB.*toy reviews"
    ) as caught:
        data.build(presets.get("textbook"))
    assert "\n" not in str(caught.value)


def test_the_last_tokens_are_kept_and_rare_words_become_unknown(nowhere):
    write(nowhere / "keras" / "datasets")
    full, _ = imdb_files.reviews()
    cut = imdb.last_tokens(full, 10, 5_000)
    for n in range(len(full)):
        expected = np.where(full[n] < 5_000, full[n], 2)[-10:]
        np.testing.assert_array_equal(cut[n], expected)


def test_the_validation_part_is_the_last_share(nowhere):
    write(nowhere / "keras" / "datasets")
    experiment = Experiment().replace(task="imdb", length=50, vocabulary=88_587, validation=0.25)
    dataset = data.build(experiment)
    full, _ = imdb_files.reviews()
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (30, 10, 40)
    np.testing.assert_array_equal(dataset.validation[9], full[39])
    few = data.build(experiment.replace(samples=8))
    assert (len(few.train), len(few.validation), len(few.test)) == (6, 2, 40)


@real
def test_real_imdb_equals_what_keras_loads(monkeypatch):
    """Against keras.datasets.imdb.load_data on the same file: every id and every label of the textbook program."""
    import keras.src.datasets.imdb as module
    from keras.utils import pad_sequences

    monkeypatch.setattr(module, "get_file", lambda fname, **_: str(SHARED_IMDB / fname))
    monkeypatch.setenv("UNROLLED_IMDB", str(SHARED_IMDB))
    (x_train, y_train), (x_test, y_test) = module.load_data(num_words=10_000)
    dataset = data.build(presets.get("textbook"))
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (20_000, 5_000, 25_000)
    parts = [(dataset.train, x_train[:20_000], y_train[:20_000]), (dataset.validation, x_train[20_000:], y_train[20_000:])]
    for ours, texts, labels in [*parts, (dataset.test, x_test, y_test)]:
        batch = ours.pad(np.arange(len(ours)), 500)
        np.testing.assert_array_equal(batch.inputs, pad_sequences(texts, 500))
        np.testing.assert_array_equal(batch.targets[:, 0], labels)
    assert imdb_files.reviews()[0].lengths.mean() == pytest.approx(238.71, abs=0.005)
