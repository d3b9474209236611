"""The Sentence page: what it says of the examples is what the starters do, and no text can break it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.sentence import text_box
from pages.parts.sentence.player import Pick, _checked, payload
from pages.shared import run_picker
from pages.shared.session import key
from rnn_core.probes.sentence import reading
from rnn_core.probes.states import corpus
from rnn_core.service import sentence
from rnn_core.spec.experiment import Experiment
from rnn_core.store.store import Store
from tests import made_up
from tests.conftest import ROOT
from tests.probes.test_units import starter

CELLS = ("simple_rnn", "lstm", "gru")
EXAMPLES = {example.name: example for example in text_box.EXAMPLES}


class Inline:
    """A service that computes at once, in this process."""

    state, message = "ready", ""

    def queue(self) -> list[Any]:
        return []

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
        answer: Future[Any] = Future()
        try:
            answer.set_result(function(*args, **kwargs))
        except Exception as problem:
            answer.set_exception(problem)
        return answer


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[AppTest]:
    """The page, opened from the navigation."""
    store = Store(tmp_path)
    monkeypatch.setattr(run_picker, "service", Inline)
    monkeypatch.setattr(run_picker, "running_service", Inline)
    monkeypatch.setattr(run_picker, "warm", lambda: None)
    monkeypatch.setattr(run_picker, "store", lambda: store)
    monkeypatch.setattr(corpus, "imdb_present", lambda: False)
    opened = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    yield opened.switch_page("pages/sentence.py")
    store.close()


def players(app: AppTest) -> list[dict[str, Any]]:
    """The headers of what the token player was given."""
    found = []
    for element in app.get("bidi_component"):
        raw = element.proto.bytes if element.proto.WhichOneof("data") == "bytes" else b""
        if raw and not raw.startswith(b"{"):
            found.append(json.loads(raw[4 : 4 + struct.unpack("<I", raw[:4])[0]]))
    return found


def healthy(app: AppTest) -> AppTest:
    assert not app.exception, [one.value for one in app.exception]
    return app


def test_opens_on_an_example_read_by_three_cells(app: AppTest) -> None:
    (header,) = players(healthy(app.run()))
    assert [panel["title"] for panel in header["panels"]] == ["Vanilla RNN", "LSTM", "GRU"]
    assert header["sentences"][0]["words"][:3] == ["<start>", "Great", "cast"]
    assert [block["name"] for block in header["panels"][1]["blocks"]] == ["h", "c", "input", "forget", "cell", "output"]
    assert any(EXAMPLES["Contrast"].look in caption.value for caption in app.caption)


@pytest.mark.parametrize("words", ["", "nobody", "<b>LSTM</b>"])
def test_a_link_that_names_nobody_is_read_by_three(app: AppTest, words: str) -> None:
    for name in ("who", "against", "method"):
        app.query_params[name] = words
    (header,) = players(healthy(app.run()))
    assert len(header["panels"]) == 3


def test_a_run_that_is_chosen_reads_whoever_read_before(app: AppTest) -> None:
    app.run()
    app.get_by_key("who").set_value("starter-gru")
    healthy(app.run())
    run = made_up.fill(
        run_picker.store(), experiment=Experiment().replace(task="toy_reviews", length=20, units=8, cell="gru"), name="GRU"
    )
    app.query_params["run"] = run
    (header,) = players(healthy(app.run()))
    assert app.get_by_key("who").value == run
    assert len(header["panels"]) == 1
    assert len(set(app.get_by_key("who").options)) == 5, "also when it is called like a starter"
    app.get_by_key("who").set_value("three")
    (header,) = players(healthy(app.run()))
    assert len(header["panels"]) == 3


def test_one_cell_and_another_method(app: AppTest) -> None:
    app.run()
    app.get_by_key("who").set_value("starter-gru")
    app.get_by_key("method").set_value("leave_one_out")
    (header,) = players(healthy(app.run()))
    assert [panel["title"] for panel in header["panels"]] == ["GRU"]
    assert header["quantities"]["attribution"] == reading.METHODS["leave_one_out"]
    assert "promises no sum" in header["panels"][0]["readings"][0]["note"]


def test_one_word_changed(app: AppTest) -> None:
    app.run()
    app.get_by_key("against").set_value("word")
    app.run()
    app.get_by_key(key("sentence", "changed_step")).set_value(13)
    app.get_by_key(key("sentence", "changed_word")).set_value("brilliant")
    (header,) = players(healthy(app.run()))
    assert header["sentences"][1]["words"][13] == "brilliant"
    assert header["parting"] == 13
    said = [one.value for one in app.markdown if "readings part at" in one.value]
    assert len(said) == 3
    assert "brilliant" in said[0]


def test_another_text_beside_the_first(app: AppTest) -> None:
    app.run()
    app.get_by_key("against").set_value("text")
    (header,) = players(healthy(app.run()))
    assert header["sentences"][1]["words"][1:4] == ["This", "film", "is"]


def test_two_texts_without_a_word_in_common_are_nowhere_furthest_apart(app: AppTest) -> None:
    app.run()
    app.get_by_key("example").set_value("Sarcasm")
    app.get_by_key("against").set_value("text")
    healthy(app.run())
    said = [one.value for one in app.markdown if "readings part at" in one.value]
    assert len(said) == 3
    assert all("(token 2) and end at" in one and "furthest" not in one for one in said)


def test_the_same_text_through_training(app: AppTest) -> None:
    app.run()
    app.get_by_key("against").set_value("training")
    (header,) = players(healthy(app.run()))
    titles = [panel["title"] for panel in header["panels"]]
    assert titles[0] == "LSTM, untrained"
    assert len(titles) >= 3
    assert titles[-1].startswith("LSTM, epoch")
    axes = {tuple(panel["axes"]) for panel in header["panels"]}
    assert len(axes) == 1  # one plane for all


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
    (header,) = players(healthy(app.run()))
    assert header["sentences"][0]["words"][0] == "<start>"


@pytest.mark.parametrize("text", ["", "   \n", "..., !!! ---"])
def test_nothing_to_read_is_said_calmly(app: AppTest, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(text_box, "composer", lambda *args, **kwargs: text)
    assert players(healthy(app.run())) == []
    assert any("Nothing to read" in one.value for one in app.info)


def test_ten_thousand_words_are_read_in_part_and_the_part_is_chosen(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(["first"] * 5000 + ["last"] * 5000)
    monkeypatch.setattr(text_box, "composer", lambda *args, **kwargs: text)
    (header,) = players(healthy(app.run()))
    assert header["sentences"][0]["words"] == ["last"] * 500
    app.get_by_key(key("sentence", "part")).set_value("first")
    (header,) = players(healthy(app.run()))
    assert header["sentences"][0]["words"] == ["<start>"] + ["first"] * 499


def test_unknown_words_are_marked_and_named(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_box, "composer", lambda *args, **kwargs: "good zorgblatt *film* zorgblatt")
    (header,) = players(healthy(app.run()))
    assert header["sentences"][0]["known"] == [True, True, False, True, False]
    assert any("2 of 4 words are not" in caption.value and "zorgblatt" in caption.value for caption in app.caption)


# ------------------------------------------------------------------ what the examples are said to show


@pytest.fixture(scope="module", params=CELLS)
def read(request: pytest.FixtureRequest) -> Callable[[str], tuple[list[str], reading.Reading]]:
    def reader(name: str) -> tuple[list[str], reading.Reading]:
        text = text_box.encoded(EXAMPLES[name].text, "last", 10_000)
        return [word.lower() for word in text.words], sentence.read(starter(request.param), text.ids)

    return reader


def test_contrast(read: Callable[..., Any]) -> None:
    words, found = read("Contrast")
    assert found.probability[: words.index("but")].max() > 0.85
    assert found.probability[-1] < 0.5
    assert {words[n] for n in np.argsort(found.deltas)[:2]} == {"drags", "terrible"}


def test_negation(read: Callable[..., Any]) -> None:
    words, found = read("Negation")
    change = dict(zip(words, found.deltas, strict=True))
    assert change["not"] < 0
    assert change["bad"] < -0.5
    assert abs(change["at"] + change["all"]) < 0.25
    assert change["loved"] > 1
    assert found.probability[words.index("loved") - 1] < 0.3 < 0.5 < found.probability[-1]


def test_sarcasm(read: Callable[..., Any]) -> None:
    words, found = read("Sarcasm")
    change = dict(zip(words, found.deltas, strict=True))
    assert change["wasted"] < -1
    assert change["brilliant"] > 1
    assert found.probability[-1] > 0.5


def test_a_long_aside(read: Callable[..., Any]) -> None:
    words, found = read("A long aside")
    assert words.index("wonderful") == 4
    assert len(words) - words.index("wonderful") > 50
    assert found.probability[-1] > 0.5
    assert found.deltas[words.index("coast")] < -0.2
    assert found.deltas[words.index("talked")] < -0.2


def test_double_negative(read: Callable[..., Any]) -> None:
    words, found = read("Double negative")
    change = dict(zip(words, found.deltas, strict=True))
    assert change["can't"] < -0.1
    assert change["enjoy"] > 0.5
    assert change["didn't"] < 0.1


def test_unknown_word(read: Callable[..., Any]) -> None:
    words, found = read("Unknown word")
    at = [words.index("zorgblatt"), words.index("flumpets")]
    assert (found.ids[at] == 2).all()
    assert (np.abs(found.deltas[at]) < 0.3).all()
    assert found.probability[-1] > 0.8


# ------------------------------------------------------------------ what goes to the browser and comes back


def test_what_the_player_gets_is_what_was_read() -> None:
    from pages.parts.sentence.player import Panel

    text = text_box.encoded("A fine film.", "last", 10_000)
    found = sentence.read(starter("lstm"), text.ids)
    data = payload([Panel("LSTM", (found,), starter("lstm"))], [{"words": text.words, "known": text.known}])
    length = struct.unpack("<I", data[:4])[0]
    header, numbers = json.loads(data[4 : 4 + length]), data[4 + length :]

    def unpacked(place: dict[str, Any]) -> np.ndarray:
        kind = {"int16": "<i2", "float32": "<f4"}[place["type"]]
        values = np.frombuffer(numbers, kind, int(np.prod(place["shape"])), place["at"]).reshape(place["shape"])
        return values / 32767 * place["scale"] if kind == "<i2" else values

    sent = header["panels"][0]["readings"][0]
    np.testing.assert_array_equal(unpacked(sent["probability"]), found.probability)
    np.testing.assert_array_equal(unpacked(sent["path"]), found.path)
    for name, values in found.blocks.items():
        np.testing.assert_allclose(unpacked(sent["blocks"][name]), values, atol=np.abs(values).max() / 32767)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"token": 2, "unit": 31, "panel": 0, "span": None}, Pick(2, 31, 0, None)),
        ({"token": 99, "unit": 32, "panel": 5, "span": [0, 99]}, Pick()),
        ({"token": "2", "unit": True, "panel": -1, "span": "ab"}, Pick()),
        ({"token": None, "unit": None, "panel": 0, "span": [1, 3]}, Pick(None, None, 0, (1, 3))),
        ({"token": None, "unit": None, "panel": 0, "span": [3, 1]}, Pick(None, None, 0, None)),
        ("nonsense", Pick()),
        (None, Pick()),
    ],
)
def test_picks_are_checked(raw: Any, expected: Pick) -> None:
    from pages.parts.sentence.player import Panel

    text = text_box.encoded("A fine film.", "last", 10_000)
    panels = [Panel("GRU", (sentence.read(starter("gru"), text.ids),), starter("gru"))]
    sent = {**raw, "rev": "now"} if isinstance(raw, dict) else raw
    assert _checked(sent, panels, [{"words": text.words}], "now") == expected
    assert _checked({"token": 1, "rev": "before"}, panels, [{"words": text.words}], "now") == Pick()


def test_the_box_counts_as_the_vocabulary_does() -> None:
    """The browser test types the rest; here: every word that the box may not take apart is one token."""
    from rnn_core.data.text.vocabulary import vocabulary

    for word in text_box.whole_words(10_000):
        assert len(vocabulary().encode(word).ids) == 2
