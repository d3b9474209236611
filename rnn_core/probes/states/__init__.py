"""What a recurrent layer holds while it reads: states and gates over many sequences.

In: a model, sequences and their mask. Out: `Trace`, `Profile`, `Corpus` and the like: arrays with a batch, a time and a unit axis.
Principal components are fitted on the states of real steps only; padding never counts.
Open first: `traces.py`; then `paths.py` for trajectories, `units.py` and `corpus.py` for many reviews.
"""
