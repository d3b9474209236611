"""The path of the data goes one way: what each part of the project may import, read from the source; and what loads at start."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

HEAVY = {"tensorflow", "keras"}
SOURCES = [*sorted(path for folder in ("rnn_core", "pages") for path in (ROOT / folder).rglob("*.py")), ROOT / "app.py"]
AT_TOP = {  # the only files that may load TensorFlow when imported
    *(f"rnn_core/{stage}.py" for stage in ("cells", "recurrence", "network", "optimisers", "input_projections", "steps")),
    "rnn_core/probes/gradients/compiled.py",
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path, top: bool) -> set[str]:
    """Modules that a file imports: all of them, or (`top`) those that load with it, not for type checking or inside functions."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                found.update({child.module or "", *(f"{child.module}.{alias.name}" for alias in child.names)})
            hidden = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or (
                isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            )
            if not (top and hidden):
                visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def roots(modules: set[str]) -> set[str]:
    return {module.split(".")[0] for module in modules}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_tensorflow_loads_only_where_it_works(path: Path) -> None:
    if name(path) not in AT_TOP:
        assert not roots(imports(path, top=True)) & HEAVY


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_each_stage_imports_only_from_the_left(path: Path) -> None:
    modules, where = imports(path, top=False), name(path)
    if where.startswith("rnn_core"):
        assert not roots(modules) & {"streamlit", "pages", "app"}, "the library does not know that it is drawn"
    if where.startswith("rnn_core/figures"):
        forbidden = (
            "rnn_core.training.loop",
            "rnn_core.engine.model",
            "rnn_core.training.step",
            "rnn_core.engine.blocks",
            "rnn_core.service.service",
            "rnn_core.store.store",
        )
        assert not [module for module in modules if module.startswith(forbidden)], "figures take results, never models"
        assert not roots(modules) & HEAVY
    if where.startswith("rnn_core/probes"):
        assert not [
            module
            for module in modules
            if module.startswith(("rnn_core.figures", "rnn_core.service.service", "rnn_core.store.store"))
        ]
        assert "plotly" not in roots(modules)
    if where.startswith("rnn_core/data") or where in ("rnn_core/spec/experiment.py", "rnn_core/spec/fields.py"):
        later = (
            "rnn_core.engine.model",
            "rnn_core.training.loop",
            "rnn_core.probes",
            "rnn_core.figures",
            "rnn_core.service.service",
            "rnn_core.store.store",
        )
        assert not [module for module in modules if module.startswith(later)]
    if where == "app.py" or where.startswith("pages"):
        assert not roots(modules) & HEAVY


@pytest.mark.parametrize(
    "module",
    [
        "rnn_core",
        "rnn_core.figures.live",
        "rnn_core.store.store",
        "rnn_core.service.service",
        "pages.shared.shell",
        "pages.parts.train.live_view",
    ],
)
def test_importing_costs_no_tensorflow(module: str) -> None:
    program = f"import {module}, sys; raise SystemExit(bool({{'tensorflow', 'keras', 'jax', 'torch'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=ROOT).returncode == 0
