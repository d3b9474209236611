"""Figures of results: each module draws one topic and is loaded on first use, as `rnn_core.figures.gradients.norm_by_step(flow)`.

In: what a training or a probe returned, never a model. Out: a `plotly` figure with named axes, units and alternative text.
Colours of cells and gates, light and dark, are in `theme.py`; a cell keeps its colour everywhere.
Open first: `gradients.py`; then `live.py` for the charts that are redrawn during a training.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

__all__ = sorted(module.name for module in iter_modules(__path__))


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"rnn_core.figures has no module {name!r}; it offers {', '.join(__all__)}")
