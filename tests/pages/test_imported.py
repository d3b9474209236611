"""Every page with a model that was trained elsewhere: what it shows, and what it says instead of a training history."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.guard import caught
from rnn_core import data
from rnn_core.__main__ import main
from rnn_core.data import imported
from rnn_core.data.text.own_vocabulary import OwnVocabulary
from rnn_core.export.keras_program import keras_program
from rnn_core.service.service import Service
from rnn_core.spec.experiment import ModelSpec
from rnn_core.spec.interface import Interface
from rnn_core.store import keras_import
from rnn_core.store.saved import weight_shapes
from tests import made_up
from tests.conftest import ROOT
from tests.pages.test_runs import PAGES, FakeService, pages, service, views, words

__all__ = ["pages", "service"]  # fixtures
WORDS = json.dumps({word: number for number, word in enumerate(("the", "film", "is", "good", "bad", "and", "plot", "cast"), 1)})
TOKENS, NUMBERS = Interface("tokens", 20, 1, "binary"), Interface("floats", 3, 2, "squared")
KINDS: dict[str, tuple[ModelSpec, Interface, dict[str, Any]]] = {
    "words": (ModelSpec("lstm", 4, embedding=3), TOKENS, {"words": WORDS.encode()}),
    "ids": (ModelSpec("gru", 4, embedding=3), TOKENS, {}),
    "numbers": (ModelSpec("simple_rnn", 4, layers=2), NUMBERS, {"sequences": np.ones((5, 6, 3))}),
    "classes": (ModelSpec("gru", 4, bidirectional=True), Interface("floats", 2, 3, "categorical", per_step=True), {}),
}


def added(service: FakeService, kind: str) -> str:
    spec, interface, more = KINDS[kind]
    rng = np.random.default_rng(0)
    weights = tuple(rng.normal(0, 0.5, shape).astype(np.float32) for shape in weight_shapes(spec, interface))
    model = made_up.Model(spec, interface, interface.inputs == "tokens", weights)
    return keras_import.add_model(service.store, model, "somebody.keras", f"Their {kind}", length=12, **more)


EXPECTED = {
    "Home": "is chosen: look inside it",
    "Lessons": "A lesson measures networks of its own",
    "Train": "was not trained here, so it has no training history",
    "Compare": "has no training curves to compare",
    "Hidden states": "as it was imported. Its input",
    "Gradients": "as it was imported. Its input",
}


def opened(run_id: str, page: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["run"] = run_id
    app.run()
    if page != "Home":
        app.switch_page(PAGES[page])
        app.query_params["run"] = run_id
        app.run()
    return app


CASES = [("Home", "ids"), ("Lessons", "ids"), ("Train", "words"), ("Compare", "numbers"), *(("Hidden states", kind) for kind in KINDS), *(("Gradients", kind) for kind in ("words", "numbers", "classes")), *(("Sentence", kind) for kind in KINDS)]  # fmt: skip


@pytest.mark.parametrize(("page", "kind"), CASES)
def test_a_page_says_what_it_can_do_with_an_imported_model(pages: FakeService, page: str, kind: str) -> None:
    app = opened(added(pages, kind), page)
    reads = "only a model that reads a text" if kind in ("numbers", "classes") else "can read your text"
    assert (EXPECTED.get(page) or reads) in words(app)
    for _ in views(app, page):
        assert not app.exception, [one.value for one in app.exception]
        assert not caught
        assert not [
            bad for bad in ("Traceback", "NaN", "nan", "None", "as untrained", "0 training steps") if f" {bad}" in words(app)
        ]


def test_a_model_of_ids_reads_ids_and_one_with_words_its_own(pages: FakeService) -> None:
    app = opened(added(pages, "ids"), "Sentence")
    assert "type token ids from 0 to 19" in words(app)
    record = pages.store.open(added(pages, "words"))
    own = imported.vocabulary_of(record.experiment, record.uploads)
    assert own.encode("The film is zorg good!").ids.tolist() == [1, 2, 3, 4]
    assert own.decode(np.array([4, 5, 19])) == ("good", "bad", "#19")


def test_an_imported_model_cannot_be_trained_here_nor_chosen_as_a_task(pages: FakeService) -> None:
    app = opened(added(pages, "numbers"), "Train")
    labels = [button.label for button in app.button]
    assert not {"Play", "Train on", "Reset", "New weights"} & set(labels)
    assert imported.NAME not in data.tasks()


def test_no_command_trains_it(pages: FakeService, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = added(pages, "numbers")
    with pytest.raises(ValueError, match="cannot be trained here"):
        Service.submit(pages, pages.store.open(run_id).experiment, viewer="")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no program that trains it"):
        keras_program(pages.store.open(run_id).experiment)
    assert main(["resume", run_id, "--home", str(pages.store.home)]) == 1
    assert "cannot be trained here" in capsys.readouterr().err


def test_without_its_description_a_page_says_what_to_do(pages: FakeService) -> None:
    run_id = added(pages, "words")
    source = pages.store.open(run_id).experiment.data.source
    (file,) = [path for path in pages.store.home.rglob(f"*{source}*") if path.is_file()]
    content = file.read_bytes()
    file.unlink()
    try:
        for page in ("Hidden states", "Train", "Sentence"):
            said = words(opened(run_id, page))
            assert "is not known on this server any more" in said or "has no training history" in said
    finally:
        file.write_bytes(content)


@pytest.mark.parametrize(("sequences", "said"), [
    (np.ones((2, 3, 2)), "must be"), (np.full((2, 3, 3), np.nan), "finite"), (np.ones((1, 3000, 3)), "may have"), (np.ones((0, 3, 3)), "must be"),
])  # fmt: skip
def test_sequences_that_do_not_fit_are_refused(pages: FakeService, sequences: np.ndarray, said: str) -> None:
    spec, interface, _ = KINDS["numbers"]
    model = made_up.Model(spec, interface, False, ())
    with pytest.raises(ValueError, match=said):
        keras_import.add_model(pages.store, model, "x.keras", sequences=sequences)


def test_unknown_words_get_the_unknown_word_where_there_is_one() -> None:
    own = OwnVocabulary({"<start>": 0, "[UNK]": 1, "film": 2, "Éclair": 3}, 10)
    assert own.encode("Film zorg Éclair").ids.tolist() == [0, 2, 1, 3]
    assert own.encode("Film zorg").known.tolist() == [True, True, False]
    assert own.left_out("zorg") == ()
    bare = OwnVocabulary({"film": 2}, 10)
    assert (bare.encode("a Film").ids.tolist(), bare.left_out("a Film")) == ([2], ("a",))


def test_it_can_be_exported_and_imported_again(pages: FakeService) -> None:
    run_id = added(pages, "words")
    again = pages.store.open(pages.store.import_(pages.store.export(run_id, pages.store.home / "their.run")))
    assert (again.status, again.upload_missing) == ("imported", False)
    for one, other in zip(again.model().weights, pages.store.open(run_id).model().weights, strict=True):
        np.testing.assert_array_equal(one, other)
