"""The Compare page: what its widgets start, what it shows during and after a contest, the map, and runs side by side."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.compare import side_by_side
from pages.shared import run_picker, session
from pages.shared.session import key
from rnn_core.service.service import Stream
from rnn_core.spec.experiment import Experiment
from rnn_core.studies import contest, sweep
from rnn_core.studies.contest import Goal
from rnn_core.training.history import COLUMNS
from tests.conftest import ROOT, figures
from tests.figures.test_compare import LAPS
from tests.studies.test_sweep import outcome

GOAL = Goal("adding", 100, "rmse", threshold=0.1, baseline=0.4, steps=1500)


class FakeService:
    """A service with one stream, whose status and values a test sets."""

    state, message = "ready", ""
    trainers, idle_timeout = 1, 600.0

    def __init__(self, home: Path) -> None:
        self.store = SimpleNamespace(home=home)
        self.started: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
        self.commands: list[tuple[str, str]] = []
        self.status, self.values = "running", ()  # type: tuple[str, tuple[Any, ...]]

    def queue(self) -> list[Any]:
        return []

    def live(self, run_id: str) -> None:
        return None  # it has no live state: it ended before this process started

    def viewed(self, job: str) -> None:
        pass

    def stream(self, function: Any, *args: Any, **kwargs: Any) -> str:
        self.started.append((function, args, kwargs))
        return f"stream-{len(self.started)}"

    def streamed(self, job: str) -> Stream | None:
        return Stream(job, self.status, self.values, 2, 10.0, "The worker went away.") if self.started else None

    def control(self, job: str, command: str, value: float | None = None) -> None:
        self.commands.append((job, command))


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeService:
    service = FakeService(tmp_path)
    monkeypatch.setattr(run_picker, "store", lambda: SimpleNamespace(list=list))
    monkeypatch.setattr(run_picker, "service", lambda: service)
    monkeypatch.setattr(run_picker, "running_service", lambda: service)
    monkeypatch.setattr(run_picker, "start_workers", lambda: None)
    return service


def opened() -> AppTest:
    app = AppTest.from_file(ROOT / "app.py", default_timeout=30).run()
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    return app


def verdict(app: AppTest) -> str:
    """The text in larger letters, without Markdown's escapes."""
    return " ".join(element.value for element in app.subheader).replace("\\", "")


def text(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.markdown, *app.caption, *app.info, *app.warning])


def test_before_the_start_no_result_is_shown(service: FakeService) -> None:
    app = opened()
    assert not figures(app)
    assert "solved" not in text(app).lower()
    assert verdict(app) == ""


def test_a_recorded_contest_is_drawn_when_asked_for(service: FakeService) -> None:
    app = AppTest.from_function(_recorded).run()
    assert not app.exception
    assert set(figures(app)) == {"contest_curves", "contest_reach"}
    assert "Solved by the LSTM and the GRU, not by the vanilla RNN. One seed decides nothing" in verdict(app)
    assert "gates made the difference" in text(app)
    assert list(app.dataframe[0].value["Reach of the loss gradient"]) == [
        "4 of 100 steps",
        "100 of 100 steps",
        "100 of 100 steps",
    ]


def _recorded() -> None:
    from pages.parts.compare import contest

    contest._recorded_contest()


def test_a_contest_starts_with_the_settings_of_the_widgets(service: FakeService) -> None:
    app = opened()
    app.select_slider(key="rate_simple_rnn").set_value(0.001)
    app.slider(key="seeds").set_value(2)
    app.slider(key="bias_adding").set_value(3.0)
    app.select_slider(key="length").set_value(50).run()
    press(app, "Start the contest")
    function, (entries, steps), options = service.started[0]
    assert function is contest.contest
    assert [(each.seed, each.model.cell, each.training.learning_rate, each.model.gate_bias) for each in entries] == [
        (seed, cell, rate, bias)
        for seed in (0, 1)
        for cell, rate, bias in (("simple_rnn", 0.001, None), ("lstm", 0.01, 3.0), ("gru", 0.01, 3.0))
    ]
    assert {each.data.length for each in entries} == {50}
    assert steps == 1500
    assert options["viewer"] == session.of(app.session_state).viewer


def test_a_running_contest_shows_curves_and_can_be_paused_and_stopped(service: FakeService) -> None:
    app = press(opened(), "Start the contest")
    service.values = (GOAL, *LAPS)
    app.run()
    assert set(figures(app)) == {"contest_curves", "contest_reach"}
    assert "So far solved by the GRU." in verdict(app)
    assert "The GRU solved it first" in text(app)
    press(app, "Pause")
    press(app, "Stop")
    assert service.commands == [("stream-1", "pause"), ("stream-1", "stop")]
    service.status = "paused"
    press(app.run(), "Go on")
    assert service.commands[-1] == ("stream-1", "resume")


def test_a_waiting_contest_shows_its_place_in_the_queue(service: FakeService) -> None:
    service.status = "waiting"
    assert "place 2 in the queue" in text(press(opened(), "Start the contest"))


def test_an_ended_contest_shows_the_verdict_and_the_start_button(service: FakeService) -> None:
    app = press(opened(), "Start the contest")
    service.status, service.values = (
        "finished",
        (GOAL, *LAPS[:-1], LAPS[-1].__class__("simple_rnn", 0, 0.01, 1500, 9.0, 0.2, 0.39, 0.39, LAPS[-1].norms, "out of steps")),
    )
    app.run()
    assert "Solved by the GRU, not by the vanilla RNN. One seed decides nothing" in verdict(app)
    assert "Tried before over 100 steps" in text(app)
    press(app, "Run 5 seeds")
    assert app.slider(key="seeds").value == 5
    assert "vanilla RNN did not solve it within 1,500 training steps" in text(app)
    assert "One seed stands behind this" in text(app)
    assert not next(button for button in app.button if button.label == "Start the contest").disabled
    assert "Stop" not in [button.label for button in app.button]
    assert len(app.dataframe[0].value) == 2


def test_a_second_contest_replaces_the_first_on_the_page(service: FakeService) -> None:
    app = press(opened(), "Start the contest")
    service.status = "finished"
    press(app.run(), "Start the contest")
    assert len(service.started) == 2
    assert session.of(app.session_state).contest == "stream-2"
    assert app.query_params["contest"] in ("stream-2", ["stream-2"])


def test_a_failed_contest_shows_its_message(service: FakeService) -> None:
    app = press(opened(), "Start the contest")
    service.status = "failed"
    app.run()
    assert "The worker went away" in text(app).replace("\\", "")


def test_a_link_to_an_unknown_contest_shows_a_message(service: FakeService) -> None:
    app = AppTest.from_file(ROOT / "app.py", default_timeout=30).run()
    app.switch_page("pages/compare.py")
    app.query_params["contest"] = "stream-99"
    app.run()
    assert not app.exception
    assert "not known here any more" in text(app)
    assert "A contest that we ran before" in [part.label for part in app.expander]


def test_the_map_shows_shipped_and_own_results(service: FakeService) -> None:
    sweep.append(service.store.home / "contests" / "map.csv", outcome("gru", 400, 0, task="parity"))
    app = opened()
    app.segmented_control(key="compare").set_value("How far back can it remember?").run()
    assert not app.exception
    drawn = figures(app)
    assert {"map-adding", "map-parity"} <= set(drawn)
    assert drawn["map-parity"]["data"][0]["x"] == ["400"]


def test_a_sweep_runs_missing_trials_and_stores_each_result(service: FakeService) -> None:
    own_map = service.store.home / "contests" / "map.csv"
    for row in (outcome("gru", 400, 0), outcome("lstm", 400, 0)):
        sweep.append(own_map, row)
    app = opened()
    app.segmented_control(key="compare").set_value("How far back can it remember?").run()
    app.multiselect(key=key("compare", "sweep_lengths")).set_value([400])
    app.slider(key=key("compare", "sweep_seeds")).set_value(1).run()
    press(app, "Run 1 missing trial")
    function, (trials,), options = service.started[0]
    assert function is sweep.run
    assert list(trials) == [sweep.Trial("adding", 400, "simple_rnn", 0)]
    result = outcome("simple_rnn", 400, 0, "out of steps")
    options["on_value"](LAPS[0])
    options["on_value"](result)  # the callback stores a result even if no page is open
    assert sweep.read(own_map)[-1] == result
    service.status, service.values = "finished", (LAPS[0], result)
    app.run()
    assert "Nothing is missing" in [button.label for button in app.button]


@pytest.fixture
def three_runs(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two runs of one task that differ in one setting, and one of another task."""
    steps = np.arange(1, 9)
    runs = {}
    for number, cell in enumerate(("gru", "lstm", "gru")):
        experiment = Experiment().replace(task="adding" if number < 2 else "sine", cell=cell)
        columns = {name: np.linspace(1.0, 0.1 * (number + 1), len(steps)) for name in COLUMNS} | {"step": steps, "epoch": steps}
        runs[f"run-{number}"] = SimpleNamespace(
            id=f"run-{number}", run_id=f"run-{number}", name="Twin", experiment=experiment, status="finished", step=8, epoch=8,
            builtin=False, history=columns, best_metric=0.1, test_metric=float("nan"), snapshots=(),
        )  # fmt: skip
    store = SimpleNamespace(list=lambda: list(runs.values()), open=runs.__getitem__)
    monkeypatch.setattr(run_picker, "store", lambda: store)
    monkeypatch.setattr(side_by_side, "run_view", runs.__getitem__)
    return list(runs)


def test_runs_of_one_task_are_compared_with_their_different_settings(three_runs: list[str]) -> None:
    app = AppTest.from_file(ROOT / "app.py", default_timeout=30)
    app.query_params["run"] = three_runs[0]
    app.run()
    app.switch_page("pages/compare.py").run()
    app.segmented_control(key="compare").set_value("Runs side by side").run()
    assert not app.exception
    assert app.multiselect(key=key("compare", "runs_beside", "run-0")).value == [
        "run-1"
    ]  # the run of another task is not offered
    drawn = figures(app)
    assert [trace["name"] for trace in drawn["beside-metric"]["data"]] == ["Twin · run-0"] * 2 + ["Twin · run-1"] * 2
    table = app.dataframe[0].value
    differs = table[table[""] == "Cell"].iloc[0]
    assert list(differs)[1:] == ["GRU", "LSTM"]
    assert "Task" not in set(table[""]), "settings that are the same in both are left out"
    app.segmented_control(key=key("compare", "clock")).set_value("seconds").run()
    assert not app.exception
    assert figures(app)["beside-loss"]["layout"]["xaxis"]["title"]["text"] == "seconds of computing"


def test_a_compared_training_counts_as_viewed_until_it_ends(
    three_runs: list[str], service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, watched = side_by_side.run_view("run-1"), []
    monkeypatch.setattr(service, "viewed", watched.append)
    run.status = "running"
    app = AppTest.from_file(ROOT / "app.py", default_timeout=30)
    app.query_params["run"] = three_runs[0]
    app.run()
    app.switch_page("pages/compare.py").run()
    app.segmented_control(key="compare").set_value("Runs side by side").run()
    assert watched == ["run-1"]
    run.status = "finished"
    app.run()
    assert not app.exception
    assert watched == ["run-1"]


def test_side_by_side_without_a_run_says_what_to_do(service: FakeService) -> None:
    app = opened()
    app.segmented_control(key="compare").set_value("Runs side by side").run()
    assert not app.exception
    assert "Choose a run in the sidebar" in text(app)
