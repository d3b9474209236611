"""Every page by AppTest: it opens on its own, names itself, and survives a change of the run; the form of an experiment."""

from __future__ import annotations

import math
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import labels, run_picker, session
from pages.shared.labels import value as setting
from pages.shared.session import key
from pages.shared.shell import NAVIGATION
from rnn_core.spec import presets
from rnn_core.spec.experiment import FIELDS, Experiment
from rnn_core.store.store import RunInfo
from tests.conftest import ROOT, figures

PAGES = ["app.py", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*.py"))]
PATIENCE = 180  # seconds: the first page may wait for cold workers


def opened(page: str, **query: str) -> AppTest:
    """A page by deep link, after the shell has run once."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    if page == "app.py":
        return app
    app.switch_page(page)
    app.query_params.update(query)
    return app.run()


def words(app: AppTest) -> str:
    return "\n".join(
        element.value for kind in ("title", "markdown", "caption", "warning", "error", "info") for element in app.get(kind)
    )


def test_navigation_leads_to_every_page() -> None:
    assert sorted(path for group in NAVIGATION.values() for path, _, _ in group) == sorted(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_and_survives_another_run(page: str) -> None:
    app = opened(page)
    assert not app.exception
    assert app.title, "a page says what it is"
    picker = app.sidebar.selectbox(key=run_picker.PICKER)
    other = "starter-gru" if picker.value != "starter-gru" else "starter-lstm"
    picker.set_value(other).run()
    assert not app.exception
    assert session.of(app.session_state).run == other


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_a_run_that_is_gone_is_a_sentence(page: str) -> None:
    app = opened(page, run="<script>alert(1)</script>**x**")
    assert not app.exception
    assert "is not on this server" in words(app)
    assert "**x**" not in words(app), "what the link says reaches Markdown unescaped"


@pytest.fixture
def train() -> AppTest:
    return opened("pages/train.py")


def test_a_preset_fills_the_form(train: AppTest) -> None:
    train.button(key=key("train", "preset", "sine")).click().run()
    assert session.of(train.session_state).draft == presets.get("sine")
    assert train.number_input(key=key("train", "set", "length")).value == presets.get("sine").data.length
    assert not train.button(key=key("train", "transport_play")).disabled


def test_every_field_of_the_experiment_has_a_widget_that_explains_itself(train: AppTest) -> None:
    found: dict[str, Any] = {}
    for kind in ("number_input", "selectbox", "toggle", "text_input", "button_group"):
        found |= {
            element.key.removeprefix("train-set-"): element
            for element in train.get(kind)
            if (element.key or "").startswith("train-set-")
        }
    assert set(FIELDS) - set(found) == {"source"}, "the uploaded file has its own widget"
    assert [name for name, element in found.items() if not element.help] == []


def test_parameters_are_counted_next_to_a_feedforward_network(train: AppTest) -> None:
    assert "feedforward network" in words(train)
    before = words(train)
    train.number_input(key=key("train", "set", "units")).set_value(48).run()
    assert words(train) != before


def test_a_combination_that_would_exhaust_the_machine_is_refused_in_place(train: AppTest) -> None:
    train.number_input(key=key("train", "set", "units")).set_value(512).run()
    train.number_input(key=key("train", "set", "length")).set_value(2000).run()
    train.number_input(key=key("train", "set", "batch")).set_value(1024).run()
    assert "must be at most" in words(train)
    assert train.button(key=key("train", "transport_play")).disabled
    train.number_input(key=key("train", "set", "batch")).set_value(8).run()
    assert "must be at most" not in words(train)
    assert not train.button(key=key("train", "transport_play")).disabled


@pytest.mark.parametrize(("name", "value"), [("units", 10**9), ("units", -3), ("learning_rate", 1e9), ("epochs", 0)])
def test_a_value_outside_its_limits_never_reaches_the_experiment(train: AppTest, name: str, value: float) -> None:
    train.number_input(key=key("train", "set", name)).set_value(value).run()
    assert not train.exception
    assert FIELDS[name]["low"] <= setting(session.of(train.session_state).draft, name) <= FIELDS[name]["high"]


def test_a_link_carries_the_experiment_and_says_what_it_had_to_change() -> None:
    app = opened("pages/train.py", task="adding", cell="gru", units="1000000000", nonsense="1")
    assert not app.exception
    draft = session.of(app.session_state).draft
    assert (draft.data.task, draft.model.cell, draft.model.units) == ("adding", "gru", FIELDS["units"]["high"])
    assert "units must be between" in words(app)


def test_a_link_to_an_unknown_task_falls_back() -> None:
    app = opened("pages/train.py", task="<b>nothing</b>")
    assert not app.exception
    assert session.of(app.session_state).draft.data.task == Experiment().data.task


def test_files_that_are_ready_do_not_fail_when_the_page_is_drawn_anew_under_the_click(train: AppTest) -> None:
    """A file that is made on the click belongs to one drawing of the page: Streamlit forgets it with the next."""
    for at, ready in (
        (train, ["train-take_program"]),
        (opened("pages/train.py", run="starter-lstm"), ["train-take_program", "train-take_csv"]),
    ):
        found = {button.key: button.proto.deferred_file_id for button in at.get("download_button")}
        assert [name for name, later in found.items() if not later] == ready


def test_a_starter_shows_its_training(train: AppTest) -> None:
    app = opened("pages/train.py", run="starter-lstm")
    assert not app.exception
    assert {"loss", "metric"} <= set(figures(app))
    assert "after" in words(app)


def test_a_line_that_has_changed_since_the_page_was_drawn_chooses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that starts while its page is loaded has another sign in the picker: the browser may send the old line back."""
    import streamlit as st

    chosen: list[str] = []
    monkeypatch.setattr(run_picker, "choose", lambda run_id, link: chosen.append(run_id))
    for picked in ("⏳ GRU · Toy reviews · 414911", None, "starter-gru"):
        monkeypatch.setattr(st, "session_state", {run_picker.PICKER: picked})
        run_picker._picked(False)
    assert chosen == ["starter-gru"]


def test_no_two_runs_share_a_line_in_the_picker() -> None:
    """The browser sends the line back: a line shared by two runs would open the wrong one."""
    infos = [
        RunInfo(f"20260101-{tail}", name, Experiment(), "finished", 0.0, 0, 0.0, "")
        for tail, name in (("aaaaaaaaaa", "twin"), ("bbbbbbbbbb", "twin"), ("cccccccccc", "single"))
    ]
    lines = run_picker.labels(infos)
    assert len(set(lines.values())) == 3
    assert lines["20260101-cccccccccc"].endswith("single")


def test_a_starter_that_nobody_chose_opens_no_page_for_itself() -> None:
    """Home looks at a starter, but who then goes to Train finds the presets, not a training that is over."""
    home = opened("app.py")
    assert home.sidebar.selectbox(key=run_picker.PICKER).value.startswith("starter")
    assert {link.proto.query_string for link in home.sidebar.get("page_link")} == {""}
    home.sidebar.selectbox(key=run_picker.PICKER).set_value("starter-lstm").run()
    assert {link.proto.query_string for link in home.sidebar.get("page_link")} == {"run=starter-lstm"}


class Started:
    """A service that takes every experiment and starts none."""

    state, message = "starting", ""
    experiments: list[Experiment]

    def submit(self, experiment: Experiment, **_: Any) -> str:
        self.experiments.append(experiment)
        return run_picker.store().create(experiment, status="stopped")

    def live(self, run_id: str) -> None: ...
    def viewed(self, run_id: str) -> None: ...
    def queue(self) -> list[Any]:
        return []


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    service = Started()
    service.experiments = []
    monkeypatch.setattr(run_picker, "service", lambda: service)
    monkeypatch.setattr(run_picker, "running_service", lambda: service)
    return service.experiments


def failed(experiment: Experiment, message: str) -> str:
    return run_picker.store().create(experiment, status="failed", message=message)


def test_reviews_out_of_reach_are_exchanged_for_the_toy_reviews_in_one_click(started: list[Experiment]) -> None:
    experiment = Experiment().replace(task="imdb", cell="gru", units=24, epochs=3, samples=400)
    run = failed(experiment, "imdb.npz could not be downloaded. Name its folder in UNROLLED_IMDB, or choose the toy reviews.")
    app = opened("pages/train.py", run=run)
    assert figures(app) == {}, "a run that never began has nothing to draw"
    app.button(key=key("train", "transport_toy")).click().run()
    assert not app.exception
    (switched,) = started
    assert switched.data.task == "toy_reviews"
    assert (switched.model, switched.training) == (experiment.model, experiment.training)
    assert session.of(app.session_state).run != run


def test_a_loss_that_became_nan_is_clipped_in_one_click(started: list[Experiment]) -> None:
    experiment = Experiment().replace(task="adding", gain=3.0)
    words = "The loss became NaN at step 2: try a learning rate below 0.02, or clip the gradient at 1."
    app = opened("pages/train.py", run=failed(experiment, words))
    app.button(key=key("train", "transport_clip")).click().run()
    assert not app.exception
    assert started == [experiment.replace(clip=1.0)]


@pytest.mark.parametrize(
    ("value", "words"), [(0.8, "0.800"), (0.99841, "0.998"), (1.0, "1.000"), (0.00032, "0.00032"), (math.nan, "–")]
)
def test_a_score_keeps_its_three_decimals(value: float, words: str) -> None:
    assert labels.score(value) == words


@pytest.mark.parametrize(("speed", "words"), [(0.5, "0.5"), (61.27, "61.3"), (1240.4, "1,240")])
def test_a_pace_of_thousands_is_no_power_of_ten(speed: float, words: str) -> None:
    assert labels.pace(speed) == words
