"""What to do: one frozen description of a run, validated at construction. Imports nothing heavy.

In: widgets, links, JSON. Out: an `Experiment` (data, model and training), and an `Interface` (inputs and outputs of a network).
The rule of a field is written at the field. A link always gives a valid experiment; other invalid values raise ValueError.
Open first: `experiment.py`; then `fields.py` (rules of one field), `limits.py` (rules of products), `presets.py` (named experiments).
"""
