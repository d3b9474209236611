"""The strip's bytes per tick and its time to draw, three networks over 500 steps: python -m tests.benchmarks.strip

Drawn in Chromium from the files of static/, without the app: the first drawing, and the median of twenty redraws in place.
"""

from __future__ import annotations

import base64
import statistics
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from shutil import which

from playwright.sync_api import sync_playwright

from pages.shared import strip
from pages.shared.charts import STATIC
from rnn_core import data
from rnn_core.probes.strip import shown
from rnn_core.probes.strip import strip as strip_of
from rnn_core.spec.experiment import Experiment
from tests.browser.conftest import ARGUMENTS, CHROMES
from tests.made_up import model

PAGE = "<style>%s</style><div id=host style='width: 1100px'></div>"
DRAW = """async ([address, texts]) => {
  const { draw } = await import(`${address}/strip.js`), host = document.getElementById("host");
  const times = [];
  for (const text of texts) {
    const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const began = performance.now();
    draw({ data, parentElement: host });
    host.getBoundingClientRect();
    times.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, 50));
  }
  return times;
}"""


class Quiet(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".js": "text/javascript"}

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *_: object) -> None: ...


def payloads(length: int, count: int) -> list[bytes]:
    """`count` ticks of three networks of 32 units over `length` steps, each with other weights."""
    inputs = data.build(Experiment().replace(task="adding", length=length, samples=64)).validation[0]
    cells = [Experiment().replace(task="adding", length=length, cell=cell) for cell in ("simple_rnn", "lstm", "gru")]
    ticks = [[strip_of(model(cell, seed), inputs) for cell in cells] for seed in range(count)]
    return [strip.payload(tick, shown(inputs), answer="answer", live=True) for tick in ticks]


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(STATIC)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=next(filter(None, map(which, CHROMES))), args=ARGUMENTS.split())
        for length in (100, 500):
            ticks = payloads(length, 21)
            page = browser.new_page()
            page.goto(address)
            page.evaluate("text => { document.body.innerHTML = text; }", PAGE % (STATIC / "strip.css").read_text())
            first, *later = page.evaluate(DRAW, [address, [base64.b64encode(tick).decode() for tick in ticks]])
            print(f"3 networks × {length} steps: {max(map(len, ticks)):,} bytes per tick; first drawing {first:.1f} ms, redraws {statistics.median(later):.1f} ms")  # fmt: skip
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
