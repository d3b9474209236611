"""The Hidden states page: what its widgets ask the workers for, and what it says."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import run_picker
from pages.shared.session import key
from rnn_core import Experiment
from rnn_core.probes.states import paths
from rnn_core.probes.states.paths import PathsOverTraining
from rnn_core.store.store import KeptStep, RunInfo
from tests.conftest import ROOT, figures
from tests.figures.test_trajectories import state_paths

STEPS = (0, 100, 250)


class Answers:
    """A service that answers at once and remembers what it was asked."""

    state, message = "ready", ""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
        self.problem: Exception | None = None

    def queue(self) -> list[Any]:
        return []

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Future[Any]:
        self.asked.append((function, args, kwargs))
        answer: Future[Any] = Future()
        if self.problem:
            answer.set_exception(self.problem)
        elif function is paths.paths_over_training:
            seen = state_paths()
            moments = len(args[1])
            coordinates = np.stack([seen.coordinates * (n + 1) for n in range(moments)])
            answer.set_result(PathsOverTraining(args[1], coordinates, seen.mask, seen.targets, np.full((moments, 3), 0.3), np.ones(moments), np.zeros((moments, 4, 7))))  # fmt: skip
        else:
            answer.set_result(state_paths(lstm=True))
        return answer


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """One finished run with three kept moments, and a service that answers."""
    experiment = Experiment().replace(task="toy_reviews", cell="lstm", units=6)
    info = RunInfo("run-1", "A run", experiment, "finished", 0.0, 250, 0.9, "")
    record = SimpleNamespace(
        id="run-1", name="A run", experiment=experiment, status="finished", info=info, uploads={},
        snapshots=tuple(KeptStep(step, n) for n, step in enumerate(STEPS)), model=lambda step: f"model {step}",
    )  # fmt: skip
    service = Answers()
    monkeypatch.setattr(run_picker, "store", lambda: SimpleNamespace(list=lambda: [info], open=lambda run_id: record))
    monkeypatch.setattr(run_picker, "service", lambda: service)
    monkeypatch.setattr(run_picker, "running_service", lambda: service)
    monkeypatch.setattr(run_picker, "warm", lambda: None)
    return service


def opened(view: str = "Paths") -> AppTest:
    app = AppTest.from_file(ROOT / "app.py", default_timeout=30)
    app.query_params["run"] = "run-1"
    app.run()
    app.switch_page("pages/states.py").run()
    if view != "Paths":
        app.segmented_control(key="view").set_value(view).run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    return " ".join(element.value for element in [*app.markdown, *app.caption, *app.info, *app.warning])


def test_paths_say_what_they_show(answers: Answers) -> None:
    app = opened()
    seen = state_paths(lstm=True)
    drawing = figures(app)["paths"]
    assert len(drawing["frames"]) == 7
    assert "What am I seeing?" in text(app)
    assert f"**{seen.explained[:2].sum():.0%}** of all the variance" in text(app)
    assert f"{seen.basis.count:,} states of *other* sequences, padding left out" in text(app)
    assert drawing["alt"].startswith("Paths of 4 hidden states in 2")


def test_an_earlier_moment_keeps_the_axes_of_the_last(answers: Answers) -> None:
    app = opened()
    answers.asked.clear()
    app.select_slider(key="step").set_value(100).run()
    assert not app.exception
    (last, first_args, first), (earlier, second_args, second) = answers.asked
    assert last is earlier is paths.state_paths
    assert (first_args[1], second_args[1]) == ("model 250", "model 100")
    assert "basis" not in first
    np.testing.assert_array_equal(second["basis"].components, state_paths(lstm=True).basis.components)


def test_one_layer_offers_no_choice_and_a_stack_all_its_layers(answers: Answers) -> None:
    assert not [control for control in opened().segmented_control if control.label == "Recurrent layer"]
    record = run_picker.store().open("run-1")
    record.experiment = record.experiment.replace(layers=2, bidirectional=True)
    app = opened()
    assert answers.asked[-1][2]["layer"] == 2  # the half of the last layer that reads forwards
    app.segmented_control(key="layer").set_value(1).run()
    assert not app.exception
    assert answers.asked[-1][2]["layer"] == 1
    assert "reads **backwards**" in text(app)
    app.segmented_control(key="view").set_value("While it learned").run()
    assert answers.asked[-1][2]["layer"] == 1


@pytest.mark.parametrize(
    ("layer", "step", "read"),
    [("Layer 1 backwards", "100", (1, 100)), ("Layer 9", "<b>7</b>", (2, 250))],
    ids=["asked", "nonsense"],
)
def test_the_link_holds_the_layer_and_the_moment(answers: Answers, layer: str, step: str, read: tuple[int, int]) -> None:
    record = run_picker.store().open("run-1")
    record.experiment = record.experiment.replace(layers=2, bidirectional=True)
    app = AppTest.from_file(ROOT / "app.py", default_timeout=30)
    app.query_params["run"] = "run-1"
    app.run().switch_page("pages/states.py")
    app.query_params.update({"run": "run-1", "layer": layer, "step": step})
    app.run()
    assert not app.exception
    assert (app.segmented_control(key="layer").value, app.select_slider(key="step").value) == read
    assert answers.asked[-1][2]["layer"] == read[0]
    record.experiment = record.experiment.replace(layers=1)  # another run, with fewer layers
    app.run()
    assert not app.exception
    assert app.segmented_control(key="layer").value in (0, 1)


def test_three_dimensions_and_every_colour(answers: Answers) -> None:
    app = opened()
    app.segmented_control(key="states_axes").set_value(3).run()
    for colour in ("time", "prediction"):
        app.selectbox(key="colour_text").set_value(colour).run()
        assert not app.exception
        assert {trace["type"] for trace in figures(app)["paths"]["data"]} == {"scatter3d"}


def test_training_is_played_through_every_kept_moment(answers: Answers) -> None:
    app = opened("While it learned")
    asked = answers.asked[-1]
    assert asked[0] is paths.paths_over_training
    assert asked[1][1:] == (STEPS, "model 0", "model 100", "model 250")
    assert [frame["name"] for frame in figures(app)["growth"]["frames"]] == ["0", "100", "250"]
    assert "step 250" in text(app)


def test_one_sequence_shows_its_words_and_its_answer(answers: Answers) -> None:
    app = opened("One sequence")
    assert set(figures(app)) == {"heat_map", "unit_over_time"}
    assert "true is **negative**" in text(app)
    app.number_input(key=key("states", "sequence", "run-1")).set_value(2).run()
    assert "true is **positive**" in text(app)
    app.slider(key=key("states", "unit", "run-1")).set_value(4).run()
    assert "unit 4 of h" in str(figures(app)["unit_over_time"]["layout"])
    app.segmented_control(key="states_part").set_value("c").run()
    assert "unit 4 of c" in str(figures(app)["unit_over_time"]["layout"])


def test_activations_show_gates_and_saturation(answers: Answers) -> None:
    app = opened("Activations")
    assert set(figures(app)) >= {"distribution", "gates"}
    share = state_paths(lstm=True).activations.saturated.mean()
    assert f"**{share:.1%}** of all activations" in text(app)


def test_a_failure_is_one_calm_sentence(answers: Answers) -> None:
    answers.problem = ValueError("the states are not finite: the network has diverged, so there is no plane to draw it on")
    app = opened()
    assert "the network has diverged" in text(app)
    assert figures(app) == {}


def test_toy_reviews_in_place_of_imdb_are_named(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    record = run_picker.store().open("run-1")
    monkeypatch.setattr(record, "experiment", record.experiment.replace(task="imdb"))
    assert "synthetic toy reviews" in text(opened())
