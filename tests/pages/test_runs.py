"""Every page with every kind of run: in each state of a run, a page raises no exception and says how it can use the run."""

from __future__ import annotations

import itertools
import random
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import run_picker
from pages.shared.guard import caught
from pages.shared.session import LINK
from pages.shared.session import PAGES as SESSION_PAGES
from rnn_core import data
from rnn_core.data.series import table_file
from rnn_core.probes.states import corpus
from rnn_core.service.service import Live
from rnn_core.spec.experiment import CELLS, Experiment
from rnn_core.store.store import Store
from tests import made_up
from tests.conftest import ROOT, figures
from tests.pages.test_sentence import InlineService

FILE = "day,sales\n" + "\n".join(f"{n},{10 + n % 7}" for n in range(120))
KINDS = {
    "classes": {"task": "toy_reviews", "length": 20, "vocabulary": 200, "embedding": 4, "samples": 200},
    "per step": {"task": "delayed_recall", "length": 12, "horizon": 3, "samples": 100},
    "numbers": {"task": "adding", "length": 12, "samples": 100},
    "series": {"task": "sine", "length": 12, "samples": 100},
    "own file": {"task": "csv", "length": 8, "source": table_file.key(FILE.encode())},
}
SHAPES = {"plain": {}, "stacked": {"layers": 2}, "both ways": {"bidirectional": True}}
PAGES = {
    "Home": "app.py",
    "Lessons": "pages/lessons.py",
    "Train": "pages/train.py",
    "Compare": "pages/compare.py",
    "Sentence": "pages/sentence.py",
    "Hidden states": "pages/states.py",
    "Gradients": "pages/gradients.py",
}
STATES = (
    "finished", "untrained", "waiting", "running", "paused", "failed", "stopped at step 1", "deleted meanwhile", "imported",
    "with an unknown field", "with an unknown cell", "with an unknown task", "with its upload gone", "with damaged weights",
)  # fmt: skip
Case = tuple[str, str, str, str, str]  # page, kind, cell, shape, state


def possible(case: Case) -> bool:
    return case[4] != "with its upload gone" or case[1] == "own file"


def pairwise(axes: tuple[tuple[str, ...], ...], seed: int = 0) -> list[Case]:
    """Few cases that contain every possible pair of values: greedy choice among random cases until no pair is missing."""
    rng, every = random.Random(seed), list(itertools.combinations(range(len(axes)), 2))

    def pairs(case: Case) -> set[tuple[int, str, int, str]]:
        return {(one, case[one], two, case[two]) for one, two in every}

    allowed = [case for case in itertools.product(*axes) if possible(case)]  # type: ignore[arg-type]
    missing = set().union(*map(pairs, allowed))
    chosen: list[Case] = []
    while missing:
        wanted = min(missing)
        able = [case for case in allowed if case[wanted[0]] == wanted[1] and case[wanted[2]] == wanted[3]]
        chosen.append(max(rng.sample(able, min(30, len(able))), key=lambda case: len(pairs(case) & missing)))
        missing -= pairs(chosen[-1])
    return sorted(chosen)


CASES = pairwise((tuple(PAGES), tuple(KINDS), CELLS, tuple(SHAPES), STATES))


class FakeService(InlineService):
    """A service that computes probes in this process and has the given live runs."""

    trainers, idle_timeout = 1, 600.0

    def __init__(self, store: Store) -> None:
        self.store = store
        self.live_runs: dict[str, Live] = {}

    def live(self, run_id: str) -> Live | None:
        return self.live_runs.get(run_id)

    def viewed(self, run_id: str) -> None: ...
    def streamed(self, job: str) -> None: ...


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeService]:
    store = Store(tmp_path_factory.mktemp("runs"))
    yield FakeService(store)
    store.close()


def weights(experiment: Experiment, step: int) -> Any:
    """A snapshot with random weights."""
    interface = data.interface(experiment, {experiment.data.source: FILE.encode()})
    rng = np.random.default_rng(step)
    shapes = made_up.weight_shapes(experiment.model, interface)
    weights = tuple(rng.normal(0, 0.3, shape).astype(np.float32) for shape in shapes)
    model = made_up.Model(experiment.model, interface, experiment.data.mask, weights)
    return replace(made_up.snapshot(step), run=made_up.Run(experiment), model=model)


def created(service: FakeService, kind: str, cell: str, shape: str, state: str) -> str:
    """Create a run of that kind in that state; return its id."""
    store, experiment = service.store, Experiment().replace(**KINDS[kind], cell=cell, units=4, epochs=2, **SHAPES[shape])
    uploads = {experiment.data.source: FILE.encode()} if kind == "own file" else {}
    status = state if state in ("waiting", "running", "paused", "failed") else "stopped" if "step" in state else "finished"
    message = "The loss was no finite number any more at step 2: try a learning rate below 0.02, or clip the gradient at 1." * (
        state == "failed"
    )
    run_id = store.create(experiment, uploads=uploads, name=f"Run {state}", status=status, message=message)
    steps = {"waiting": 0, "untrained": 0, "stopped at step 1": 1, "failed": 2}.get(state, 20)
    norms = made_up.NormHistory()
    for step in range(1, steps + 1):
        norms.add(step, made_up.logarithms(np.geomspace(1e-9, 1, experiment.data.length)))
    if state != "waiting":
        store.record(run_id, made_up.rows(1, steps), norms.rows.items(), norms.stride)
        for step in sorted({0, steps}):
            store.keep(run_id, made_up.kept_step_file(weights(experiment, step)))
    return altered(service, run_id, experiment, state, steps)


def altered(service: FakeService, run_id: str, experiment: Experiment, state: str, steps: int) -> str:
    """Change a run as its state requires; return its id."""
    store = service.store
    if state in ("waiting", "running", "paused"):
        snapshot = None if state == "waiting" else weights(experiment, steps)
        service.live_runs[run_id] = Live(run_id, state, snapshot, int(state == "waiting"), 3.0, "", 1)
    elif state == "imported":
        return store.import_(store.export(run_id, store.home / "whole.run"))
    elif state.startswith("with an unknown"):
        text = experiment.to_json()
        old, new = {
            "field": ('"units"', '"attention_heads": 8, "units"'), "cell": (f'"{experiment.model.cell}"', '"mgu"'),
            "task": (f'"{experiment.data.task}"', '"tomorrow"'),
        }[state.split()[-1]]  # fmt: skip
        assert old in text
        with sqlite3.connect(store.home / "runs.sqlite") as db:
            db.execute("UPDATE runs SET experiment = ? WHERE id = ?", [text.replace(old, new), run_id])
    elif state == "with its upload gone":
        (file,) = [path for path in store.home.rglob(f"*{experiment.data.source}*") if path.is_file()]
        file.unlink()
    elif state == "with damaged weights":
        for path in (store.home / "runs" / run_id).rglob("*moment*"):
            path.write_bytes(b"damaged")
    return run_id


@pytest.fixture
def pages(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> FakeService:
    monkeypatch.setattr(run_picker, "service", lambda: service)
    monkeypatch.setattr(run_picker, "running_service", lambda: service)
    monkeypatch.setattr(run_picker, "start_workers", lambda: None)
    monkeypatch.setattr(run_picker, "store", lambda: service.store)
    monkeypatch.setattr(corpus, "imdb_present", lambda: False)
    return service


def words(app: AppTest) -> str:
    kinds = ("title", "header", "subheader", "markdown", "caption", "warning", "error", "info")
    return "\n".join(element.value for kind in kinds for element in app.get(kind)).replace("\\", "")


def expected(page: str, kind: str, shape: str, state: str) -> str:
    """A part of the text that a page must show for such a run."""
    if state == "deleted meanwhile":
        return "is not on this server"
    if state in ("with an unknown cell", "with an unknown task"):
        return "another version of Unrolled made it"
    name = f"Run {state}"
    if page == "Sentence":
        if kind != "classes":
            return f"**{name}** cannot read a text here: it reads numbers or symbols"
        if state == "waiting":
            return f"**{name}** cannot read a text here: it has kept no weights"
        return f"**{name}** cannot read a text here: " if shape == "both ways" else f"**{name}** can read your text"
    if page in ("Hidden states", "Gradients"):
        if state == "waiting":
            return f"**{name}** waits for its turn"
        return "is not on this server any more" if state == "with its upload gone" else f"You see **{name}**"
    if page == "Train":
        return name
    return {
        "Home": f"**{name}** is chosen", "Lessons": "A lesson measures networks of its own", "Compare": f"shows **{name}**",
    }[page]  # fmt: skip


def views(app: AppTest, page: str) -> Iterator[None]:
    """Open each view of the page that shows a run, one after the other."""
    yield
    if page == "Compare":
        app.segmented_control(key="compare").set_value("Runs side by side").run()
        yield
    elif page == "Gradients":
        app.query_params["lab_length"] = "10"
        app.session_state["gradients-section"] = ":material/model_training: This run"
        app.run()
        yield
    elif page == "Hidden states" and any(one.key == "view" for one in app.segmented_control):
        for view in ("While it learned", "One sequence", "Activations"):
            app.segmented_control(key="view").set_value(view).run()
            yield


@pytest.mark.parametrize("case", CASES, ids=", ".join)
def test_a_page_says_how_it_can_use_a_run(pages: FakeService, case: Case) -> None:
    page, kind, cell, shape, state = case
    run_id = created(pages, kind, cell, shape, state)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["run"] = run_id
    app.run()
    if page != "Home":
        app.switch_page(PAGES[page])
        app.query_params["run"] = run_id
        app.run()
    if state == "deleted meanwhile":
        assert not app.exception
        pages.store.record(run_id, status="stopped")
        pages.store.delete(run_id)
        app.run()
    if state not in ("deleted meanwhile", "with an unknown cell", "with an unknown task") and page != "Compare":
        assert app.title
    assert expected(page, kind, shape, state) in words(app)
    if page == "Train" and app.title[0].value.startswith("Run"):
        offered = any(button.key == "train-take_keras" for button in app.get("download_button"))
        assert offered == (state not in ("waiting", "with damaged weights")), "a model without weights is not offered"
        assert "loss" in figures(app) or state in ("waiting", "untrained"), "the curves are drawn without the weights"
    for _ in views(app, page):
        assert not app.exception, [one.value for one in app.exception]
        assert not caught
        assert not [bad for bad in ("Traceback", "NaN", "None") if f" {bad} " in words(app)]


def test_the_cases_contain_every_page_with_every_state() -> None:
    assert len(CASES) <= 150
    found = {(case[0], case[4]) for case in CASES}
    assert found == set(itertools.product(PAGES, STATES))


def keyed(app: AppTest) -> Iterator[tuple[str, str]]:
    """(kind and label, key) of every widget and component on a page that has a key."""
    for element in app.main, app.sidebar:
        for node in element:
            proto = getattr(node, "proto", None)
            found = re.fullmatch(r"\$\$(?:ID|GENERATED)-[0-9a-f]+-(.+)", getattr(proto, "id", ""))
            if found and found[1] != "None":
                yield f"{node.type} {getattr(proto, 'label', '')}", found[1]


def test_no_two_different_widgets_share_a_key(pages: FakeService) -> None:
    found: dict[str, set[str]] = {}
    for page, path in PAGES.items():
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        app.query_params["run"] = "starter-lstm"
        app.run()
        if page != "Home":
            app.switch_page(path).run()
        for _ in views(app, page):
            for what, key in keyed(app):
                found.setdefault(key, set()).add(what)
    assert len(found) > 60
    assert {key: what for key, what in found.items() if len(what) > 1} == {}
    linked = {name for names in LINK.values() for name in names}
    assert {key for key in found if key not in linked and key.split("-")[0] not in SESSION_PAGES} == set()
