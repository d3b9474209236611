"""The Compare page: a contest of cells, the map of how far back each cell remembers, and runs side by side.

In: results of contests and sweeps, live or recorded; runs of the store. Out: tables, figures and a verdict in words.
A contest is a stream of the service, and waits in the queue like every training.
Open first: `contest.py`; then `sweep.py` and `side_by_side.py`.
"""
