"""The figure of a series as read: its dates, parts, gaps and repeats."""

from __future__ import annotations

import numpy as np

from rnn_core.figures import series


def test_parts_gaps_and_repeats_are_drawn_over_dates():
    days = np.datetime64("2021-01-01", "us") + np.arange(10) * np.timedelta64(1, "D")
    ends = [days[5], days[7], days[9]]
    drawing = series.series(
        days, [("<b>v</b>", np.arange(10.0))], ends, gaps=[("2021-01-02", "2021-01-03")], repeats=["2021-01-04"]
    )
    assert drawing.layout.yaxis.title.text == "&lt;b&gt;v&lt;/b&gt;"
    assert drawing.layout.xaxis.title.text == "time"
    assert [(str(shape.x0)[:10], str(shape.x1)[:10]) for shape in drawing.layout.shapes] == [
        ("2021-01-06", "2021-01-08"), ("2021-01-08", "2021-01-10"), ("2021-01-02", "2021-01-03"),
    ]  # fmt: skip
    assert [note.text for note in drawing.layout.annotations] == ["validation", "test"]
    assert drawing.data[1].x == ("2021-01-04",)
    assert "1 gaps" in series.describe(["v"], 10, 1, 0)


def test_rows_without_dates():
    drawing = series.series(np.arange(1, 11), [("a", np.zeros(10)), ("b", np.ones(10))], [6, 8, 10])
    assert (drawing.layout.xaxis.title.text, drawing.layout.yaxis.title.text) == ("row", "value")
    assert len(drawing.data) == 2
