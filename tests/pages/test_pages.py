"""Every page by AppTest: it opens by link, has a title, and works after a change of the run; the form of an experiment."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import run_picker, session
from pages.shared.labels import field_value
from pages.shared.session import key
from pages.shared.shell import NAVIGATION
from rnn_core.probes.gradients import laboratory
from rnn_core.spec import presets
from rnn_core.spec.experiment import FIELDS, Experiment
from rnn_core.store.store import RunInfo
from tests.conftest import ROOT, figures

PAGES = ["app.py", *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*.py"))]
TIMEOUT = 180  # seconds: the first page may wait for workers to start


def opened(page: str, **query: str) -> AppTest:
    """A page opened by link, after a first run of the home page."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=TIMEOUT)
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
def test_a_page_opens_and_shows_another_chosen_run(page: str) -> None:
    app = opened(page)
    assert not app.exception
    assert app.title, "a page has a title"
    picker = app.sidebar.selectbox(key=run_picker.PICKER)
    other = "starter-gru" if picker.value != "starter-gru" else "starter-lstm"
    picker.set_value(other).run()
    assert not app.exception
    assert session.of(app.session_state).run == other


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_a_missing_run_shows_a_message(page: str) -> None:
    app = opened(page, run="<script>alert(1)</script>**x**")
    assert not app.exception
    assert "is not on this server" in words(app)
    assert "**x**" not in words(app), "the run id of the link is not escaped"


@pytest.fixture
def train() -> AppTest:
    return opened("pages/train.py")


def test_a_preset_fills_the_form(train: AppTest) -> None:
    train.button(key=key("train", "preset", "sine")).click().run()
    assert session.of(train.session_state).draft == presets.get("sine")
    assert train.number_input(key=key("train", "set", "length")).value == presets.get("sine").data.length
    assert not train.button(key=key("train", "transport_play")).disabled


def test_every_field_of_the_experiment_has_a_widget_with_help(train: AppTest) -> None:
    found: dict[str, Any] = {}
    for kind in ("number_input", "selectbox", "toggle", "text_input", "button_group"):
        found |= {
            element.key.removeprefix("train-set-"): element
            for element in train.get(kind)
            if (element.key or "").startswith("train-set-")
        }
    assert set(FIELDS) - set(found) == {"source", "reading", "column", "targets"}, "the uploaded file has its own widgets"
    assert [name for name, element in found.items() if not element.help] == []


def test_parameters_are_counted_next_to_a_feedforward_network(train: AppTest) -> None:
    assert "feedforward network" in words(train)
    before = words(train)
    train.number_input(key=key("train", "set", "units")).set_value(48).run()
    assert words(train) != before


def test_a_combination_that_would_exhaust_the_machine_is_rejected_in_the_form(train: AppTest) -> None:
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
    assert FIELDS[name]["low"] <= field_value(session.of(train.session_state).draft, name) <= FIELDS[name]["high"]


def test_a_link_fills_the_form_and_corrected_values_are_shown() -> None:
    app = opened("pages/train.py", task="adding", cell="gru", units="1000000000", nonsense="1")
    assert not app.exception
    draft = session.of(app.session_state).draft
    assert (draft.data.task, draft.model.cell, draft.model.units) == ("adding", "gru", FIELDS["units"]["high"])
    assert "units must be between" in words(app)


def test_a_link_to_an_unknown_task_uses_the_default_task() -> None:
    app = opened("pages/train.py", task="<b>nothing</b>")
    assert not app.exception
    assert session.of(app.session_state).draft.data.task == Experiment().data.task


def test_files_with_fixed_content_can_be_downloaded_after_a_rerun(train: AppTest) -> None:
    """A file made by a function on the click belongs to one run of the script: Streamlit drops it with the next."""
    for at, ready in (
        (train, ["train-take_program"]),
        (opened("pages/train.py", run="starter-lstm"), ["train-take_program", "train-take_csv"]),
    ):
        found = {button.key: button.proto.deferred_file_id for button in at.get("download_button")}
        assert [name for name, later in found.items() if not later] == ready


def test_a_starter_model_shows_its_training(train: AppTest) -> None:
    app = opened("pages/train.py", run="starter-lstm")
    assert not app.exception
    assert {"loss", "metric"} <= set(figures(app))
    assert "after" in words(app)


def test_an_outdated_line_of_the_picker_chooses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that starts while its page is loaded gets another line in the picker; the browser may send back the old one."""
    import streamlit as st

    chosen: list[str] = []
    monkeypatch.setattr(run_picker, "choose", lambda run_id, link: chosen.append(run_id))
    for picked in ("⏳ GRU · Toy reviews · 414911", None, "starter-gru"):
        monkeypatch.setattr(st, "session_state", {run_picker.PICKER: picked})
        run_picker._on_pick(False)
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


def test_a_starter_model_shown_by_default_is_not_in_the_links() -> None:
    """Home shows a starter model by default; its link to Train still opens the presets."""
    home = opened("app.py")
    assert home.sidebar.selectbox(key=run_picker.PICKER).value.startswith("starter")
    assert {link.proto.query_string for link in home.sidebar.get("page_link")} == {""}
    home.sidebar.selectbox(key=run_picker.PICKER).set_value("starter-lstm").run()
    assert {link.proto.query_string for link in home.sidebar.get("page_link")} == {"run=starter-lstm"}


class SubmittingService:
    """A service that accepts every experiment and starts none."""

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
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    service = SubmittingService()
    service.experiments = []
    monkeypatch.setattr(run_picker, "service", lambda: service)
    monkeypatch.setattr(run_picker, "running_service", lambda: service)
    return service.experiments


def failed(experiment: Experiment, message: str) -> str:
    return run_picker.store().create(experiment, status="failed", message=message)


def test_one_click_replaces_missing_imdb_by_the_toy_reviews(submitted: list[Experiment]) -> None:
    experiment = Experiment().replace(task="imdb", cell="gru", units=24, epochs=3, samples=400)
    run = failed(experiment, "imdb.npz could not be downloaded. Name its folder in UNROLLED_IMDB, or choose the toy reviews.")
    app = opened("pages/train.py", run=run)
    assert figures(app) == {}, "a run without a step has nothing to draw"
    app.button(key=key("train", "transport_toy")).click().run()
    assert not app.exception
    (submitted_experiment,) = submitted
    assert submitted_experiment.data.task == "toy_reviews"
    assert (submitted_experiment.model, submitted_experiment.training) == (experiment.model, experiment.training)
    assert session.of(app.session_state).run != run


def test_one_click_restarts_a_diverged_training_with_clipping(submitted: list[Experiment]) -> None:
    experiment = Experiment().replace(task="adding", gain=3.0)
    words = "The loss was no finite number any more at step 2: try a learning rate below 0.02, or clip the gradient at 1."
    app = opened("pages/train.py", run=failed(experiment, words))
    app.button(key=key("train", "transport_clip")).click().run()
    assert not app.exception
    assert submitted == [experiment.replace(clip=1.0)]


def test_a_figure_without_a_positive_value_says_why() -> None:
    """Inputs of zero keep the state at zero: no step has a share in the update, and a log axis has no 0."""
    curves = laboratory.untrained_curves(Experiment().replace(length=10, units=4), scale=0.0).curves

    def shown(quantity: str) -> str:
        app = AppTest.from_function(_say_if_empty, kwargs={"curves": curves[quantity]}).run()
        return " ".join(element.value for element in app.info)

    assert "no value above 0" in shown("component")
    assert shown("state") == ""


def _say_if_empty(curves: object) -> None:
    from pages.parts.gradients import quantities

    quantities.say_if_empty(curves)  # type: ignore[arg-type]


def test_back_counts_until_the_page_has_read_its_link() -> None:
    """A script that is interrupted before it reads the link runs again without the browser's word that Back led there."""
    app = opened("pages/train.py")
    session.of(app.session_state).from_history = True
    app.query_params["task"], app.query_params["length"] = "adding", "33"
    app.run()
    assert session.of(app.session_state).draft.data.length == 33
    assert not session.of(app.session_state).from_history
