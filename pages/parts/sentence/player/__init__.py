"""The token player: sentence, probability, states, path and gates of one or more readings, with one cursor, in the browser.

All data are sent once, as one block of bytes; playing, scrubbing and hovering need no server. A clicked token or unit and a
marked span are returned as a `Pick`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.packed import Packer, header_of
from rnn_core.figures.theme import CELL_COLOURS, GATE_COLOURS, GATE_NAMES, ROLE_COLOURS
from rnn_core.probes.sentence.reading import Reading
from rnn_core.service.sentence import Source

_HERE = Path(__file__).parent
_PARTS = ("payload", "colour", "plots", "sentence", "transport", "player")  # one module, in this order
_SCRIPT = "\n".join((_HERE / f"{part}.js").read_text("utf-8") for part in _PARTS)
_component = st.components.v2.component(
    "token_player", html='<div class="player"></div>', css=(_HERE / "player.css").read_text("utf-8"), js=_SCRIPT
)

SORTS = {
    "index": "as stored",
    "activation": "by final activation",
    "correlation": "by correlation with the label",
    "cluster": "similar units together",
}
_STATE_TITLES = {"h": "Hidden state h", "c": "Cell state c"}


@dataclass(frozen=True, eq=False)
class Panel:
    """One column: a model's reading of the sentence, or its readings of two sentences in the same plots."""

    title: str  # "LSTM", "LSTM, epoch 3"
    readings: tuple[Reading, ...]  # one or two
    source: Source  # the weights behind the readings


@dataclass(frozen=True)
class Pick:
    """What the user clicked last; None for what was not clicked."""

    token: int | None = None  # 0-based step
    unit: int | None = None  # 0-based unit of the layer
    panel: int | None = None  # index of the panel
    span: tuple[int, int] | None = None  # first and last step, inclusive


def player(panels: list[Panel], sentences: list[dict[str, Any]], *, key: str, focus: int = 0) -> Pick:
    """Show the readings and return what was picked in them.

    Args:
        panels: the columns; first readings belong to sentence 0, second ones to sentence 1.
        sentences: {"words": words as typed, "known": bools, "align": for sentence 1, the corresponding step of sentence 0 for
            each step, -1 for none}.
        key: identity of the element; keep it while the readings change.
        focus: index of the panel whose values colour the words at first.
    """
    data = payload(panels, sentences, focus)
    answer = _component(
        key=key, data=data, default={"pick": None}, on_pick_change=lambda: None, width="stretch", height="content"
    )
    return _checked(answer.pick, panels, sentences, header_of(data)["rev"])


def payload(panels: list[Panel], sentences: list[dict[str, Any]], focus: int = 0) -> bytes:
    """The bytes that player/payload.js unpacks: header length, JSON header, numbers."""
    packer = Packer()
    method = panels[0].readings[0].method_title
    header = {
        "sentences": [{"words": list(text["words"]), "known": [bool(known) for known in text["known"]]} for text in sentences],
        "panels": [_panel(panel, packer, sentences) for panel in panels],
        "quantities": {"delta": "Change of the logit by each token", "attribution": method},
        "sorts": SORTS,
        "colours": {"positive": ROLE_COLOURS["positive"], "negative": ROLE_COLOURS["negative"]},
        "parting": sentences[1].get("parting") if len(sentences) > 1 else None,
        "focus": focus,
    }
    return packer.packed(header)


def _panel(panel: Panel, packer: Packer, sentences: list[dict[str, Any]]) -> dict[str, Any]:
    first, profile = panel.readings[0], panel.readings[0].profile
    names = [f"component {n + 1} ({share:.0%} of the variance)" for n, share in enumerate(profile.basis.explained[:2])]
    blocks = [{"name": name, "kind": "state", "title": _STATE_TITLES[name], "rows": first.units} for name in first.state_parts]
    for name in first.gates:
        kind, title = "gate", f"{GATE_NAMES[name]} (0 … 1)"
        if name in ("cell", "candidate"):
            kind, title = "candidate", GATE_NAMES[name]  # tanh: -1..1, drawn on the diverging scale
        blocks.append({"name": name, "kind": kind, "title": title, "rows": first.units, "colour": GATE_COLOURS[name]})
    return {
        "title": panel.title,
        "colour": CELL_COLOURS[first.cell],
        "blocks": blocks,
        "orders": {name: [int(unit) for unit in order] for name, order in first.orders.items()},
        "cloud": packer.add(profile.cloud),
        "labels": [int(label) for label in profile.labels] if profile.reviews else [],
        "axes": names,
        "readings": [_reading(reading, n, packer, sentences) for n, reading in enumerate(panel.readings)],
    }


def _reading(reading: Reading, sentence: int, packer: Packer, sentences: list[dict[str, Any]]) -> dict[str, Any]:
    sentence = min(sentence, len(sentences) - 1)
    return {
        "sentence": sentence,
        "probability": packer.add(reading.probability),
        "path": packer.add(reading.path),
        "bars": {"delta": packer.add(reading.deltas), "attribution": packer.add(reading.attribution)},
        "note": f" (sums to {reading.attribution.sum():+.2f}; {reading.gap_words})",
        "blocks": {name: packer.add(values, "int16") for name, values in reading.blocks.items()},
        "align": [int(step) for step in sentences[sentence].get("align", range(len(reading.ids)))],
    }


def _checked(raw: Any, panels: list[Panel], sentences: list[dict[str, Any]], revision: str) -> Pick:
    """A Pick from what the browser sent, which may be stale or forged: values out of range become None."""
    if not isinstance(raw, dict) or raw.get("rev") != revision:
        return Pick()
    steps = len(sentences[0]["words"])
    panel = _index(raw.get("panel"), len(panels))
    units = panels[panel or 0].readings[0].units
    return Pick(_index(raw.get("token"), steps), _index(raw.get("unit"), units), panel, _span(raw.get("span"), steps))


def _span(raw: Any, steps: int) -> tuple[int, int] | None:
    if not isinstance(raw, list) or len(raw) != 2:
        return None
    first, last = (_index(end, steps) for end in raw)
    return (first, last) if first is not None and last is not None and first <= last else None


def _index(value: Any, size: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < size else None
