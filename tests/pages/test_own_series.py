"""What a run on the user's own series says at its top."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest


def script(errors: dict[str, float], reasons: tuple[str, ...], task: dict[str, object]) -> None:
    from types import SimpleNamespace

    import numpy as np

    from pages.parts.train import own_series
    from pages.parts.train.drawings import Drawings
    from rnn_core.probes.beyond import Beyond
    from rnn_core.spec.experiment import Experiment

    run = SimpleNamespace(is_past=False, active=False, run_id="r", experiment=Experiment().replace(**task))
    days, line = np.datetime64("2021-01-01") + np.arange(9), np.ones((3, 1))
    naive = {name: line for name in errors if name != "network"}
    found = Beyond(("v",), days[:6], np.ones((6, 1)), days[6:], line, line - 1, line + 1, 0.8, 40, naive, errors, reasons, 7)
    own_series.headline(Drawings(run, {}, False, 0.0, beyond=found))


def shown(**changes: Any) -> AppTest:
    arguments = {"errors": {"network": 0.5, "last value": 0.4, "drift": 0.6}, "reasons": (), "task": {"task": "csv"}, **changes}
    app = AppTest.from_function(script, kwargs=arguments, default_timeout=60).run()
    assert not app.exception
    return app


def test_better_than_naive_is_said_with_both_errors():
    (said,) = shown(errors={"network": 0.3, "last value": 0.4, "drift": 0.6}).success
    assert "25% better than the best naive forecast" in said.value.replace("\\", "")
    assert "last value, has 0.4" in said.value.replace("\\", "")


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("trend", "does not continue a trend"),
        ("lag", "some steps late"),
        ("constant", "falls to a constant"),
        ("few_windows", "few windows"),
    ],
)
def test_worse_than_naive_is_said_with_the_reason(reason: str, words: str):
    app = shown(reasons=(reason,))
    said = app.warning[0].value.replace("\\", "")
    assert said.startswith("Worse than the naive forecast")
    assert words in said
    assert [button.label for button in app.button] == (["Learn changes and train again"] if reason == "trend" else [])


def test_differencing_is_offered_at_the_period_that_suits(monkeypatch: pytest.MonkeyPatch):
    from pages.parts.train import controls

    asked: list[Any] = []
    monkeypatch.setattr(controls, "_submit", lambda experiment, *rest: asked.append(experiment))
    shown(reasons=("trend",)).button[0].click().run()
    assert [experiment.data.difference for experiment in asked] == [7]
