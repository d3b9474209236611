"""A slider and a play button under a figure: the browser plays the frames without the server."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from rnn_core.figures.theme import GREY

BUTTONS = 112  # pixels of the two buttons


def playable(
    drawing: go.Figure, frames: Sequence[go.Frame], prefix: str, *, redraw: bool = False, milliseconds: int = 70
) -> go.Figure:
    """Adds `frames` to `drawing`, with a slider that starts at the last of them.

    Args:
        drawing: with the data of the last frame.
        frames: each with a name, which is what the slider shows.
        prefix: shown before the frame's name: what is counted.
        redraw: redraw all at every frame; slower, needed for 3-D or a changing number of traces.
        milliseconds: of each frame while playing.
    """
    drawing.frames = tuple(frames)
    move = {"mode": "immediate", "transition": {"duration": 0}, "frame": {"duration": 0, "redraw": redraw}}
    play = {**move, "fromcurrent": True, "frame": {"duration": milliseconds, "redraw": redraw}}
    buttons = [("▶", [None, play]), ("❚❚", [[None], move])]  # at the last frame, ▶ starts again from the first
    drawing.update_layout(
        updatemenus=[
            {
                "type": "buttons", "direction": "left", "showactive": False, "x": 0, "y": 0, "xanchor": "left", "yanchor": "top",
                "pad": {"t": 84, "r": 0}, "bgcolor": "rgba(128,128,128,0.15)", "bordercolor": "rgba(128,128,128,0.4)",
                "buttons": [{"label": label, "method": "animate", "args": args} for label, args in buttons],
            }
        ],
        sliders=[
            {
                "active": len(frames) - 1, "x": 0, "len": 1, "y": 0, "yanchor": "top", "pad": {"t": 62, "b": 6, "l": BUTTONS},
                "currentvalue": {"prefix": f"{prefix}: ", "xanchor": "left", "font": {"size": 13, "color": GREY}}, "tickcolor": "rgba(0,0,0,0)", "minorticklen": 0, "ticklen": 0,
                "font": {"size": 1, "color": "rgba(0,0,0,0)"}, "bordercolor": "rgba(128,128,128,0.5)", "bgcolor": "rgba(128,128,128,0.3)",
                "steps": [{"label": frame.name, "value": frame.name, "method": "animate", "args": [[frame.name], move]} for frame in frames],
            }
        ],
    )  # fmt: skip
    drawing.layout.margin.b = 128
    return drawing
