"""Plotly figures that are updated in place: zoom, hover and legend choices are kept at every redraw.

`st.plotly_chart` unmounts the chart whenever its data change; this component keeps the node and calls `Plotly.react`
(static/chart.js). It draws every figure of the app, so each can be saved as PNG, SVG or HTML, and Plotly is loaded once.
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


@cache
def serve_plotly() -> None:
    """Copy plotly.min.js of the installed plotly package into static/, unless it is already there."""
    source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    target = STATIC / "plotly.min.js"
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    half = target.with_suffix(f".{os.getpid()}.tmp")
    shutil.copyfile(source, half)
    half.replace(target)  # atomic: a browser never loads half a file


@cache
def asset(name: str) -> str:
    """The URL of a file of static/. A hash of its content, and of files that it loads ("name_….js"), is in it, so that a browser loads
    a new version at once."""
    base = st.get_option("server.baseUrlPath").strip("/")
    parts = sorted(STATIC.glob(f"{Path(name).stem}_*.js"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in (STATIC / name, *parts))).hexdigest()[:8]
    return f"{'/' + base if base else ''}/app/static/{name}?{digest}"


@cache
def _loader(script: str) -> str:
    # The script is a file of static/, because Streamlit sends a component's own script again with every message.
    return f"const module = import(new URL({json.dumps(asset(script))}, location.href));\nexport default async (component) => (await module).draw(component);"


def component(name: str, script: str, css: str | None = None) -> Any:
    """A component that `draw` in the file `script` of static/ draws into the page."""
    return st.components.v2.component(name, js=_loader(script), css=css, isolate_styles=False)


def _renderer() -> Any:
    serve_plotly()
    return component("unrolled_chart", "chart.js")


def payload(figure: go.Figure, *, rev: str, alt: str, name: str, clickable: bool = False) -> bytes:
    """The bytes that chart.js draws. They depend on the arguments only, so all viewers of a run can share them."""
    rest = json.dumps({"rev": rev, "alt": alt, "name": name, "clickable": clickable})
    return f'{{"figure":{figure.to_json()},{rest[1:]}'.encode()


def draw(data: bytes, key: str, clickable: bool = False) -> dict[str, Any] | None:
    """Draw bytes made by `payload`; return the point that was just clicked, if any.

    Returns:
        None, or {"curve", "point", "x", "y", "data"}; `data` is the trace's customdata.
    """
    more = {"on_click_change": lambda: None} if clickable else {}
    result = _renderer()(key=key, data=data, **more)
    return dict(result.click) if clickable and result.click else None


def fetch_plotly() -> None:
    """Load Plotly in the browser before the first chart needs it."""
    _renderer()(key=key_of("train", "fetch_plotly"), data=None, height=1)


def chart(figure: go.Figure, key: str, alt: str, *, rev: str = "", clickable: bool = False) -> dict[str, Any] | None:
    """Draw a figure in place; with `clickable`, return the point that was just clicked.

    Args:
        figure: what to draw; `layout.height` sets its height.
        key: identity on the page, made by `session.key`; the part after the page names saved files. A chart with the same key keeps
            its DOM node.
        alt: what the figure shows, one sentence for a screen reader.
        rev: zoom and legend choices are kept while this is the same; pass the run's id.
        clickable: report clicks on points (and rerun).
    """
    return draw(payload(figure, rev=rev, alt=alt, name=key.partition("-")[2], clickable=clickable), key, clickable)
