"""The Sentence page: the choice of models and texts, comparisons, and hostile texts."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.sentence import text_box
from pages.shared import run_picker
from pages.shared.session import key
from rnn_core.probes.sentence import attributions
from rnn_core.probes.states import corpus
from rnn_core.spec.experiment import Experiment
from rnn_core.store.store import Store
from tests import made_up
from tests.conftest import ROOT

EXAMPLES = {example.name: example for example in text_box.EXAMPLES}


class InlineService:
    """A service that computes probes at once, in this process."""

    state, message = "ready", ""

    def queue(self) -> list[Any]:
        return []

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        answer: Future[Any] = Future()
        try:
            answer.set_result(function(*args, **kwargs))
        except Exception as error:
            answer.set_exception(error)
        return answer


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[AppTest]:
    """The page, opened from the navigation."""
    store = Store(tmp_path)
    monkeypatch.setattr(run_picker, "service", InlineService)
    monkeypatch.setattr(run_picker, "running_service", InlineService)
    monkeypatch.setattr(run_picker, "start_workers", lambda: None)
    monkeypatch.setattr(run_picker, "store", lambda: store)
    monkeypatch.setattr(corpus, "imdb_present", lambda: False)
    opened = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    yield opened.switch_page("pages/sentence.py")
    store.close()


def players(app: AppTest) -> list[dict[str, Any]]:
    """The headers of the payloads of all token players on the page."""
    found = []
    for element in app.get("bidi_component"):
        raw = element.proto.bytes if element.proto.WhichOneof("data") == "bytes" else b""
        if raw and not raw.startswith(b"{"):
            found.append(json.loads(raw[4 : 4 + struct.unpack("<I", raw[:4])[0]]))
    return found


def without_exception(app: AppTest) -> AppTest:
    assert not app.exception, [one.value for one in app.exception]
    return app


def test_the_page_opens_with_an_example_and_three_cells(app: AppTest) -> None:
    (header,) = players(without_exception(app.run()))
    assert [panel["title"] for panel in header["panels"]] == ["Vanilla RNN", "LSTM", "GRU"]
    assert header["sentences"][0]["words"][:3] == ["<start>", "Great", "cast"]
    assert [block["name"] for block in header["panels"][1]["blocks"]] == ["h", "c", "input", "forget", "cell", "output"]
    assert any(EXAMPLES["Contrast"].note in caption.value for caption in app.caption)


@pytest.mark.parametrize("words", ["", "nobody", "<b>LSTM</b>"])
def test_a_link_with_invalid_choices_shows_three_cells(app: AppTest, words: str) -> None:
    for name in ("who", "against", "method"):
        app.query_params[name] = words
    (header,) = players(without_exception(app.run()))
    assert len(header["panels"]) == 3


def test_a_chosen_run_is_selected_instead_of_the_model_before(app: AppTest) -> None:
    app.run()
    app.get_by_key("who").set_value("starter-gru")
    without_exception(app.run())
    run = made_up.fill(
        run_picker.store(), experiment=Experiment().replace(task="toy_reviews", length=20, units=8, cell="gru"), name="GRU"
    )
    app.query_params["run"] = run
    (header,) = players(without_exception(app.run()))
    assert app.get_by_key("who").value == run
    assert len(header["panels"]) == 1
    assert len(set(app.get_by_key("who").options)) == 5, "names differ, also from the starter models"
    app.get_by_key("who").set_value("three")
    (header,) = players(without_exception(app.run()))
    assert len(header["panels"]) == 3


def test_one_cell_and_another_method(app: AppTest) -> None:
    app.run()
    app.get_by_key("who").set_value("starter-gru")
    app.get_by_key("method").set_value("leave_one_out")
    (header,) = players(without_exception(app.run()))
    assert [panel["title"] for panel in header["panels"]] == ["GRU"]
    assert header["quantities"]["attribution"] == attributions.METHODS["leave_one_out"]
    assert "promises no sum" in header["panels"][0]["readings"][0]["note"]


def test_one_word_changed(app: AppTest) -> None:
    app.run()
    app.get_by_key("against").set_value("word")
    app.run()
    app.get_by_key(key("sentence", "changed_step")).set_value(13)
    app.get_by_key(key("sentence", "changed_word")).set_value("brilliant")
    (header,) = players(without_exception(app.run()))
    assert header["sentences"][1]["words"][13] == "brilliant"
    assert header["parting"] == 13
    texts = [one.value for one in app.markdown if "readings first differ at" in one.value]
    assert len(texts) == 3
    assert "brilliant" in texts[0]


def test_another_text_beside_the_first(app: AppTest) -> None:
    app.run()
    app.get_by_key("against").set_value("text")
    (header,) = players(without_exception(app.run()))
    assert header["sentences"][1]["words"][1:4] == ["This", "film", "is"]


def test_two_texts_without_a_common_word_have_no_furthest_point(app: AppTest) -> None:
    app.run()
    app.get_by_key("example").set_value("Sarcasm")
    app.get_by_key("against").set_value("text")
    without_exception(app.run())
    texts = [one.value for one in app.markdown if "readings first differ at" in one.value]
    assert len(texts) == 3
    assert all("(token 2) and end at" in one and "furthest" not in one for one in texts)


def test_the_same_text_through_training(app: AppTest) -> None:
    app.run()
    app.get_by_key("against").set_value("training")
    (header,) = players(without_exception(app.run()))
    titles = [panel["title"] for panel in header["panels"]]
    assert titles[0] == "LSTM, untrained"
    assert len(titles) >= 3
    assert titles[-1].startswith("LSTM, epoch")
    axes = {tuple(panel["axes"]) for panel in header["panels"]}
    assert len(axes) == 1  # the same axes for all


HOSTILE = {
    "emoji": "😀 🎬🎬 👩‍👩‍👧 great 💔",
    "right to left": "הסרט הזה נפלא מאוד وهذا الفيلم رائع",
    "html": "<script>alert(1)</script> <b>bold</b> <img src=x onerror=alert(1)> [link](javascript:alert(1)) $x^2$ :red[x]",
    "all unknown": "zorgblatt flumpet quuxly",
    "one letter": "a",
    "a very long word": "a" * 20_000,
    "control characters": "good\x00\x07film\u202egnorts\ufeff",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_text_breaks_the_page(app: AppTest, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(text_box, "composer", lambda *args, **kwargs: text)
    (header,) = players(without_exception(app.run()))
    assert header["sentences"][0]["words"][0] == "<start>"


@pytest.mark.parametrize("text", ["", "   \n", "..., !!! ---"])
def test_an_empty_text_shows_a_message(app: AppTest, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(text_box, "composer", lambda *args, **kwargs: text)
    assert players(without_exception(app.run())) == []
    assert any("Nothing to read" in one.value for one in app.info)


def test_of_ten_thousand_words_the_chosen_part_is_read(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(["first"] * 5000 + ["last"] * 5000)
    monkeypatch.setattr(text_box, "composer", lambda *args, **kwargs: text)
    (header,) = players(without_exception(app.run()))
    assert header["sentences"][0]["words"] == ["last"] * 500
    app.get_by_key(key("sentence", "part")).set_value("first")
    (header,) = players(without_exception(app.run()))
    assert header["sentences"][0]["words"] == ["<start>"] + ["first"] * 499


def test_unknown_words_are_marked_and_named(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_box, "composer", lambda *args, **kwargs: "good zorgblatt *film* zorgblatt")
    (header,) = players(without_exception(app.run()))
    assert header["sentences"][0]["known"] == [True, True, False, True, False]
    assert any("2 of 4 words are not" in caption.value and "zorgblatt" in caption.value for caption in app.caption)
