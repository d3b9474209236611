"""The schematic of a recurrent network: one cell with a loop, then the same cell unrolled into a chain.

A schematic: its numbers are made up. It is not animated if the browser asks for reduced motion.
"""

from __future__ import annotations

import html

import streamlit as st

from pages.shared.session import key
from rnn_core.figures.theme import ROLE_COLOURS

WORDS = ("slow", "but", "great", "film")
STATES = ((-0.9, 0.3, -0.5), (-0.8, -0.3, -0.2), (0.6, 0.8, -0.1), (0.8, 0.9, 0.3))  # one row per step, three units
OUTPUTS = ("24%", "35%", "88%", "93%")
SECONDS = 8.0  # duration of one cycle of the animation
INPUT, LOOP, OUTPUT = "#2F8FD0", "#D55E00", "#009E73"  # colours of the three weight matrices U, W, V

STYLE = f"""
.picture {{ display: flex; flex-wrap: wrap; align-items: center; justify-content: center; gap: 8px 28px; font-family: var(--st-font); }}
.picture svg {{ height: auto; max-width: 100%; }}
.picture .rolled {{ flex: 1 1 200px; max-width: 250px; }}
.picture .chain {{ flex: 3 1 330px; max-width: 720px; }}
.picture text {{ fill: var(--st-text-color); font-size: 17px; text-anchor: middle; }}
.picture .small {{ font-size: 13.5px; opacity: .75; }}
.picture .cell {{ fill: var(--st-secondary-background-color); stroke: var(--st-border-color); stroke-width: 1.5; }}
.picture .u {{ stroke: {INPUT}; }} .picture .w {{ stroke: {LOOP}; }} .picture .v {{ stroke: {OUTPUT}; }}
.picture .arrow {{ fill: none; stroke-width: 3.5; stroke-linecap: round; }}
.picture text.u {{ fill: {INPUT}; stroke: none; font-weight: 650; }} .picture text.w {{ fill: {LOOP}; stroke: none; font-weight: 650; }}
.picture text.v {{ fill: {OUTPUT}; stroke: none; font-weight: 650; }}
.picture .pulse {{ fill: {LOOP}; offset-path: path("M175 150 H 205 Q 225 150 225 130 V 105 Q 225 85 205 85 H 45 Q 25 85 25 105 V 130 Q 25 150 45 150 H 75"); }}
@media (max-width: 640px) {{ .picture .chain {{ overflow: visible; }} .picture .chain text {{ font-size: 22px; }} .picture .chain .small {{ font-size: 18.5px; }} }}
@media (prefers-reduced-motion: no-preference) {{
  .picture .pulse {{ animation: travel {SECONDS / len(WORDS)}s cubic-bezier(.5,0,.5,1) infinite; }}
}}
@keyframes travel {{ from {{ offset-distance: 0%; }} to {{ offset-distance: 100%; }} }}
"""


def _timing() -> str:
    """CSS keyframes: the parts of each step appear one after the other and stay until the cycle ends."""
    rules, frames = [], []
    for step in range(len(WORDS)):
        for part in range(4):  # input, cell, output, arrow to the next step
            start = 4 + 80 * (step + part / 4) / len(WORDS)
            frames.append(
                f"@keyframes lit{step}{part} {{ 0%, {start:.1f}% {{ opacity: .18; }} {start + 4:.1f}%, 97% {{ opacity: 1; }} 100% {{ opacity: .18; }} }}"
            )
            rules.append(f".picture .l{step}{part} {{ animation: lit{step}{part} {SECONDS}s linear infinite; }}")
    return "@media (prefers-reduced-motion: no-preference) {" + "".join(rules) + "}" + "".join(frames)


def _units(x: float, y: float, states: tuple[float, ...]) -> str:
    """SVG of one hidden state as discs: orange negative, blue positive; the opacity is the absolute value."""
    return "".join(
        f'<circle cx="{x + 27 * (n - 1)}" cy="{y}" r="10" fill="{ROLE_COLOURS["positive" if value > 0 else "negative"]}" fill-opacity="{abs(value):.2f}"/>'
        for n, value in enumerate(states)
    )


def _tip(x: float, y: float, angle: int, kind: str) -> str:
    return f'<path class="arrow {kind}" d="M-8 -6 L0 0 L-8 6" transform="translate({x} {y}) rotate({angle})"/>'


def _rolled() -> str:
    return f"""<svg class="rolled" viewBox="0 0 250 330" role="img" aria-label="A recurrent cell whose state loops back into itself">
<path class="arrow w" d="M175 150 H205 Q225 150 225 130 V105 Q225 85 205 85 H45 Q25 85 25 105 V130 Q25 150 45 150 H72"/>{_tip(74, 150, 0, "w")}
<rect class="cell" x="76" y="122" width="98" height="56" rx="12"/>{_units(125, 150, (0.8, -0.6, 0.4))}
<circle class="pulse" r="7"/>
<path class="arrow u" d="M125 248 V184"/>{_tip(125, 182, -90, "u")}<path class="arrow v" d="M125 122 V52"/>{_tip(125, 50, -90, "v")}
<text x="148" y="222" class="u">U</text><text x="232" y="78" class="w">W</text><text x="148" y="72" class="v">V</text>
<text x="125" y="272">word</text><text x="125" y="38">verdict</text>
<text x="125" y="312" class="small">one cell, a loop</text></svg>"""


def _step(n: int) -> str:
    x = 118 + 142 * n
    arrow = "" if n == len(WORDS) - 1 else (
        f'<g class="l{n}3"><path class="arrow w" d="M{x + 49} 150 H{x + 88}"/>{_tip(x + 91, 150, 0, "w")}<text x="{x + 70}" y="138" class="w">W</text></g>'
    )  # fmt: skip
    return f"""<g class="l{n}0"><path class="arrow u" d="M{x} 248 V184"/>{_tip(x, 182, -90, "u")}<text x="{x + 20}" y="222" class="u">U</text>
<text x="{x}" y="272">{html.escape(WORDS[n])}</text></g>
<rect class="cell" x="{x - 49}" y="122" width="98" height="56" rx="12"/><g class="l{n}1">{_units(x, 150, STATES[n])}</g>
<g class="l{n}2"><path class="arrow v" d="M{x} 122 V52"/>{_tip(x, 50, -90, "v")}<text x="{x + 20}" y="92" class="v">V</text><text x="{x}" y="38">{OUTPUTS[n]}</text></g>{arrow}"""


def _chain() -> str:
    steps = "".join(_step(n) for n in range(len(WORDS)))
    words = "The same network unrolled over four words: every step uses the same three weight matrices U, W and V"
    return f"""<svg class="chain" viewBox="0 0 610 330" role="img" aria-label="{words}">
<text x="28" y="36" class="small">output</text><text x="28" y="146" class="small">recurrent</text><text x="28" y="162" class="small">layer</text>
<text x="28" y="270" class="small">input</text>{steps}
<text x="331" y="312" class="small">the same cell at every step: the weights U, W, V are shared</text></svg>"""


def unrolled() -> None:
    """Draw the picture in the colours of the theme."""
    body = f'<div class="picture">{_rolled()}{_chain()}</div>'
    st.components.v2.component("unrolled_picture", html=body, css=STYLE + _timing())(key=key("home", "picture"))
