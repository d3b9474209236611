"""Home: what its sentence does to the starter model is said as it is, and every link of it leads where it says."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.gradients.scenarios import NAMED
from pages.parts.home import doors, path, reading
from pages.parts.home.path import STOPS, Stop
from rnn_core.figures.verdicts.reading import turning
from rnn_core.spec.experiment import Experiment
from tests.conftest import ROOT


def test_the_sentence_turns_where_the_verdict_says() -> None:
    one, shown = reading.read()
    assert shown.words[1:] == tuple(reading.SENTENCE.split())
    assert shown.words[turning(one.answers)] == "loved"
    assert one.answers[-1] > 0.6 > 0.4 > one.answers[turning(one.answers) - 1]


def test_the_thumbnails_draw_numbers() -> None:
    pictures = doors.thumbnails()
    assert len(pictures) == len(doors.DOORS) == 3
    assert all("<polyline" in picture and "nan" not in picture for picture in pictures)


@pytest.mark.parametrize("stop", STOPS, ids=[stop.title for stop in STOPS])
def test_a_stop_opens_what_it_promises(stop: Stop) -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    app.switch_page(stop.page)
    app.query_params.update(dict(stop.query))
    app.run()
    assert not app.exception
    query = dict(stop.query)
    if stop.page == "pages/train.py":
        assert Experiment.read_query(query)[1] == (), "a value of the link had to be changed"
    for name in {"scene", "example"} & query.keys():
        (button,) = [each for each in app.get("button_group") if each.key == name]
        assert NAMED.get(button.value, button.value) == query[name]


def test_the_path_has_six_stops_in_its_order() -> None:
    assert [stop.title for stop in path.STOPS] == ["Reads", "Learns", "Forgets", "Gates", "Your data", "Prove it"]
