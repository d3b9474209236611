"""Latency of the sentence page in a real browser, and the accuracy lost by encoding raw text.

`python -m tests.benchmarks.sentence [--json] [--sessions 10] [--rounds 9]`

Rows:
- from Enter to all views, 500 tokens, one model and three, with other sessions connected (warm workers, a new text each time);
- frames per second while playing 500 tokens, three models;
- integrated gradients' completeness gap on 500-token reviews;
- accuracy over the 1,000 raw test reviews: through the text box's encoder, and from the dataset's ids.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from rnn_core.data.sequences import Sequences
from rnn_core.data.text import imdb_files
from rnn_core.data.text.token_ids import START, UNKNOWN
from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.probes.states import corpus
from rnn_core.service import sentence
from rnn_core.service.sentence import Source
from rnn_core.store import run_file
from tests.conftest import SHARED_IMDB

CELLS = ("simple_rnn", "lstm", "gru")


def texts(count: int) -> list[str]:
    """Texts of 499 words of real reviews each, so 500 tokens; none occurs twice."""
    words = vocabulary()
    reviews = (
        corpus.reviews("imdb", 1500, 500, len(words))
        if corpus.imdb_present()
        else corpus.reviews("toy_reviews", 900, 200, len(words))
    )
    long = [review[review > UNKNOWN] for review in (reviews[n] for n in range(len(reviews)))]
    long = [review for review in long if len(review) > 380][:count]  # the rest of the 499 words is neutral filler
    return [" ".join([*words.decode(review), *["the"] * 499][:499]) for review in long]


def in_the_browser(sessions: int, rounds: int) -> list[dict[str, Any]]:
    """Latency and frame rate, measured by the page's own clock."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS
    from tests.browser.serving import Server

    server = Server(Path(tempfile.mkdtemp()))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS.split())
            others = [browser.new_context().new_page() for _ in range(sessions)]
            for other in others:
                other.goto(f"{server.url}/sentence")
                other.locator(".player .panel").first.wait_for(timeout=240_000)
            page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
            page.goto(f"{server.url}/sentence")
            page.locator(".player .panel").first.wait_for(timeout=240_000)
            fresh = iter(texts(4 * rounds + 8))
            rows = []
            for who, panels in (("GRU", 1), ("Three cells", 3)):
                page.get_by_role("radio", name=who).click()
                page.wait_for_function(PANELS, arg=panels)
                measured = [entered(page, next(fresh), panels) for _ in range(rounds + 2)][2:]
                rows.append(
                    {
                        "row": f"Enter to all views, 500 tokens, {panels} model{'s' if panels > 1 else ''}, {sessions} other sessions",
                        "unit": "s",
                        "median": statistics.median(measured),
                        "worst": max(measured),
                        "raw": measured,
                    }
                )
            rows.append(frames(page))
            browser.close()
            return rows
    finally:
        server.stop()


ROOT = "[...document.querySelectorAll('*')].map((one) => one.shadowRoot?.querySelector('.player')).find(Boolean)"
PANELS = f"(count) => {{ const root = {ROOT}; return root && root.querySelectorAll('.panel').length === count; }}"
WATCH = f"""(first) => new Promise((done) => {{
    const began = performance.now();
    const check = () => {{
        const root = {ROOT};
        const shown = root?.querySelector(".word[data-step='1']")?.textContent + " " + root?.querySelector(".word[data-step='2']")?.textContent;
        if (shown === first && root.dataset.step === "499") requestAnimationFrame(() => done((performance.now() - began) / 1000));
        else setTimeout(check, 4);
    }};
    check();
}})"""


def entered(page: Any, text: str, panels: int) -> float:
    """Seconds from the key press until every panel of the new text is painted."""
    box = page.get_by_label("Your text")
    box.fill(text)
    first = " ".join(text.split()[:2])
    page.evaluate(f"(first) => {{ window.waited = ({WATCH})(first); }}", first)
    page.evaluate("() => { window.began = performance.now(); }")
    box.press("Enter")
    seconds = page.evaluate("() => window.waited.then(() => (performance.now() - window.began) / 1000)")
    assert page.evaluate(PANELS, panels)
    page.wait_for_timeout(300)
    return float(seconds)


def frames(page: Any) -> dict[str, Any]:
    """Painted frames per second of playing 500 tokens at 60 a second."""
    page.get_by_label("Speed").select_option("60")
    page.get_by_role("button", name="To the first token").click()
    page.get_by_role("button", name="Play", exact=True).click()
    counts = []
    for _ in range(7):
        before = int(page.evaluate(f"() => ({ROOT}).dataset.frames"))
        began = time.perf_counter()
        page.wait_for_timeout(1000)
        counts.append((int(page.evaluate(f"() => ({ROOT}).dataset.frames")) - before) / (time.perf_counter() - began))
    return {
        "row": "frames while playing 500 tokens, three models",
        "unit": "1/s",
        "median": statistics.median(counts),
        "worst": min(counts),
        "raw": counts,
    }


def gaps(count: int = 12) -> list[dict[str, Any]]:
    """Completeness of integrated gradients on full-length reviews, relative to max(1, |change of the logit|)."""
    reviews = corpus.reviews("imdb", 1500, 500, 10_000)
    chosen = [n for n in range(len(reviews)) if reviews.lengths[n] == 500][:count]
    rows = []
    for cell in CELLS:
        record = run_file.open_starter(f"starter-{cell}")
        found = [sentence.read(Source(record.id, record.snapshots[-1].step), reviews[n]) for n in chosen]
        relative = [one.gap / max(1.0, abs(float(one.attribution.sum()))) for one in found]
        rows.append(
            {
                "row": f"integrated gradients' gap, {cell}",
                "unit": "",
                "median": statistics.median(relative),
                "worst": max(relative),
                "raw": relative,
            }
        )
    return rows


def paths() -> list[dict[str, Any]]:
    """Accuracy over 1,000 raw test reviews by three ways of encoding them."""
    from rnn_core.training.step import TrainingStep

    with gzip.open(SHARED_IMDB / "raw_test_sample.jsonl.gz", "rt", encoding="utf-8") as file:
        sample = [json.loads(line) for line in file]
    with np.load(SHARED_IMDB / "imdb.npz", allow_pickle=True) as file:
        ranks = file["x_test"]
    index, words = imdb_files.word_index(), vocabulary()
    ways: dict[str, list[np.ndarray]] = {
        "the page's text path": [],
        "text path, words that the index lacks left out": [],
        "the dataset's ids": [],
    }
    for row in sample:
        ways["the page's text path"].append(words.encode(row["text"], 500).ids)
        read = words.encode(row["text"], tidy=False)
        there = np.array([True] + [word.lower() in index for word in read.words[1:]])
        ways["text path, words that the index lacks left out"].append(read.ids[there][-500:])
        ids = np.array([START, *(rank + 3 for rank in ranks[row["index"]])], np.int32)
        ways["the dataset's ids"].append(np.where(ids < len(words), ids, UNKNOWN)[-500:])
    targets = np.array([[row["label"]] for row in sample], np.float32)
    rows = []
    for cell in CELLS:
        record = run_file.open_starter(f"starter-{cell}")
        training_step = TrainingStep(record.model(), record.experiment.training)
        for way, each in ways.items():
            offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in each])]).astype(np.int64)
            accuracy = training_step.evaluate(Sequences(np.concatenate(each).astype(np.int32), offsets, targets), 100)[1]
            rows.append(
                {
                    "row": f"accuracy of {cell} over 1,000 raw reviews, {way}",
                    "unit": "",
                    "median": accuracy,
                    "worst": accuracy,
                    "raw": [accuracy],
                }
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=("browser", "gaps", "paths"))
    asked = parser.parse_args()
    rows = in_the_browser(asked.sessions, asked.rounds) if asked.only in (None, "browser") else []
    rows += gaps() if asked.only in (None, "gaps") else []
    rows += paths() if asked.only in (None, "paths") else []
    for row in rows:
        print(
            json.dumps(row)
            if asked.json
            else f"{row['row']:<72} median {row['median']:.4g} {row['unit']}, worst {row['worst']:.4g}"
        )


if __name__ == "__main__":
    main()
