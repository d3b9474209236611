"""From a file to a forecast of the next four weeks, without typing anything."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.steps import button, chart, controls, points, settled

TIMEOUT = 240_000  # ms: the start of a worker on a busy machine


def sales(rows: int) -> str:
    """Daily sales with a week and a trend, as a German export: newest first, a total below."""
    days, rng = pandas.date_range("2023-03-01", periods=rows), np.random.default_rng(0)
    week = np.array([0.9, 0.85, 0.9, 1.0, 1.2, 1.45, 0.7])[days.day_of_week]
    values = 900 * (1 + 0.0006 * np.arange(rows)) * week * (1 + 0.06 * rng.standard_normal(rows))

    def german(value: float) -> str:
        return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))

    lines = [f"{day:%d/%m/%Y};{german(value)}" for day, value in zip(days[::-1], values[::-1], strict=True)]
    return "\n".join(["Datum;Umsatz", *lines, f"Summe;{german(values.sum())}"])


def test_from_sales_to_a_forecast_that_beats_the_seasonal_naive_one(
    visit: Callable[..., Page], server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(sales(600), "utf-8")
    page = settled(visit(f"{server.url}/train"))
    page.get_by_role("tab", name="Time series").click()
    button(page, "Your own series").click()
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(path)
    expect(chart(page, "own_series").locator(".main-svg").first).to_be_visible(timeout=TIMEOUT)
    step = page.locator(".st-key-train-data_step")
    for words in ("600 rows, 1 day apart", "read as dd/mm/yyyy", "comma is the decimal sign", "the rows were turned", "Summe"):
        expect(step).to_contain_text(words)
    expect(page.get_by_role("spinbutton", name="Steps ahead")).to_have_value("28")
    expect(page.get_by_role("spinbutton", name="Learn changes against")).to_have_value("7")
    controls(page, "play").click()
    expect(page.get_by_text("Finished after")).to_be_visible(timeout=TIMEOUT)
    expect(page.get_by_text(re.compile("better than the best naive forecast"))).to_be_visible(timeout=TIMEOUT)
    assert points(page, "beyond") > 28
    assert chart(page, "beyond").evaluate("node => node._fullLayout.xaxis.type") == "date"
    with page.expect_download() as waiting:
        button(page, "Forecast as CSV").click()
    waiting.value.save_as(tmp_path / "forecast.csv")
    head, *rows = csv.reader((tmp_path / "forecast.csv").read_text("utf-8").splitlines())
    assert head[:4] == ["date", "Umsatz", "Umsatz 80% low", "Umsatz 80% high"]
    last = pandas.Timestamp("2023-03-01") + pandas.Timedelta(days=599)
    assert [row[0] for row in rows] == [f"{last + pandas.Timedelta(days=n):%Y-%m-%d}" for n in range(1, 29)]
    assert all(float(row[2]) < float(row[1]) < float(row[3]) for row in rows)
