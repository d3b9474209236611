"""Series: statistics of the formulas, windows and scales without leakage, and naive forecasts as theory predicts."""

from __future__ import annotations

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_core import data
from rnn_core.data.series import formula_tasks, formulas
from rnn_core.data.series import windows as series
from rnn_core.data.series.windows import Series
from rnn_core.spec.experiment import Experiment


def build(task: str, **changes: object) -> data.Dataset:
    return data.build(Experiment().replace(task=task, **{"length": 50} | changes))


def persistence(values: np.ndarray, ahead: int) -> float:
    """Root mean squared error of the last value, in standard deviations."""
    return float(np.sqrt(np.mean((values[ahead:] - values[:-ahead]) ** 2)) / values.std())


def series_of(values: np.ndarray, length: int = 5, horizon: int = 1, limits: tuple[int, int] | None = None) -> Series:
    columns = tuple(range(values.shape[1]))
    limits = limits or series.ends(len(values), length, horizon, 0.2)
    return Series(values, tuple(map(str, columns)), columns, columns, length, horizon, limits, np.zeros(len(values), bool))


def test_mackey_glass_has_its_published_statistics():
    """Reference: science.md 3.1: mean .929, std .226, range .418-1.319; persistence .146, .818, 1.63 of 1, 6, 84 steps."""
    values = formulas.mackey_glass(10_000, np.random.default_rng(0))[:, 0]
    assert values.mean() == pytest.approx(0.929, abs=0.003)
    assert values.std() == pytest.approx(0.226, abs=0.003)
    assert values.min() == pytest.approx(0.418, abs=0.02)
    assert values.max() == pytest.approx(1.319, abs=0.02)
    assert persistence(values, 1) == pytest.approx(0.146, abs=0.002)
    assert persistence(values, 6) == pytest.approx(0.818, abs=0.01)
    assert persistence(values, 84) == pytest.approx(1.63, abs=0.03)


def test_mackey_glass_stays_at_its_fixed_point():
    """Without a perturbation: x = 1 solves 0.2 x / (1 + x^10) = 0.1 x, and RK4 stays there."""

    class Still:
        def random(self):
            return 0.5 - 2.0  # 1.2 + 0.1 * (-2.0) = 1

    np.testing.assert_allclose(formulas.mackey_glass(50, Still()), 1.0, atol=1e-12)


def test_narma_has_its_statistics_and_recursion():
    """Reference: science.md 3.1: mean .390, std .112, persistence .844, best linear rule on ten inputs .581."""
    values = np.concatenate([formulas.narma(5000, np.random.default_rng(seed)) for seed in range(4)])
    u, y = values[:5000].T
    assert values[:, 1].mean() == pytest.approx(0.390, abs=0.005)
    assert values[:, 1].std() == pytest.approx(0.112, abs=0.004)
    assert persistence(values[:, 1], 1) == pytest.approx(0.844, abs=0.03)
    for t in range(10, 60):
        expected = 0.3 * y[t] + 0.05 * y[t] * y[t - 9 : t + 1].sum() + 1.5 * u[t - 9] * u[t] + 0.1
        assert y[t + 1] == pytest.approx(expected, rel=1e-12)
    taps = np.lib.stride_tricks.sliding_window_view(u[:-1], 10)
    features = np.column_stack([taps, np.ones(len(taps))])
    wanted = y[10:]
    weights = np.linalg.lstsq(features, wanted, rcond=None)[0]
    assert np.sqrt(np.mean((features @ weights - wanted) ** 2)) / wanted.std() == pytest.approx(0.581, abs=0.02)


def test_narma_is_drawn_again_when_it_diverges():
    """One of 200 seeds diverges; here a generator whose first input is too large."""

    class Large:
        """Inputs of 0.5 throughout at first, which diverge, then ordinary ones."""

        def __init__(self):
            self.calls, self.rng = 0, np.random.default_rng(0)

        def uniform(self, low, high, size):
            self.calls += 1
            return np.full(size, 1.0) if self.calls == 1 else self.rng.uniform(low, high, size)

    rng = Large()
    values = formulas.narma(500, rng)
    assert rng.calls == 2
    assert np.abs(values).max() < 2
    assert np.isfinite(values).all()


def test_lorenz_stays_on_its_attractor():
    """Mean of z 23.55, symmetric x and y, both wings visited; the flow's volume shrinks, so it never leaves."""
    values = formulas.lorenz(6000, np.random.default_rng(0))
    assert values.shape == (6000, 3)
    assert values[:, 2].mean() == pytest.approx(23.55, abs=0.5)
    assert np.abs(values[:, 0]).max() < 22
    assert 0.25 < (values[:, 0] > 0).mean() < 0.75


def test_the_error_of_ar_is_that_of_its_noise():
    dataset = build("ar", samples=20_000)
    floor = 1 / dataset.series.std[0]  # e_t has standard deviation 1
    assert dataset.baselines["linear autoregression"] == pytest.approx(floor, rel=0.03)


@pytest.mark.parametrize("task", ["sine", "sines"])
def test_p_sines_are_an_exact_linear_recurrence(task):
    dataset = build(task, horizon=3)
    assert dataset.baselines["linear autoregression"] < 1e-5  # order 2 p, far below the 32 taps given
    values, order = dataset.series.values[:, 0], 2 * (1 if task == "sine" else 3)
    taps = np.lib.stride_tricks.sliding_window_view(values, order + 1)
    weights = np.linalg.lstsq(taps[:, :-1], taps[:, -1], rcond=None)[0]
    assert np.abs(taps[:, :-1] @ weights - taps[:, -1]).max() < 1e-9
    short = np.linalg.lstsq(taps[:, 1:-1], taps[:, -1], rcond=None)[0]  # one tap fewer does not do
    assert np.abs(taps[:, 1:-1] @ short - taps[:, -1]).max() > 1e-4


def test_the_last_period_repeats_a_period_exactly():
    for task in ("sine", "square", "sawtooth"):
        assert build(task, horizon=40).baselines["last period"] == pytest.approx(0, abs=1e-5)
    assert "last period" not in build("random_walk").baselines or build("random_walk").baselines["last period"] > 0.1


def test_the_last_value_is_the_best_forecast_of_a_random_walk():
    found = build("random_walk", samples=5000).baselines
    assert found["last value"] <= min(found.values()) * 1.02


def test_noise_is_in_standard_deviations_of_the_series():
    clean, noisy = build("lorenz", samples=4000), build("lorenz", samples=4000, noise=0.5)
    added = noisy.series.values - clean.series.values
    np.testing.assert_allclose(added.std(0) / clean.series.values.std(0), 0.5, rtol=0.03)


@pytest.mark.parametrize("horizon", [1, 7])
def test_windows_equal_the_scaled_series(horizon):
    dataset = build("lorenz", horizon=horizon)
    found = dataset.series
    steps = found.steps("validation", 2000)
    assert dataset.validation.values.shape[1] == 3
    for n in (0, len(steps) // 2, len(steps) - 1):
        np.testing.assert_array_equal(dataset.validation[n], found.scaled[steps[n] - 50 : steps[n]])
        np.testing.assert_array_equal(
            dataset.validation.targets[n].reshape(horizon, 3), found.scaled[steps[n] : steps[n] + horizon]
        )
    np.testing.assert_allclose(
        found.unscaled(found.target_values(steps).reshape(-1, 3))[:: max(horizon, 1)], found.values[steps], rtol=1e-4, atol=1e-4
    )


def test_narma_is_predicted_from_its_input_alone():
    dataset = build("narma")
    assert (dataset.interface.input_size, dataset.interface.outputs) == (1, 1)
    np.testing.assert_allclose(dataset.train[0][:, 0], dataset.series.scaled[:50, 0])
    np.testing.assert_allclose(dataset.train.targets[0], dataset.series.scaled[50, 1:])


def test_no_target_is_in_two_parts_and_parts_are_in_order_of_time():
    found = build("sine", horizon=4).series
    targets = [set((found.steps(part)[:, None] + np.arange(4)).ravel().tolist()) for part in series.PARTS]
    assert not targets[0] & targets[1]
    assert not targets[1] & targets[2]
    assert max(targets[0]) < min(targets[1]) < max(targets[1]) < min(targets[2])
    assert max(targets[2]) == len(found.values) - 1


def test_the_scale_depends_on_the_training_part_only():
    values = np.random.default_rng(0).standard_normal((400, 2)) * [1, 50] + [3, -7]
    tampered = values.copy()
    first = series_of(values)
    tampered[first.ends[0] :] *= 1000
    second = series_of(tampered)
    np.testing.assert_array_equal(first.mean, second.mean)
    np.testing.assert_array_equal(first.std, second.std)
    np.testing.assert_allclose(first.scaled[: first.ends[0]].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(first.scaled[: first.ends[0]].std(0), 1, atol=1e-6)


def test_a_constant_series_has_finite_values():
    flat = series_of(np.full((100, 1), 7.3))
    assert np.isfinite(flat.scaled).all()
    assert np.isfinite(list(series.baselines(flat).values())).all()


def test_windows_above_the_limit_are_evenly_spaced(monkeypatch):
    monkeypatch.setattr(series, "MAX_NUMBERS", 6 * 50)
    long = series_of(np.arange(1000.0)[:, None])
    steps = long.steps("train")
    assert len(steps) == 50
    assert steps[0] == 5
    assert steps[-1] == long.ends[0] - 1
    assert np.ptp(np.diff(steps)) <= 1


@given(st.integers(0, 400), st.integers(1, 200), st.integers(1, 60), st.floats(0.02, 0.5))
@settings(max_examples=300, deadline=None)
def test_too_few_rows_are_refused_and_enough_rows_give_windows(rows, length, horizon, validation):
    try:
        limits = series.ends(rows, length, horizon, validation)
    except ValueError as reason:
        assert "rows are too few" in str(reason)  # noqa: PT017
        return
    found = series_of(np.zeros((rows, 1)), length, horizon, limits)
    assert all(len(found.steps(part)) for part in series.PARTS)


@given(st.integers(1, 3000), st.integers(1, 300), st.integers(1, 50), st.floats(0.02, 0.5))
@settings(max_examples=100, deadline=None)
def test_formulas_give_the_requested_number_of_windows(windows, length, horizon, validation):
    rows = series.rows_for(windows, length, horizon, validation)
    train, _ = series.ends(rows, length, horizon, validation)
    assert train - length - horizon + 1 >= windows


def test_knobs_are_the_fields_that_series_use():
    assert set(formula_tasks.KNOBS) == {"length", "samples", "validation", "horizon", "noise", "anomalies", "difference", "log"}


GROWING = np.exp(0.01 * np.arange(300) + np.tile([0.0, 0.5, 1.0], 100))[:, None] * [1.0, 7.0]


@pytest.mark.parametrize(("lag", "log", "horizon"), [(0, True, 4), (1, False, 4), (3, False, 1), (3, True, 8), (5, False, 5)])
def test_differences_and_logarithms_are_undone(lag, log, horizon):
    """Perfect outputs restore the values exactly, and an error in the outputs is, times `metric_scale`, that of the levels."""
    limits = series.ends(300, 10, horizon, 0.2, lag)
    found = series.Series(GROWING, ("a", "b"), (0, 1), (1,), 10, horizon, limits, np.zeros(300, bool), difference=lag, log=log)
    for part in series.PARTS:
        steps = found.steps(part)
        assert steps[0] >= 10 + lag
        np.testing.assert_allclose(found.restored(found.target_values(steps), steps), found.truth(steps), rtol=1e-4)
        wrong = found.target_values(steps) + np.random.default_rng(0).normal(0, 0.3, (len(steps), horizon)).astype(np.float32)
        error = np.sqrt(np.mean((wrong - found.target_values(steps)) ** 2)) * found.metric_scale
        measured = series.error(found, found.restored(wrong, steps), found.truth(steps))
        if log:
            assert measured > 0
        else:
            assert measured == pytest.approx(error, rel=1e-3)
    if lag == 3 and log:  # growth by a constant factor: every yearly change is the same
        assert np.abs(found.scaled[lag:]).max() < 1e-6


def test_small_errors_of_logarithms_are_shares_of_the_value():
    values = np.exp(np.random.default_rng(0).normal(3, 0.2, 2000))[:, None]
    found = series.Series(values, ("v",), (0,), (0,), 10, 1, (1200, 1600), np.zeros(2000, bool), log=True)
    steps = found.steps("train")
    wrong = found.target_values(steps) + np.random.default_rng(1).normal(0, 0.1, (len(steps), 1)).astype(np.float32)
    measured = series.error(found, found.restored(wrong, steps), found.truth(steps))
    assert measured == pytest.approx(0.1 * found.metric_scale, rel=0.03)


def test_the_context_holds_changes_scaled_by_the_training_part():
    found = series.Series(GROWING, ("a", "b"), (0, 1), (0, 1), 10, 1, (200, 250), np.zeros(300, bool), difference=1)
    changes = np.diff(GROWING, axis=0)
    np.testing.assert_allclose(
        found.contexts(np.array([50]))[0], (changes[39:49] - changes[:199].mean(0)) / found.std, rtol=1e-3, atol=1e-5
    )


def test_what_has_no_logarithm_is_refused_with_its_row():
    with pytest.raises(ValueError, match="only values above 0 have a logarithm, but row 7 of 'v' is 0"):
        series.Series(np.arange(6.0, -40, -1)[:, None], ("v",), (0,), (0,), 5, 1, (30, 38), np.zeros(46, bool), log=True)


@pytest.mark.parametrize(
    ("step", "period", "wanted"), [("D", 7, 7), ("h", 24, 24), ("MS", 12, 12), ("D", 30, 30), ("D", 0, 7), ("W", 0, 0)]
)
def test_the_period_is_the_calendars_where_the_series_repeats_after_it(step, period, wanted):
    times = pandas.date_range("2020-01-01", periods=240, freq=step).to_numpy()
    season = np.sin(2 * np.pi * np.arange(240) / period) if period else np.zeros(240)
    values = 5 * season + 0.1 * np.arange(240) + np.random.default_rng(0).normal(0, 0.3, 240)
    assert series.seasonal_period(values, times) == wanted


def test_the_drift_continues_the_line_from_the_first_value():
    found = series_of(np.arange(100.0)[:, None] * 3)
    naive = series.naive_forecasts(found, np.array([50, 60]), 9)["drift"]
    np.testing.assert_allclose(naive[:, :, 0], 3 * (np.array([[50], [60]]) + np.arange(9)))
