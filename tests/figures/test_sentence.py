"""Figures of the sentence page: their data and captions agree with the results they are given."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.figures import attributions, traces
from rnn_core.figures.theme import GATE_COLOURS, GATE_NAMES
from rnn_core.probes.sentence import reading
from rnn_core.probes.sentence.attributions import METHODS
from rnn_core.service import sentence
from rnn_core.store import run_file, starters
from tests.probes.test_units import starter

WORDS = ("<start>", "A", "<b>fine</b>", "film")


def profile(cell: str) -> traces.Profile:
    return starters.profile(cell, run_file.open_starter(f"starter-{cell}").snapshots[-1].step)


@pytest.fixture(scope="module")
def found() -> reading.Reading:
    return sentence.read(starter("lstm"), vocabulary().encode("A fine film").ids)


def test_one_unit_over_the_text(found: reading.Reading) -> None:
    drawing = traces.unit_over_text(found, WORDS, 5)
    by_name = {trace.name: trace for trace in drawing.data}
    np.testing.assert_allclose(by_name["hidden state h"].y, found.blocks["h"][:, 5], atol=1e-4)
    np.testing.assert_allclose(by_name["cell state c"].y, found.blocks["c"][:, 5], atol=1e-4)
    assert by_name[GATE_NAMES["forget"]].line.color == GATE_COLOURS["forget"]
    assert "<b>" not in "".join(drawing.layout.xaxis.ticktext)  # tags in a user's text are escaped
    assert "<b>" not in "".join(by_name["hidden state h"].text)


def test_the_saturation_plot_and_its_caption_agree() -> None:
    """LSTM starter: points have x + y ≤ 1, and the caption has their counts."""
    measured = profile("lstm")
    drawing = traces.saturation(measured)
    gates = {trace.name: trace for trace in drawing.data if trace.name}
    assert set(gates) == {GATE_NAMES[gate] for gate in ("input", "forget", "output")}
    for gate, shares in measured.saturation.items():
        trace = gates[GATE_NAMES[gate]]
        np.testing.assert_allclose(trace.x, shares[:, 1])
        np.testing.assert_allclose(trace.y, shares[:, 0])
        assert (np.array(trace.x) + np.array(trace.y) <= 1 + 1e-6).all()
    words = traces.saturation_words("LSTM", measured)
    keeping = int((measured.saturation["forget"][:, 1] > 0.5).sum())
    assert f"{keeping} of 32 units have their forget gate f open" in words
    assert f"{measured.tokens:,} tokens of {measured.reviews:,} reviews" in words


def test_counts_follow_the_numbers() -> None:
    measured = profile("lstm")
    shares = np.tile(np.float32([0.0, 1.0]), (32, 1))
    all_open = dataclasses.replace(measured, saturation={"forget": shares})
    assert "32 of 32 units have their forget gate f open" in traces.saturation_words("LSTM", all_open)
    assert "0 have it open" not in traces.saturation_words("LSTM", all_open)


@pytest.mark.parametrize("cell", ["simple_rnn", "lstm", "gru"])
def test_correlations_are_sorted_and_their_caption_agrees(cell: str) -> None:
    measured = profile(cell)
    (bars,) = traces.correlations(measured).data
    values = np.array(bars.y)
    assert (np.diff(values) <= 0).all()
    np.testing.assert_allclose(values, measured.correlations[[int(unit) for unit in bars.x]])
    words = traces.correlations_words("It", measured)
    unit, value = re.search(r"unit (\d+) .*correlation ([+-]\d\.\d\d)", words).groups()  # type: ignore[union-attr]
    assert float(value) == pytest.approx(measured.correlations[int(unit)], abs=0.005)
    assert abs(float(value)) == pytest.approx(np.abs(measured.correlations[:32]).max(), abs=0.005)


def test_methods_side_by_side_and_their_agreement() -> None:
    ids = vocabulary().encode("Great cast, but a terrible plot.").ids
    readings = {method: sentence.read(starter("gru"), ids, method) for method in METHODS}
    drawing = attributions.side_by_side(readings, vocabulary().decode(ids))
    assert [trace.name for trace in drawing.data] == list(METHODS.values())
    assert all(np.abs(trace.y).max() == pytest.approx(1, abs=1e-3) for trace in drawing.data)
    agreement = attributions.agreement(readings)
    first, second = (readings[name].attribution for name in ("integrated_gradients", "leave_one_out"))
    assert agreement["integrated_gradients", "leave_one_out"] == pytest.approx(np.corrcoef(first, second)[0, 1])
    assert agreement["integrated_gradients", "leave_one_out"] > 0.5
    assert f"{agreement['integrated_gradients', 'leave_one_out']:+.2f}" in attributions.agreement_words(readings)
