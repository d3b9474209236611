"""What to do: one frozen description of a run, validated where it is made. Loads nothing heavy.

In: widgets, links, JSON. Out: an `Experiment` (data, model and training), and an `Interface` (what a network reads and gives).
Every rule of a field is written at the field; whatever a link says, the result is valid or refused in a sentence.
Open first: `experiment.py`; then `fields.py` for the rules of one field, `presets.py` for the named experiments.
"""
