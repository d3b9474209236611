"""Every page with a model that was trained elsewhere: what it shows, and what it says instead of a training history."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.guard import caught
from rnn_core import data
from rnn_core.data import imported
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


def test_it_can_be_exported_and_imported_again(pages: FakeService) -> None:
    run_id = added(pages, "words")
    again = pages.store.open(pages.store.import_(pages.store.export(run_id, pages.store.home / "their.run")))
    assert (again.status, again.upload_missing) == ("imported", False)
    for one, other in zip(again.model().weights, pages.store.open(run_id).model().weights, strict=True):
        np.testing.assert_array_equal(one, other)
