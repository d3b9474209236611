"""The path of the data goes one way: what each folder may import, read from the source, imports inside functions included."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import rnn_core
from tests.conftest import ROOT

FOLDERS = (
    "spec",
    "data",
    "engine",
    "training",
    "probes",
    "studies",
    "figures",
    "store",
    "export",
    "service",
    "commands",
)  # each may import those before it
ABOUT_ALL = {"test_architecture.py", "test_readme.py"}  # tests of the whole project
LONGEST = 300  # lines of a code file
HEAVY = {"tensorflow", "keras"}
AT_TOP = {  # the only files that may load TensorFlow when imported
    *(f"rnn_core/engine/{name}.py" for name in ("blocks", "network", "input_projections")),
    "rnn_core/training/optimisers.py",
    "rnn_core/training/step.py",
}
LIBRARY = sorted((ROOT / "rnn_core").rglob("*.py"))
PAGES = [*sorted((ROOT / "pages").rglob("*.py")), ROOT / "app.py"]
CODE = [
    path
    for suffix in ("py", "js", "css")
    for folder in ("rnn_core", "pages", "tests", "static")
    for path in sorted((ROOT / folder).rglob(f"*.{suffix}"))
    if ".min." not in path.name
]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module(path: Path) -> str:
    return name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module(path): path for path in (*LIBRARY, *PAGES)}


@cache
def imports(path: Path, top: bool = False) -> frozenset[str]:
    """Modules that a file imports: all of them, or (`top`) those that load with it, not for type checking or inside functions."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                found.update(f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in child.names)
            hidden = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or (
                isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            )
            if not (top and hidden):
                visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(found)


def roots(modules: frozenset[str]) -> set[str]:
    return {one.split(".")[0] for one in modules}


def folder(one: str) -> str:
    """The folder of rnn_core in which a module lies; "" for rnn_core itself and its command line."""
    parts = one.split(".")
    return parts[1] if parts[0] == "rnn_core" and len(parts) > 1 and parts[1] in FOLDERS else ""


def test_no_module_lies_beside_the_folders() -> None:
    found = {path.name for path in (ROOT / "rnn_core").iterdir() if path.name != "__pycache__"}
    assert found == {*FOLDERS, "__init__.py", "__main__.py"}


@pytest.mark.parametrize("path", LIBRARY, ids=name)
def test_a_file_imports_from_its_own_folder_and_earlier_ones(path: Path) -> None:
    assert not roots(imports(path)) & {"streamlit", "pages", "app", "tests"}, "the library does not know that it is drawn"
    here = folder(module(path))
    if here:
        later = {
            one
            for one in imports(path)
            if one.split(".")[0] == "rnn_core" and folder(one) not in FOLDERS[: FOLDERS.index(here) + 1]
        }
        assert later == set()


def circles(edges: dict[str, set[str]]) -> Iterator[list[str]]:
    """Each module on a way of imports that leads back to it, with that way."""
    for start in edges:
        ways, seen = [[start]], set()
        while ways:
            way = ways.pop()
            for following in edges[way[-1]] - seen:
                if following == start:
                    yield [*way, start]
                    ways = []
                    break
                seen.add(following)
                ways.append([*way, following])


def test_no_import_leads_back_to_where_it_began() -> None:
    edges = {one: {other for other in imports(path) if other in MODULES and other != one} for one, path in MODULES.items()}
    assert list(circles(edges)) == []


def test_figures_draw_results_and_never_models() -> None:
    for path in (ROOT / "rnn_core" / "figures").rglob("*.py"):
        assert not {one for one in imports(path) if folder(one) in ("engine", "training")}, name(path)
    for path in (ROOT / "rnn_core" / "probes").rglob("*.py"):
        assert "plotly" not in roots(imports(path)), name(path)


@pytest.mark.parametrize("path", [*LIBRARY, *PAGES], ids=name)
def test_tensorflow_loads_only_where_it_works(path: Path) -> None:
    if name(path) not in AT_TOP:
        assert not roots(imports(path, top=True)) & HEAVY
    if name(path).startswith(("pages/", "rnn_core/figures/", "app.py")):
        assert not roots(imports(path)) & HEAVY


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_imports_its_own_part_and_what_is_shared(path: Path) -> None:
    parts = {".".join(one.split(".")[:3]) for one in imports(path) if one.startswith("pages.parts.")}
    where = name(path)
    if where.startswith("pages/shared/"):
        assert parts == set()
    elif parts:
        own = "home" if where == "app.py" else module(path).split(".")[2 if where.startswith("pages/parts/") else -1]
        assert parts <= {f"pages.parts.{own}"}
    assert not {one for one in imports(path) if re.fullmatch(r"pages\.(?!shared|parts)\w+", one)}, "nobody imports a page"


@pytest.mark.parametrize("public", rnn_core.__all__)
def test_every_public_name_loads(public: str) -> None:
    assert getattr(rnn_core, public) is not None


def test_tests_lie_as_the_folders_do() -> None:
    beside = {path.name for path in (ROOT / "tests").glob("test_*.py")}
    assert beside == ABOUT_ALL
    homes = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")} - beside
    assert homes == {*FOLDERS, "pages", "browser"}


@pytest.mark.parametrize("path", CODE, ids=name)
def test_no_code_file_is_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_every_name_of_the_map_exists() -> None:
    """Places in the README's map and in what follows it; names without a folder lie in the one named before."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## Map")[1]
    places = [place for place in re.findall(r"`([^`]+)`", text) if "/" in place or place.endswith(".py")]
    near, missing = ROOT, []
    for place in places:
        found = next((base / place for base in (ROOT, near, ROOT / "rnn_core") if (base / place).exists()), None)
        if found is None:
            missing.append(place)
        else:
            near = found if found.is_dir() else found.parent
    assert len(places) > 10
    assert missing == []
    for one in re.findall(r"`([A-Z_]+)` of `([^`]+)`", text):
        assert re.search(rf"^{one[0]}\b", (ROOT / "rnn_core" / one[1]).read_text(encoding="utf-8"), re.M), one


@pytest.mark.parametrize(
    "target",
    [
        "rnn_core",
        "rnn_core.figures.live",
        "rnn_core.store.store",
        "rnn_core.service.service",
        "pages.shared.shell",
        "pages.parts.train.live_view",
    ],
)
def test_importing_costs_no_tensorflow(target: str) -> None:
    program = f"import {target}, sys; raise SystemExit(bool({{'tensorflow', 'keras', 'jax', 'torch'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    "target", ["pages.shared.shell", "pages.shared.share", "pages.parts.train.form", "pages.parts.train.live_view"]
)
def test_a_page_loads_no_pandas_until_a_file_is_read(target: str) -> None:
    program = f"import {target}, sys; raise SystemExit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, stderr=subprocess.DEVNULL).returncode == 0
