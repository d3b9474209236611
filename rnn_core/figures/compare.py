"""Contest and sweep: learning curves against guessing, reach of each gradient, the map; and the histories of several runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import plotly.graph_objects as go

from rnn_core.figures import theme
from rnn_core.figures.gradients import DASHES
from rnn_core.figures.live import thinned
from rnn_core.probes.gradients.reach import SHARE
from rnn_core.probes.gradients.reach import reach as steps_reached
from rnn_core.spec.experiment import CELLS
from rnn_core.studies.contest import Goal, Lap
from rnn_core.studies.sweep import Outcome, cells_of_map

FLOOR = 1e-12  # smallest relative gradient that is drawn
SHARES = ["#6B7280", "#1F78B4"]  # none solved … all solved: white text is legible on all of it, in light and dark


def curves(laps: Sequence[Lap], aim: Goal) -> go.Figure:
    """Held-out metric of every contestant over its training steps, with lines at the metric of guessing and at the threshold."""
    accuracy = aim.metric == "accuracy"
    drawing = theme.figure("training steps", "held-out accuracy" if accuracy else "held-out error (root mean square)", height=360)
    for cell, runs in _tracks(laps):
        name, colour = theme.CELL_NAMES[cell], theme.CELL_COLOURS[cell]
        for n, run in enumerate(runs):
            steps, metrics = [lap.step for lap in run], [lap.metric for lap in run]
            width = 2.5 if len(runs) == 1 else 1.5
            theme.add_line(drawing, name, steps, metrics, colour, width=width, legendgroup=cell, showlegend=n == 0)
            if run[-1].ending == "solved":
                drawing.add_scatter(
                    x=steps[-1:], y=metrics[-1:], mode="markers", marker={"color": colour, "size": 12, "symbol": "star"}, showlegend=False,
                    legendgroup=cell, hovertemplate=f"{name} solved it after %{{x}} steps<extra></extra>",
                )  # fmt: skip
    rules = ((aim.baseline, "dash", "guessing", "bottom right"), (aim.threshold, "dot", "solved", "top right"))
    for height, dash, word, place in rules:
        words = {"text": word, "font": {"color": theme.GREY}}
        drawing.add_hline(y=height, line={"color": theme.GREY, "dash": dash}, annotation=words, annotation_position=place)
    drawing.update_xaxes(range=[0, max([lap.step for lap in laps], default=1) * 1.02 + 1])
    top = 1.03 if accuracy else max(1.3 * aim.baseline, 1e-6)
    drawing.update_yaxes(range=[0, top], tickformat=".0%" if accuracy else None)
    return drawing


def reach(laps: Sequence[Lap], aim: Goal) -> go.Figure:
    """Each contestant's loss gradient by time step, relative to the last step: now (solid) and before training (dotted)."""
    drawing = theme.figure("time steps before the last", "‖∂L/∂sₜ‖, relative to the last step", height=360, log_y=True)
    for cell, runs in _tracks(laps):
        for lap, dash, name in ((runs[-1][0], "dot", "untrained"), (runs[-1][-1], "solid", "now")):
            if not steps_reached(lap.norms):  # no gradient to compare with
                continue
            now, cell_name = name == "now", theme.CELL_NAMES[cell]
            lags, relative = np.arange(len(lap.norms)) - len(lap.norms) + 1, np.maximum(lap.norms / lap.norms[-1], FLOOR)
            hover = f"{cell_name}, {name}<br>%{{x}} steps: %{{y:.2e}}<extra></extra>"
            more = {"legendgroup": cell, "showlegend": now, "opacity": 1 if now else 0.6, "hovertemplate": hover}
            width = 2.5 if now else 1.5
            theme.add_line(drawing, cell_name, lags, relative, theme.CELL_COLOURS[cell], width=width, dash=dash, **more)
    drawing.add_hline(y=SHARE, line={"color": theme.GREY, "dash": "dash"})
    words = {"text": f"reaches while above {SHARE:.0%}", "showarrow": False, "font": {"color": theme.GREY}}
    # On a log axis annotations are placed by exponent.
    drawing.add_annotation(x=0, xref="paper", xanchor="left", y=np.log10(SHARE), yanchor="top", **words)
    drawing.update_xaxes(range=[-aim.length + 1, 0])
    drawing.update_yaxes(range=[np.log10(FLOOR), 1.5])
    return drawing


def memory_map(outcomes: Iterable[Outcome], task: str) -> go.Figure:
    """Cells × lengths of one task: the share of seeds that solved it, with its numbers as text."""
    squares = cells_of_map(outcomes, task)
    lengths = sorted({length for _, length in squares})
    drawing = theme.figure("length of the sequence, in time steps", "", height=90 + 62 * len(CELLS), legend=False)
    rows = [[squares.get((cell, length)) for length in lengths] for cell in CELLS]
    drawing.add_heatmap(
        x=[str(length) for length in lengths], y=[theme.CELL_NAMES[cell] for cell in CELLS],
        z=[[square.share if square else None for square in row] for row in rows], zmin=0, zmax=1, xgap=4, ygap=4, showscale=False,
        text=[[square.words if square else "not tried" for square in row] for row in rows], texttemplate="%{text}", textfont={"color": "white"},
        colorscale=SHARES, hovertemplate="%{y}, length %{x}: %{text}<extra></extra>",
    )  # fmt: skip
    drawing.update_xaxes(type="category", showgrid=False, ticks="")
    drawing.update_yaxes(type="category", autorange="reversed", showgrid=False, ticks="")
    return drawing


def histories(
    tracks: Sequence[tuple[str, str, np.ndarray, dict[str, np.ndarray]]], part: str, metric: str, clock: str
) -> go.Figure:
    """Loss or metric of several runs in one figure: thin lines for training batches, thick ones for the validation part.

    Args:
        tracks: (name, cell, (R,) horizontal position of each row, columns of `rnn_core.training.history.COLUMNS` of R rows).
        part: "loss" or "metric".
        metric: the task's metric, "accuracy" or "rmse".
        clock: name and unit of the horizontal axis.
    """
    words = "loss" if part == "loss" else {"rmse": "root mean squared error"}.get(metric, metric)
    drawing = theme.figure(clock, words, title=words.capitalize(), height=360, log_y=metric == "rmse")
    cells = [cell for _, cell, _, _ in tracks]
    one_cell = len(tracks) > 2 and len(set(cells)) == 1  # many settings of one cell: a colour for each
    for number, (name, cell, place, columns) in enumerate(tracks):
        dash = DASHES[0 if one_cell else cells[:number].count(cell) % len(DASHES)]
        colour = theme.SERIES_COLOURS[number % len(theme.SERIES_COLOURS)] if one_cell else theme.CELL_COLOURS[cell]
        for column, width, shown in ((part, 1.0, False), (f"validation_{part}", 2.5, True)):
            x, y, _ = thinned(place, columns[column])
            mode = "lines+markers" if len(x) < (60 if shown else 3) else "lines"
            more = {"mode": mode, "legendgroup": name, "showlegend": shown, "opacity": 1 if shown else 0.35, "hoverinfo": "all" if shown else "skip"}  # fmt: skip
            theme.add_line(drawing, name, x, y.astype(np.float32), colour, width=width, dash=dash, **more)
    return drawing


def _tracks(laps: Iterable[Lap]) -> list[tuple[str, list[list[Lap]]]]:
    """Every cell's runs, one list of laps per seed, in the fixed order of the cells."""
    found: dict[str, dict[int, list[Lap]]] = {}
    for lap in laps:
        found.setdefault(lap.cell, {}).setdefault(lap.seed, []).append(lap)
    return [(cell, list(found[cell].values())) for cell in CELLS if cell in found]
