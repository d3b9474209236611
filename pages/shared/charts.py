"""A Plotly figure that is updated in place: zoom, hover and legend choices survive every tick.

`st.plotly_chart` unmounts the chart whenever its data change; this component keeps the node and calls `Plotly.react`
(static/chart.js). Every figure of the app is drawn by it, so all of them save as PNG, SVG or HTML and Plotly is fetched once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import streamlit as st

from pages.shared.session import key as key_of

STATIC = Path(__file__).parents[2] / "static"


def serve_plotly() -> None:
    """Copy plotly.min.js from the installed package into static/, once per version, so that the page and the library agree."""
    source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    target = STATIC / "plotly.min.js"
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    half = target.with_suffix(f".{os.getpid()}.tmp")
    shutil.copyfile(source, half)
    half.replace(target)  # a browser never meets half a file


@cache
def asset(name: str) -> str:
    """Where the browser finds a file of static/; its content is in the address, so that an update is fetched at once."""
    base = st.get_option("server.baseUrlPath").strip("/")
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:8]
    return f"{'/' + base if base else ''}/app/static/{name}?{digest}"


@cache
def _component() -> Any:
    serve_plotly()
    # The script itself lives in static/, because a component's own script travels again with every message.
    source = f"const module = import(new URL({json.dumps(asset('chart.js'))}, location.href));\nexport default async (component) => (await module).draw(component);"
    return source


def _renderer() -> Any:
    return st.components.v2.component("unrolled_chart", js=_component(), isolate_styles=False)


def payload(figure: go.Figure, *, rev: str, alt: str, name: str = "unrolled", clickable: bool = False) -> bytes:
    """The bytes that one drawing sends to the browser. Same figure, same bytes: make them once for thirty viewers."""
    rest = json.dumps({"rev": rev, "alt": alt, "name": name, "clickable": clickable})
    return f'{{"figure":{figure.to_json()},{rest[1:]}'.encode()


def draw(data: bytes, key: str, clickable: bool = False) -> dict[str, Any] | None:
    """Draw bytes made by `payload`; the point that was just clicked, if any.

    Returns:
        None, or {"curve", "point", "x", "y", "data"}; `data` is the trace's customdata.
    """
    if not clickable:
        _renderer()(key=key, data=data)
        return None
    result = _renderer()(key=key, data=data, on_click_change=lambda: None)
    return dict(result.click) if result.click else None


def fetch_plotly() -> None:
    """Let the browser fetch Plotly while its user still chooses: the first chart is then drawn at once."""
    _renderer()(key=key_of("train", "fetch_plotly"), data=None, height=1)


def live_chart(figure: go.Figure, key: str, rev: str = "", *, alt: str, clickable: bool = False) -> dict[str, Any] | None:
    """Draw a figure in place.

    Args:
        figure: what to draw; `layout.height` sets its height.
        key: identity on the page, made by `session.key`; its part after the page names the saved file. The chart keeps its node
            as long as this stays.
        rev: zoom and legend choices are kept while this stays; pass the run's id.
        alt: one sentence for a screen reader: what the figure shows.
        clickable: report clicks on points (and rerun).
    """
    return draw(payload(figure, rev=rev, alt=alt, name=key.partition("-")[2], clickable=clickable), key, clickable)
