"""Backpropagation through time as an animation in five stages, played in the browser with a small network's real numbers."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from pages.shared.charts import STATIC, component
from pages.shared.session import key
from rnn_core.figures.theme import CELL_COLOURS, CELL_NAMES, DIVERGING

if TYPE_CHECKING:
    from rnn_core.probes.gradients.walkthrough import Walkthrough

STAGES = ("Unroll", "Predict", "Loss", "Gradient flows back", "Sum and update")


def _rounded(values: np.ndarray) -> list[Any]:
    """Nested lists of numbers with four significant digits."""
    return np.vectorize(lambda value: float(f"{value:.4g}"), otypes=[float])(values).tolist()


def payload(walk: Walkthrough) -> dict[str, Any]:
    """All numbers that static/bptt.js shows."""
    arrays = ("states", "norms", "shares", "share_norms", "total")
    data = {
        **{name: _rounded(getattr(walk, name)) for name in arrays},
        "stages": STAGES,
        "inputs": list(walk.inputs),
        "probability": round(walk.probability, 4),
        "target": walk.target,
        "loss": round(walk.loss, 4),
        "largest_share": float(np.abs(walk.shares).max()),
        "total_norm": float(np.linalg.norm(walk.total)),
        "largest_total": float(np.abs(walk.total).max()),
        "learning_rate": walk.learning_rate,
        "scale": [DIVERGING[1], DIVERGING[-2]],
        "flow": CELL_COLOURS[walk.cell],
        "alt": f"Backpropagation through {len(walk.inputs)} time steps of a {CELL_NAMES[walk.cell]}, in five stages",
    }
    rev = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:12]
    return {**data, "rev": rev, "id": f"bptt-{rev}"}


def animation(walk: Walkthrough) -> None:
    """Draw the animation; it plays in the browser, without the server."""
    draw = component("unrolled_bptt", "bptt.js", (STATIC / "bptt.css").read_text())
    draw(key=key("gradients", "bptt"), data=payload(walk))
