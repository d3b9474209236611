"""How a run or a setting is named on the command line."""

from __future__ import annotations

from collections.abc import Iterator

from rnn_core.store.store import RunInfo, Store


def pairs(written: list[str]) -> Iterator[tuple[str, str]]:
    """Name and value of each "name=value"."""
    for text in written:
        name, sign, value = text.partition("=")
        if not sign:
            raise ValueError(f"--set needs name=value, got {text!r}")
        yield name.strip(), value


def find(store: Store, text: str) -> RunInfo:
    """The one run whose id or name is `text`, or begins with it. Raises ValueError when there is none or several."""
    infos = store.list()
    exact = [info for info in infos if text in (info.id, info.name)]
    found = exact or [info for info in infos if info.id.startswith(text) or info.name.lower().startswith(text.lower())]
    if len(found) != 1:
        raise ValueError(f"{'no run' if not found else f'{len(found)} runs'} called {text!r}: see `python -m rnn_core runs`")
    return found[0]
