"""The Hidden states page: what its widgets request from the workers, and what it shows."""

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


class RecordingService:
    """A service that returns fixed results at once and records its calls."""

    state, message = "ready", ""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []
        self.error: Exception | None = None

    def queue(self) -> list[Any]:
        return []

    def call(self, function: Any, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls.append((function, args, kwargs))
        answer: Future[Any] = Future()
        if self.error:
            answer.set_exception(self.error)
        elif function is paths.paths_over_training:
            states = state_paths()
            networks = len(args[1])
            coordinates = np.stack([states.coordinates * (n + 1) for n in range(networks)])
            answer.set_result(PathsOverTraining(args[1], coordinates, states.mask, states.targets, np.full((networks, 3), 0.3), np.ones(networks), np.zeros((networks, 4, 7))))  # fmt: skip
        else:
            answer.set_result(state_paths(lstm=True))
        return answer


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> RecordingService:
    """One finished run with three kept steps, and a service that records its calls."""
    experiment = Experiment().replace(task="toy_reviews", cell="lstm", units=6)
    info = RunInfo("run-1", "A run", experiment, "finished", 0.0, 250, 0.9, "")
    record = SimpleNamespace(
        id="run-1", name="A run", experiment=experiment, status="finished", info=info, uploads={}, upload_missing=False,
        snapshots=tuple(KeptStep(step, n) for n, step in enumerate(STEPS)), model=lambda step: f"model {step}",
    )  # fmt: skip
    service = RecordingService()
    monkeypatch.setattr(run_picker, "store", lambda: SimpleNamespace(list=lambda: [info], open=lambda run_id: record))
    monkeypatch.setattr(run_picker, "service", lambda: service)
    monkeypatch.setattr(run_picker, "running_service", lambda: service)
    monkeypatch.setattr(run_picker, "start_workers", lambda: None)
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


def test_paths_are_explained(service: RecordingService) -> None:
    app = opened()
    states = state_paths(lstm=True)
    drawing = figures(app)["paths"]
    assert len(drawing["frames"]) == 7
    assert "What am I seeing?" in text(app)
    assert f"**{states.explained[:2].sum():.0%}** of all the variance" in text(app)
    assert f"{states.basis.count:,} states of *other* sequences, " in text(app)
    assert "Participation ratio: How many directions" in text(app), "the term is explained where it first stands"
    assert drawing["alt"].startswith("Paths of 4 hidden states in 2")


def test_an_earlier_kept_step_has_the_axes_of_the_last(service: RecordingService) -> None:
    app = opened()
    service.calls.clear()
    app.select_slider(key="step").set_value(100).run()
    assert not app.exception
    (last, first_args, first), (earlier, second_args, second) = service.calls
    assert last is earlier is paths.state_paths
    assert (first_args[1], second_args[1]) == ("model 250", "model 100")
    assert "basis" not in first
    np.testing.assert_array_equal(second["basis"].components, state_paths(lstm=True).basis.components)


def test_only_several_layers_can_be_chosen_from(service: RecordingService) -> None:
    assert not [control for control in opened().segmented_control if control.label == "Recurrent layer"]
    record = run_picker.store().open("run-1")
    record.experiment = record.experiment.replace(layers=2, bidirectional=True)
    app = opened()
    assert service.calls[-1][2]["layer"] == 2  # the forward half of the last layer
    app.segmented_control(key="layer").set_value(1).run()
    assert not app.exception
    assert service.calls[-1][2]["layer"] == 1
    assert "reads **backwards**" in text(app)
    app.segmented_control(key="view").set_value("While it learned").run()
    assert service.calls[-1][2]["layer"] == 1


@pytest.mark.parametrize(
    ("layer", "step", "expected"),
    [("Layer 1 backwards", "100", (1, 100)), ("Layer 9", "<b>7</b>", (2, 250))],
    ids=["valid", "invalid"],
)
def test_the_link_contains_the_layer_and_the_kept_step(
    service: RecordingService, layer: str, step: str, expected: tuple[int, int]
) -> None:
    record = run_picker.store().open("run-1")
    record.experiment = record.experiment.replace(layers=2, bidirectional=True)
    app = AppTest.from_file(ROOT / "app.py", default_timeout=30)
    app.query_params["run"] = "run-1"
    app.run().switch_page("pages/states.py")
    app.query_params.update({"run": "run-1", "layer": layer, "step": step})
    app.run()
    assert not app.exception
    assert (app.segmented_control(key="layer").value, app.select_slider(key="step").value) == expected
    assert service.calls[-1][2]["layer"] == expected[0]
    record.experiment = record.experiment.replace(layers=1)  # another run, with fewer layers
    app.run()
    assert not app.exception
    assert app.segmented_control(key="layer").value in (0, 1)


def test_three_dimensions_and_every_colour(service: RecordingService) -> None:
    app = opened()
    app.segmented_control(key="states_axes").set_value(3).run()
    for colour in ("time", "prediction"):
        app.selectbox(key="colour_text").set_value(colour).run()
        assert not app.exception
        assert {trace["type"] for trace in figures(app)["paths"]["data"]} == {"scatter3d"}


def test_the_animation_of_training_has_every_kept_step(service: RecordingService) -> None:
    app = opened("While it learned")
    call = service.calls[-1]
    assert call[0] is paths.paths_over_training
    assert call[1][1:] == (STEPS, "model 0", "model 100", "model 250")
    assert [frame["name"] for frame in figures(app)["growth"]["frames"]] == ["0", "100", "250"]
    assert "step 250" in text(app)


def test_one_sequence_shows_its_heat_map_and_its_answer(service: RecordingService) -> None:
    app = opened("One sequence")
    assert set(figures(app)) == {"heat_map", "unit_over_time"}
    assert "true is **negative**" in text(app)
    app.number_input(key=key("states", "sequence", "run-1")).set_value(2).run()
    assert "true is **positive**" in text(app)
    app.slider(key=key("states", "unit", "run-1")).set_value(4).run()
    assert "unit 4 of h" in str(figures(app)["unit_over_time"]["layout"])
    app.segmented_control(key="states_part").set_value("c").run()
    assert "unit 4 of c" in str(figures(app)["unit_over_time"]["layout"])


def test_activations_show_gates_and_saturation(service: RecordingService) -> None:
    app = opened("Activations")
    assert set(figures(app)) >= {"distribution", "gates"}
    share = state_paths(lstm=True).activations.saturated.mean()
    assert f"**{share:.1%}** of all activations" in text(app)


def test_an_expected_error_is_shown_as_a_sentence(service: RecordingService) -> None:
    service.error = ValueError("the states are not finite: the network has diverged, so there is no plane to draw it on")
    app = opened()
    assert "the network has diverged" in text(app)
    assert figures(app) == {}


def test_toy_reviews_used_for_imdb_are_named(service: RecordingService, monkeypatch: pytest.MonkeyPatch) -> None:
    record = run_picker.store().open("run-1")
    monkeypatch.setattr(record, "experiment", record.experiment.replace(task="imdb"))
    assert "synthetic toy reviews" in text(opened())
