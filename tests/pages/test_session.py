"""The session is one typed object, and keys of widgets, names in the link and the session cannot collide."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.shared import session
from pages.shared.session import LINK, LINK_VALUES, PAGES, Session, key, linked
from rnn_core.spec.experiment import FIELDS
from tests.conftest import ROOT

FILES = [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))]
LINKED = [name for names in LINK.values() for name in names]


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))


def named(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def test_only_the_session_file_touches_streamlits_session() -> None:
    users = [path.name for path in FILES if "session_state" in path.read_text("utf-8")]
    assert users == ["session.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_key_is_made_by_key_or_is_a_name_in_the_link(path: Path) -> None:
    for call in calls(path):
        for keyword in call.keywords:
            where = f"{path.name}:{call.lineno}"
            assert keyword.arg != "bind" or path.name == "session.py", f"{where}: bind with linked(name)"
            if keyword.arg == "key" and ast.unparse(call.func) not in ("sorted", "max", "min"):
                made = isinstance(keyword.value, ast.Call) and named(keyword.value) in ("key", "key_of")
                passed = isinstance(keyword.value, ast.Name)  # a parameter or a variable, made by `key` elsewhere
                assert made or passed or named(call) == "_button", f"{where}: {ast.unparse(keyword.value)}"


def test_link_contains_exactly_the_names_that_widgets_use() -> None:
    used: set[str] = set()
    for path in FILES:
        for call in calls(path):
            if named(call) in ("linked", "choose_quantity", "_axes") and call.args:
                pattern = ast.unparse(call.args[0])
                found = re.fullmatch(r"f?'([a-z_]+)(\{.*\})?'", pattern)
                used |= {name for name in LINKED if found and (name.startswith(found[1]) if found[2] else name == found[1])}
    assert used | {"lab_view"} == set(LINKED)  # lab_view is a default
    assert len(set(LINKED)) == len(LINKED), "two pages would share a name"
    assert not set(LINKED) & set(LINK_VALUES)
    # On Train the experiment's fields are in the link; Compare's `length` has the same meaning.
    assert set(LINKED) & set(FIELDS) == {"length"}


def test_a_key_of_a_widget_is_neither_a_name_in_the_link_nor_the_session() -> None:
    assert all("-" not in name for name in LINKED)
    assert key("states", "unit", "20260101-ab", 3) == "states-unit-20260101-ab-3"
    assert key("states", "unit") not in LINKED
    state: dict[str, Session] = {}
    session.of(state)
    assert not any(name.startswith(f"{page}-") or name in LINKED for name in state for page in PAGES)


@pytest.mark.parametrize(("page", "purpose"), [("nowhere", "unit"), ("states", "my unit"), ("states", ""), ("states", "a-b")])
def test_a_key_of_no_page_is_rejected(page: str, purpose: str) -> None:
    with pytest.raises(ValueError, match="a key needs one of the pages"):
        key(page, purpose)


def test_a_name_that_is_not_in_link_is_rejected() -> None:
    with pytest.raises(ValueError, match="add it to LINK"):
        linked("run")


def test_a_session_is_made_once() -> None:
    state: dict[str, Session] = {}
    assert session.of(state) is session.of(state)
    assert session.of({}).viewer != session.of(state).viewer
