"""Where a walk may lead besides the controls of a page: addresses, the browser's history, a training, a lost worker."""

from __future__ import annotations

import contextlib
import random

import psutil
from playwright.sync_api import Error, Page

from rnn_core.studies.lessons import LESSONS
from tests.browser.serving import Server
from tests.browser.steps import controls

LONGEST = 3000  # ms to wait for a script to end, where what it draws last matters
FIRST_TAB = 8000  # ms to wait for it in the first round after a tab: a fault may need what the tab draws last, by a worker that still starts
ARRIVED = 1200  # ms to wait for it after a page was opened, and in the first round
SHORT = 700  # ms to wait for it after any other action: on a page that renews itself every second it may never seem to end
ARRIVAL = 20_000  # ms until a page that was asked for must be connected
STARTERS = ("starter-simple_rnn", "starter-lstm", "starter-gru")
SMALL = (  # trainings that end by themselves within a minute
    "task=adding&length=20&units=8&epochs=200&minutes=1",
    "task=toy_reviews&cell=gru&units=8&epochs=2&minutes=1",
    "task=first_token&length=10&units=4&samples=640&epochs=2&cell=lstm",
    "task=sine&length=20&units=8&epochs=2&minutes=1",
    "task=adding&length=40&activation=relu&gain=5&learning_rate=10&optimiser=sgd&epochs=5&initialiser=random_normal&cell=simple_rnn",
)
ERRANDS = (  # addresses to go to first after the first round: what stands there must be started before it can be stopped
    "train?task=csv&length=24&epochs=1&minutes=1",
    "compare?puzzle=first_token&length=10&budget=4000",
    "compare?compare=How+far+back+can+it+remember?",
    "gradients",
    "lessons",
)
DOORS = (  # addresses that lead into a corner
    "train?task=csv&length=24&epochs=2",
    "compare?compare=Runs+side+by+side&run=starter-gru",
    "compare?compare=How+far+back+can+it+remember?",
    "states?view=One+sequence&run=starter-lstm",
    "states?run=nobody",
    "train?run=nobody",
    "gradients?lab_view=lyapunov&lab_length=10",
    "sentence?against=training&who=starter-lstm",
    *(f"lessons?lesson={name}" for name in LESSONS),
    "train?length=-5&units=many&task=nothing",
)


# Resolves once the script of the page has not run for `still` ms, or after `most` ms. The page learns of a run some ms after
# the action that caused it, so the least wait is `still` plus `still`.
SETTLED = """async ({ still, most }) => {
  const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));
  const end = performance.now() + most;
  await wait(still);
  for (let since = performance.now(); performance.now() < end && performance.now() - since < still; await wait(15))
    if (document.querySelector("[data-testid=stApp]")?.dataset.testScriptState !== "notRunning") since = performance.now();
}"""


def goto(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("[data-testid=stApp][data-test-connection-state=CONNECTED]").wait_for(timeout=ARRIVAL)


def history(page: Page, how: str, home: str) -> None:
    """One step back or forward, or the same page anew; never to before the first page."""
    {"back": page.go_back, "forward": page.go_forward, "reload": page.reload}[how](timeout=ARRIVAL)
    if not page.url.startswith(home):
        goto(page, home)


def train(page: Page, address: str) -> None:
    """Open the form with an experiment and press Play."""
    goto(page, address)
    play = controls(page, "play")
    play.wait_for(timeout=ARRIVAL)
    play.dispatch_event("click")  # on a phone the sidebar may cover it
    with contextlib.suppress(Error):
        page.wait_for_url("**run=**", timeout=5000)


def kill_worker(server: Server, rng: random.Random) -> str:
    """End one of the server's worker processes the hard way; its cluster starts another."""
    family = psutil.Process(server.process.pid).children(recursive=True)
    workers = sorted(
        (each for each in family if "spawn_main" in " ".join(each.cmdline())), key=lambda each: each.pid
    )  # the others: the cluster's own process
    if not workers:
        return "there is none"
    victim = rng.choice(workers)
    victim.kill()
    return f"process {victim.pid}"
