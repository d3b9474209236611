"""Colours: contrast with both pages, distinguishable with colour blindness, equal in the app's configuration."""

from __future__ import annotations

import ast
import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from rnn_core.figures import theme
from tests.conftest import ROOT

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
# Machado, Oliveira & Fernandes (2009), severity 1.0, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
}
GROUPS = {
    "cells": list(theme.CELL_COLOURS.values()),
    "LSTM gates": [theme.GATE_COLOURS[name] for name in ("input", "forget", "cell", "output")],
    "GRU gates": [theme.GATE_COLOURS[name] for name in ("update", "reset", "candidate")],
    "train and validation": [theme.ROLE_COLOURS["train"], theme.ROLE_COLOURS["validation"], theme.ROLE_COLOURS["baseline"]],
}


def linear(colour: str) -> np.ndarray:
    """sRGB hex → (3,) linear light."""
    values = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio."""
    dark, light = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(light: np.ndarray) -> np.ndarray:
    """Linear RGB → CIE L*a*b*."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(light, 0, 1)
    f = np.cbrt(np.maximum(xyz / [0.9505, 1.0, 1.089], 0.008856))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_colour_has_enough_contrast_with_the_page(mode: str) -> None:
    page = CONFIG[mode]["backgroundColor"]
    colours = {*theme.CELL_COLOURS.values(), *theme.GATE_COLOURS.values(), *theme.ROLE_COLOURS.values(), *theme.SERIES_COLOURS}
    assert {colour: contrast(colour, page) for colour in colours if contrast(colour, page) < 3} == {}
    assert contrast(CONFIG[mode]["textColor"], page) > 7


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("group", GROUPS)
def test_colours_of_a_group_are_distinguishable(group: str, blindness: str) -> None:
    perceived = [lab(BLINDNESS[blindness] @ linear(colour)) for colour in GROUPS[group]]
    assert min(float(np.linalg.norm(one - other)) for one, other in combinations(perceived, 2)) > 20


def test_counterparts_share_a_colour() -> None:
    assert theme.GATE_COLOURS["forget"] == theme.GATE_COLOURS["update"]
    assert theme.GATE_COLOURS["cell"] == theme.GATE_COLOURS["candidate"]


def test_the_configuration_has_the_colours_of_the_theme() -> None:
    assert CONFIG["chartCategoricalColors"] == theme.SERIES_COLOURS
    assert CONFIG["chartSequentialColors"] == theme.SEQUENTIAL
    assert CONFIG["chartDivergingColors"] == theme.DIVERGING


def test_figure_is_transparent_and_titled() -> None:
    drawing = theme.figure("step", "loss", log_y=True)
    assert drawing.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert (drawing.layout.xaxis.title.text, drawing.layout.yaxis.title.text, drawing.layout.yaxis.type) == (
        "step",
        "loss",
        "log",
    )
    assert theme.for_paper(drawing).layout.paper_bgcolor == "#FFFFFF"
    assert drawing.layout.paper_bgcolor is None, "a copy was changed, not the original"


def test_tags_in_user_text_are_escaped() -> None:
    assert theme.literal('<a href="x">&') == '&lt;a href="x"&gt;&amp;'


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_colour_of_missing_cells_differs_from_both_ends_of_the_scale(mode: str) -> None:
    *grey, cover = (float(part) for part in theme.NOTHING.removeprefix("rgba(").removesuffix(")").split(","))
    page = [int(CONFIG[mode]["backgroundColor"][n : n + 2], 16) for n in (1, 3, 5)]
    perceived = "#" + "".join(f"{round(cover * ink + (1 - cover) * paper):02X}" for ink, paper in zip(grey, page, strict=True))
    for end in (theme.SEQUENTIAL[0], theme.SEQUENTIAL[-1]):
        assert abs(lab(linear(perceived))[0] - lab(linear(end))[0]) > 8  # lightness, of 100; the dark page itself is 6 away


@pytest.mark.parametrize("path", sorted((ROOT / "rnn_core" / "figures").rglob("*.py")), ids=lambda path: path.stem)
def test_heat_maps_show_no_hover_text_on_missing_cells(path: Path) -> None:
    """Otherwise the hover text would be "NaN"."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("add_heatmap", "Heatmap")):
            words = {word.arg: ast.unparse(word.value) for word in node.keywords}
            assert "%{z" not in words.get("hovertemplate", "") or words.get("hoverongaps") == "False", (
                f"{path.name}:{node.lineno}"
            )
