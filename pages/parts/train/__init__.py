"""The Train page: the form of an experiment, the controls of a training, and its live figures.

In: the draft of an experiment, or a run. Out: widgets that change the draft, and figures redrawn once a second.
A widget never edits a run: it makes another `Experiment`, which the service accepts or rejects.
The user's own series has its step in the form (`data_step.py`) and its verdict at the top of the run (`own_series.py`).
Open first: `live_view.py`; then `form.py`, `controls.py` and `drawings.py`.
"""
