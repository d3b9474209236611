"""Train: choose an experiment, press play, and watch it learn."""

from __future__ import annotations

from pages.shared import shell

context = shell.page(
    "Train", ":material/play_circle:", "Choose what to learn and with which network, then press play.", default=None
)
