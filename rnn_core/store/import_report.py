"""What the import of a Keras model found, as text and as JSON: its recurrent layers, what each can show, and the run made of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from rnn_core.probes.calls.abilities import PROBES, Abilities

TITLES = {"jacobians": "Jacobians"}
IN_LIBRARY = (
    "The library can probe it where the table says yes: rnn_core.trace, state_gradients, jacobians and attributions take the loaded "
    "model and inputs of yours."
)


def as_text(layers: Sequence[Abilities], run_id: str, problem: str, no_sentence: str) -> str:
    """A table, its footnotes, and what becomes of the model in the app.

    Args:
        problem: why there is no run.
        no_sentence: why the page Sentence cannot use the run; "" if it can.
    """
    notes: list[str] = []
    rows = [("layer", "cell", "units", *(TITLES.get(probe, probe) for probe in PROBES))]
    for one in layers:
        marks = []
        for probe in PROBES:
            why = one.why_not[probe]
            if why and why not in notes:
                notes.append(why)
            marks.append(f"no [{notes.index(why) + 1}]" if why else "yes")
        rows.append((one.layer, one.cell, str(one.units or "?"), *marks))
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [f"[{number}] {note}" for number, note in enumerate(notes, 1)]
    return "\n".join([*lines, _outcome(layers, run_id, problem, no_sentence)])


def _outcome(layers: Sequence[Abilities], run_id: str, problem: str, no_sentence: str) -> str:
    if run_id:
        more = f"Not under Sentence: {no_sentence}." if no_sentence else "And under Sentence."
        return f"Run {run_id}: an exact copy. Open it in the app under Hidden states and Gradients. {more}"
    possible = any(not why for one in layers for why in one.why_not.values())
    return f"The app cannot show it: {problem}.".replace("..", ".") + (f" {IN_LIBRARY}" if possible else "")


def as_json(layers: Sequence[Abilities], run_id: str, problem: str, no_sentence: str) -> str:
    """The same as one JSON object: layers, run (or null), why_no_run and why_no_sentence."""
    found = {
        "layers": [dataclasses.asdict(one) for one in layers],
        "run": run_id or None,
        "why_no_run": problem,
        "why_no_sentence": no_sentence,
    }
    return json.dumps(found, indent=1)
