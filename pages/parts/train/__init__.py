"""The Train page: the form of an experiment, the controls of a training, and what is drawn while it goes on.

In: the draft of an experiment, or a run. Out: widgets that propose a change, and figures that tick once a second.
A widget never edits a run: it makes another `Experiment`, which the service takes or refuses.
Open first: `live_view.py`; then `form.py`, `controls.py` and `drawings.py`.
"""
