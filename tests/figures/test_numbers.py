"""Numbers as text."""

import pytest

from rnn_core.figures import numbers

NAN = float("nan")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.64, "64%"), (0.0, "0%"), (0.989, "99%"), (0.996, "99.6%"), (0.9999, "99.9%"), (1.0, "100%"), (NAN, "–"), (float("inf"), "–")],
)  # fmt: skip
def test_a_share_is_never_rounded_up_to_all(share: float, text: str) -> None:
    assert numbers.percent(share) == text


def test_two_shares_that_would_look_alike_get_a_decimal() -> None:
    assert numbers.percents(0.64, 0.51) == ("64%", "51%")
    assert numbers.percents(0.512, 0.508) == ("51.2%", "50.8%")
    assert numbers.percents(0.5, 0.5) == ("50%", "50%")


def test_metrics_counts_and_times() -> None:
    assert [numbers.score(value) for value in (0.0123, 0.5, 12.34, NAN)] == ["0.0123", "0.500", "12.3", "–"]
    assert (numbers.metric_words(0.64, "accuracy"), numbers.metric_words(0.64, "rmse")) == ("64.0%", "0.640")
    assert (numbers.counted(1, "epoch"), numbers.counted(1240, "step")) == ("1 epoch", "1,240 steps")
    assert [numbers.duration(seconds) for seconds in (8, 120, 5400, NAN)] == ["8 s", "2 min", "1.5 h", "a while"]
    assert [numbers.pace(steps) for steps in (0.52, 1240)] == ["0.52", "1,240"]


@pytest.mark.parametrize(
    ("value", "words"), [(0.8, "0.800"), (0.99841, "0.998"), (1.0, "1.000"), (0.00032, "0.00032"), (NAN, "–")]
)
def test_a_score_has_three_decimals(value: float, words: str) -> None:
    assert numbers.score(value) == words


@pytest.mark.parametrize(("speed", "words"), [(0.5, "0.5"), (61.27, "61.3"), (1240.4, "1,240")])
def test_a_pace_is_not_written_with_an_exponent(speed: float, words: str) -> None:
    assert numbers.pace(speed) == words
