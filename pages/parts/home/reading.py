"""The strip at the top of Home: a starter model reads one sentence, computed in the web process with NumPy, once."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from pages.shared import strip, verdict
from pages.shared.session import key
from rnn_core.data.text.vocabulary import vocabulary
from rnn_core.figures.verdicts import reading as verdicts
from rnn_core.probes.strip import Shown, Strip
from rnn_core.probes.strip import strip as strip_of
from rnn_core.store import run_file

STARTER, SENTENCE = "starter-gru", "The plot is thin but I loved it"


@lru_cache(maxsize=1)
def read() -> tuple[Strip, Shown]:
    """The last kept step of the starter model over the sentence, "<start>" first."""
    record = run_file.open_starter(STARTER)
    encoded = vocabulary(record.experiment.data.vocabulary).encode(SENTENCE)
    return strip_of(record.model(record.snapshots[-1].step), encoded.ids), Shown(words=encoded.words)


def draw() -> None:
    """Draw what the sentence does to the answer, in words and as a strip that plays by itself."""
    one, shown = read()
    verdict.show(verdicts.turn(one, shown.words), key("home", "verdict"))
    strip.draw([one], shown, key("home", "strip"), answer="P(positive)", inputs="the text", forward=True)
    st.caption(
        "A GRU of 32 units, trained on 22,500 film reviews, reads a sentence written for this page. Each column is its state after that "
        "word: all that it keeps of the words before. P(positive) is computed from that column alone."
    )
