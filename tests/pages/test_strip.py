"""The strip's bytes: what strip.js draws, its size, its captions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pages.shared import strip
from pages.shared.packed import Packer, header_of
from rnn_core import data
from rnn_core.engine.model import Model
from rnn_core.probes.strip import Strip, shown
from rnn_core.probes.strip import strip as strip_of
from rnn_core.spec.experiment import Experiment
from rnn_core.studies import remembering
from tests.made_up import model


def three(length: int, units: int = 32) -> tuple[tuple[Strip, ...], np.ndarray]:
    networks: list[Model] = []
    for cell in ("simple_rnn", "lstm", "gru"):
        networks.append(model(Experiment().replace(task="adding", length=length, units=units, cell=cell)))
    inputs = data.build(Experiment().replace(task="adding", length=length, samples=64)).validation[0]
    return tuple(strip_of(network, inputs) for network in networks), inputs


@pytest.mark.parametrize("kind", ["float32", "int16", "int8"])
def test_packed_numbers_come_back(kind: str) -> None:
    values, packer = np.random.default_rng(0).normal(size=(5, 3)), Packer()
    place = packer.add(values, kind)
    data = packer.packed({"place": place})
    header = header_of(data)["place"]
    stored = np.frombuffer(data[-packer.size :], {"float32": "<f4", "int16": "<i2", "int8": "i1"}[kind], 15).reshape(5, 3)
    scale = 1 if kind == "float32" else header["scale"] / {"int16": 32767, "int8": 127}[kind]
    np.testing.assert_allclose(stored * scale, values, atol={"float32": 1e-6, "int16": 1e-4, "int8": 0.02}[kind])


def test_a_tick_of_three_networks_over_500_steps_takes_at_most_25_kilobytes() -> None:
    strips, inputs = three(500)
    data = strip.payload(strips, shown(inputs), answer="answer", live=True)
    assert len(data) <= 25_000


def test_equal_strips_give_equal_bytes_and_others_do_not() -> None:
    strips, inputs = three(20)
    first = strip.payload(strips, shown(inputs), answer="answer")
    assert first == strip.payload(strips, shown(inputs), answer="answer")
    assert header_of(first)["rev"] != header_of(strip.payload(strips[:2], shown(inputs), answer="answer"))["rev"]


@pytest.mark.parametrize(
    ("norms", "words"),
    [
        (np.ones(20), ""),
        (np.r_[np.full(15, 1e-3), np.ones(5)], "below 1 % from 5 steps back"),
        (np.r_[np.full(19, 1e-3), 1], "below 1 % from 1 step back"),
        (np.r_[np.full(15, 5e3), np.ones(5)], "grows to 5,000 times the last step’s"),
        (np.r_[np.full(15, 5e30), np.ones(5)], "grows to 10³⁰ times the last step’s"),
        (np.r_[np.inf, np.ones(19)], "overflows: larger than any number"),
        (np.zeros(20), "no gradient at the last step"),
    ],
)
def test_the_ribbon_says_where_it_ends(norms: np.ndarray, words: str) -> None:
    strips, inputs = three(20)
    one = replace(strips[0], norms=norms)
    assert strip.caption(one) == words
    assert header_of(strip.payload([one], shown(inputs), answer="answer"))["rows"][0]["caption"] == words


def test_the_picture_is_described_for_a_screen_reader() -> None:
    words = strip.alt(remembering.strips(0))
    assert (
        words
        == "A sequence of 100 steps. Vanilla RNN answers 0.94, below 1 % from 2 steps back; LSTM answers 1.5, its gradient reaches all steps; GRU answers 1.5, its gradient reaches all steps."
    )


def test_a_strip_that_plays_forwards_names_no_gradient() -> None:
    strips, inputs = three(20)
    header = header_of(strip.payload(strips, shown(inputs), answer="answer", forward=True))
    assert (header["ribbon"], header["loop"]) == (False, True)
    assert "gradient" not in header["alt"] + header["hint"]
    assert header_of(strip.payload(strips, shown(inputs), answer="answer"))["ribbon"]
