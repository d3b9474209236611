"""States and gates of a recurrent layer over many sequences.

In: a model, sequences and their mask. Out: `Trace`, `Profile`, `Corpus` and the like: arrays with a batch, a time and a unit axis.
Principal components are fitted on the states of real steps only, never of padding.
Open first: `traces.py`; then `paths.py` for trajectories, `units.py` and `corpus.py` for many reviews.
"""
