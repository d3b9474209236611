"""A slider and a play button under a figure: the frames move in the browser, with no word to the server."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go


def playable(
    drawing: go.Figure, frames: Sequence[go.Frame], prefix: str, *, redraw: bool = False, milliseconds: int = 70
) -> go.Figure:
    """`drawing`, with `frames` behind a slider that starts at the last of them.

    Args:
        drawing: as it looks at the last frame.
        frames: each with a name, which is what the slider shows.
        prefix: what is counted, before the frame's name.
        redraw: needed where 3-D or the number of traces is involved; slower.
        milliseconds: of each frame while playing.
    """
    drawing.frames = tuple(frames)
    move = {"mode": "immediate", "transition": {"duration": 0}, "frame": {"duration": 0, "redraw": redraw}}
    play = {
        "mode": "immediate",
        "fromcurrent": True,
        "transition": {"duration": 0},
        "frame": {"duration": milliseconds, "redraw": redraw},
    }
    again = {**play, "fromcurrent": False}
    buttons = [("▶", [None, play]), ("⏸", [[None], move]), ("⏮", [None, again])]
    drawing.update_layout(
        updatemenus=[
            {
                "type": "buttons", "direction": "left", "showactive": False, "x": 0, "y": 0, "xanchor": "left", "yanchor": "top",
                "pad": {"t": 62, "r": 0}, "bgcolor": "rgba(128,128,128,0.15)", "bordercolor": "rgba(128,128,128,0.4)",
                "buttons": [{"label": label, "method": "animate", "args": args} for label, args in buttons],
            }
        ],
        sliders=[
            {
                "active": len(frames) - 1, "x": 0.2, "len": 0.8, "y": 0, "yanchor": "top", "pad": {"t": 44, "b": 6},
                "currentvalue": {"prefix": f"{prefix}: ", "xanchor": "left"}, "tickcolor": "rgba(0,0,0,0)", "minorticklen": 0, "ticklen": 0,
                "font": {"size": 12}, "bordercolor": "rgba(128,128,128,0.5)", "bgcolor": "rgba(128,128,128,0.3)",
                "steps": [{"label": frame.name if n in (0, len(frames) - 1) else "", "value": frame.name, "method": "animate", "args": [[frame.name], move]} for n, frame in enumerate(frames)],
            }
        ],
    )  # fmt: skip
    drawing.layout.margin.b = 110
    return drawing
