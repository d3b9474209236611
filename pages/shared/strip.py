"""The strip: one sequence unrolled, a row per network with its states, its answers, and the gradient that reaches back.

Drawn in the browser by static/strip.js, in place: a strip with the same key keeps its node, its cursor and its choices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pages.shared.charts import STATIC, component
from pages.shared.packed import Packer
from rnn_core.figures.theme import CELL_COLOURS, CELL_NAMES, VALUES
from rnn_core.probes.strip import Shown, Strip

TOP_UNITS = 8  # as in strip.js
LONGEST = 120  # steps of a sequence whose numbers all travel; of a longer one, those of the TOP_UNITS
HINT = "Point at a step, or use ← and →: its input, values and gradient appear here. A click shows the cell with its numbers."


def draw(
    strips: Sequence[Strip],
    shown: Shown,
    key: str,
    *,
    answer: str,
    inputs: str = "input",
    live: bool = False,
    forward: bool = False,
) -> None:
    """Draw the strips of some networks over one sequence, one row each.

    Args:
        shown: the sequence.
        key: identity on the page, made by `session.key`.
        answer: what the networks answer, in a word or two: "answer", "P(positive)".
        inputs: what the steps are, at the left of the inputs.
        live: redrawn by a timer: fewer numbers travel.
        forward: the answer so far as a line in the gradient's place, played again and again unless the browser asks for reduced motion.
    """
    draw_payload(payload(strips, shown, answer=answer, inputs=inputs, live=live, forward=forward), key)


def draw_payload(data: bytes, key: str) -> None:
    """Draw bytes made by `payload`."""
    component("unrolled_strip", "strip.js", (STATIC / "strip.css").read_text())(key=key, data=data)


def payload(
    strips: Sequence[Strip], shown: Shown, *, answer: str, inputs: str = "input", live: bool = False, forward: bool = False
) -> bytes:
    """The bytes that strip.js draws. They depend on the arguments only, so all viewers of a run can share them."""
    packer = Packer()
    header = {
        "alt": alt(strips, forward),
        "hint": HINT.replace("input, values and gradient appear", "input and values appear") if forward else HINT,
        "ribbon": not forward,
        "loop": forward,
        "answer": answer,
        "inputs": inputs,
        "scale": VALUES,
        "steps": len(strips[0].norms),
        "words": list(shown.words) or None,
        "symbols": bool(shown.words) and max(map(len, shown.words)) <= 2,
        "values": None if shown.values is None else packer.add(shown.values, "int8" if live else "int16"),
        "marked": list(shown.marked),
        "rows": [_row(one, packer, live) for one in strips],
    }
    return packer.packed(header)


def alt(strips: Sequence[Strip], forward: bool = False) -> str:
    """The picture in a sentence, for a screen reader."""
    rows = [
        f"{name_of(one)} answers {one.answers[-1]:.2g}"
        + ("" if forward else f", {caption(one) or 'its gradient reaches all steps'}")
        for one in strips
    ]
    return f"A sequence of {len(strips[0].norms)} steps. {'; '.join(rows)}."


def name_of(one: Strip) -> str:
    return f"{CELL_NAMES.get(one.cell, one.cell)} {one.label}".strip()


def caption(one: Strip) -> str:
    """What stands at the end of the ribbon; "" where it reaches the first step and neither grows nor overflows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        largest = np.nanmax(one.relative, initial=0.0)
    if not np.isfinite(one.norms).all():
        return "overflows: larger than any number"
    if one.reach == 0:
        return "no gradient at the last step"
    if largest > 10:
        return (
            f"grows to {largest:,.0f} times the last step’s"
            if largest < 1e6
            else f"grows to 10{_power(largest)} times the last step’s"
        )
    if one.reach < len(one.norms):
        return f"below 1 % from {one.reach} step{'s' if one.reach > 1 else ''} back"
    return ""


def _power(value: float) -> str:
    return "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(int(np.log10(value))))


def _row(one: Strip, packer: Packer, live: bool) -> dict[str, object]:
    some = live or len(one.norms) > LONGEST
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log10(one.relative)
    return {
        "cell": one.cell,
        "name": CELL_NAMES.get(one.cell, one.cell),
        "label": one.label,
        "colour": CELL_COLOURS.get(one.cell, "#808080"),
        "activation": one.activation,
        "units": one.units.tolist(),
        "states": {
            name: packer.add(part[:, : TOP_UNITS if some else None], "int8" if live else "int16")
            for name, part in one.states.items()
        },
        "gates": {} if live else {name: packer.add(gate[:, :TOP_UNITS], "int16") for name, gate in one.gates.items()},
        "answers": packer.add(one.answers, "int8" if live else "int16"),
        "right": one.right,
        "kind": one.kind,
        "gradient": packer.add(np.nan_to_num(logs, nan=400, posinf=400, neginf=-400), "int16") if live else packer.add(logs),
        "reach": one.reach,
        "caption": caption(one),
    }
