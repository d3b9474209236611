"""The glossary: every term has a short sentence and a link that leads somewhere, and a text marks each term once per page."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.gradients.scenarios import NAMED
from pages.shared import glossary, session
from pages.shared.session import LINK, LINK_VALUES, key
from pages.shared.terms import TERMS, Term
from rnn_core.spec.experiment import FIELDS, Experiment
from rnn_core.studies.lessons import LESSONS
from tests.conftest import ROOT

NOT_SHOWN = {"return_state", "stateful", "truncated BPTT"}  # of Keras, on no page


@pytest.mark.parametrize("term", TERMS, ids=[term.name for term in TERMS])
def test_a_term_has_one_short_sentence_and_a_link_that_exists(term: Term) -> None:
    assert 4 <= len(term.words.split()) <= 30
    assert re.fullmatch(r"[A-Z].*[^.]\.", term.words)
    assert not re.search(r"[.!?] ", term.words), "more than one sentence"
    assert bool(term.page) == (term.name not in NOT_SHOWN)
    assert not term.page or (ROOT / term.page).exists()
    query = dict(term.query)
    page = term.page.removeprefix("pages/").removesuffix(".py")
    if page == "train":
        assert set(query) <= set(FIELDS)
        assert Experiment.read_query(query)[1] == ()
    else:
        assert set(query) <= {*LINK.get(page, ()), *LINK_VALUES}
    assert query.get("scene", "Shrinks") in NAMED.values()
    assert query.get("lesson", "vanishing") in LESSONS


def test_there_are_forty_terms_and_no_two_are_written_alike() -> None:
    writings = [writing.lower() for term in TERMS for writing in (term.name, *term.also)]
    assert len(TERMS) >= 40
    assert len(set(writings)) == len(writings)
    assert [term.name.lower() for term in TERMS] == sorted(term.name.lower() for term in TERMS)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> session.Session:
    here = session.Session()
    monkeypatch.setattr(session, "here", lambda: here)
    return here


def marked(text: str) -> list[str]:
    return re.findall(r'tabindex="0">([^<]*)<span>', glossary.explained(text))


def test_a_term_is_marked_where_it_first_stands_on_a_page(page: session.Session) -> None:
    first, second = "The **forget gate** and another forget gate; units.", "Gates and units."
    assert marked(first) == ["forget gate", "units"]
    assert marked(second) == ["Gates"], "units were explained before"
    assert marked(first) == ["forget gate", "units"], "drawn again, it keeps its marks"
    glossary.new_page()
    assert marked(second) == ["Gates", "units"]


def test_code_links_icons_and_parts_of_words_are_left_alone(page: session.Session) -> None:
    for text in (
        "`unit`",
        "$loss$",
        "[here](gradients?unit=1)",
        ":material/token:",
        "investigate",
        "gated",
        "gate-bias",
        '<b class="unit">',
    ):
        assert glossary.explained(text) == text


def test_a_heading_explains_its_terms_behind_its_question_mark() -> None:
    assert (glossary.note("Vanishing in a contractive RNN") or "").count("\n\n") == 1
    assert glossary.note("Nothing here") is None


def test_the_list_shows_a_term_its_formula_and_the_way_there() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not [box for box in app.selectbox if box.key == key("shell", "term")], "made only when it is open"
    app.session_state[key("shell", "terms")] = True
    app.run()
    assert not app.exception
    assert all(term.name.replace("_", "\\_") in "".join(text.value for text in app.markdown) for term in TERMS)
    app.selectbox(key=key("shell", "term")).set_value("forget gate").run()
    assert not app.exception
    assert [code.value for code in app.code] == ["f = σ(x W + h U + b)"]
