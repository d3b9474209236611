"""Verdicts on the Train page: the sentence over the curves, and the button that fills the form with the next experiment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.train import drawings
from pages.shared import run_picker, session
from pages.shared.session import key
from rnn_core.figures.verdicts import Verdict
from rnn_core.spec.experiment import Experiment
from rnn_core.store.store import Store
from tests.conftest import ROOT, figures
from tests.figures.verdicts.test_forecasts import result
from tests.pages.test_sentence import InlineService

NAN = float("nan")
FAILING = Experiment().replace(task="first_token", length=20, units=8, epochs=4, samples=640)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    store, service = Store(tmp_path), InlineService()
    monkeypatch.setattr(InlineService, "live", lambda self, run_id: None, raising=False)
    monkeypatch.setattr(InlineService, "viewed", lambda self, run_id: None, raising=False)
    for name, value in {"service": service, "running_service": service, "store": store, "start_workers": None}.items():
        monkeypatch.setattr(run_picker, name, lambda value=value: value)
    yield store
    store.close()


def run(store: Store, metric: list[float], experiment: Experiment = FAILING, loss: float = 0.69, status: str = "finished") -> str:
    """A run of ten batches per epoch with these validation metrics."""
    run_id = store.create(experiment, status="running")
    rows = [(0, 0, NAN, NAN, NAN, NAN, NAN, NAN, 1e-3, 0.0)]
    for step in range(1, 10 * len(metric) + 1):
        held_out = (0.69, metric[step // 10 - 1]) if step % 10 == 0 else (NAN, NAN)
        rows.append((step, step // 10, loss, 0.5, *held_out, 1.0, 1.0, 1e-3, step / 10))
    store.record(run_id, rows, [(1, np.zeros(20, np.float32))], 1, status=status)
    return run_id


def opened(run_id: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["run"] = run_id
    app.run()
    app.switch_page("pages/train.py")
    app.query_params["run"] = run_id
    app.run()
    assert not app.exception
    return app


def verdict(app: AppTest) -> str:
    """The text in larger letters, without Markdown's escapes."""
    return " ".join(element.value for element in app.subheader).replace("\\", "")


def test_a_failed_training_says_so_and_its_button_fills_the_form(store: Store) -> None:
    app = opened(run(store, [0.5, 0.51, 0.5, 0.51]))
    assert {"loss", "metric"} <= set(figures(app))
    assert "Right 51% of the time; guessing gives 50%: no better." in verdict(app)
    assert ":material/error:" in verdict(app)
    button = app.button(key=key("train", "suggestion"))
    assert button.label == "Try the LSTM"
    button.click().run()
    assert not app.exception
    assert session.of(app.session_state).draft == FAILING.replace(cell="lstm")
    assert app.segmented_control(key=key("train", "set", "cell")).value == "lstm"
    assert session.of(app.session_state).run is None, "the form is shown"


def test_a_good_training_has_no_next_experiment(store: Store) -> None:
    app = opened(run(store, [0.6, 0.9, 0.97, 0.98]))
    assert "Right 98% of the time; guessing gives 50%: it has learned." in verdict(app)
    assert key("train", "suggestion") not in [button.key for button in app.button]


def test_the_verdict_follows_the_run(store: Store) -> None:
    run_id = run(store, [0.5], status="stopped")
    app = opened(run_id)
    assert "1 epoch is too few to tell." in verdict(app)
    store.record(
        run_id,
        [(n, n // 10, 0.1, 1.0, *((0.1, 0.97) if n % 10 == 0 else (NAN, NAN)), 1.0, 1.0, 1e-3, n / 10) for n in range(11, 41)],
    )
    app.run()
    assert "Right 97% of the time; guessing gives 50%: it has learned." in verdict(app)


def test_a_failed_run_keeps_its_one_button(store: Store) -> None:
    run_id = run(store, [0.5, 0.5], loss=NAN)
    store.record(run_id, status="failed", message="The loss was no finite number any more at step 2: clip the gradient at 1.")
    app = opened(run_id)
    assert "Diverged: at step 1 the loss stopped being a number." in verdict(app)
    assert key("train", "suggestion") not in [button.key for button in app.button]
    assert key("train", "transport_clip") in [button.key for button in app.button]


@pytest.mark.parametrize(("anomalies", "expected"), [("none", ["reading"]), ("mixed", [])])
def test_a_forecast_has_its_verdict_unless_faults_were_planted(store: Store, anomalies: str, expected: list[str]) -> None:
    experiment = Experiment().replace(task="sines", length=50, anomalies=anomalies)
    shown: Any = SimpleNamespace(kept_steps={5: 1}, step=5, run_id=store.create(experiment), experiment=experiment)
    probes: Any = SimpleNamespace(result=lambda key, request: result(0.3) if key[0] == "forecast" else None)
    verdicts: dict[str, Verdict] = {}
    assert list(drawings._probe_figures(shown, probes, verdicts)) == ["reading"]
    assert list(verdicts) == expected
