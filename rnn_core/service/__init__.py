"""Trainings and probes in worker processes (Dask), for a web process that never loads TensorFlow.

In: `Service.submit`, `.control`, `.live`, `.stream` and `.call` of the pages. Out: live states, results of probes, runs in the store.
A job is waiting, then running or paused, then finished, stopped, failed or interrupted; one thread, the dispatcher, moves it.
Open first: `service.py`; then `queue.py` and `dispatcher.py` here, `worker.py` for what runs in a worker.
"""
