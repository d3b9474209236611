"""The Train page: the form of an experiment, the controls of a training, and its live figures.

In: the draft of an experiment, or a run. Out: widgets that change the draft, and figures redrawn once a second.
A widget never edits a run: it makes another `Experiment`, which the service accepts or rejects.
Open first: `live_view.py`; then `form.py`, `controls.py` and `drawings.py`.
"""
