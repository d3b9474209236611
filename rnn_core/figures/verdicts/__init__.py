"""Verdicts: what a figure shows, in a sentence or two, computed from its numbers alone; and the experiment to try next.

In: the result that the figure draws. Out: a `Verdict`. One topic, one file: `training.py` a run's curves, `forecasts.py` forecasts
against naive ones, `contest.py` three cells on one puzzle, `gradients.py` how far back learning reaches. Each file states the rule that tells a finding from noise.
Open first: `verdict.py`; then `training.py`.
"""

from rnn_core.figures.verdicts.verdict import Suggestion, Verdict

__all__ = ["Suggestion", "Verdict"]
