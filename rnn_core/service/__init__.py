"""Trainings and probes in worker processes (Dask), for a web process that never loads TensorFlow.

In: `Service.submit`, `.control`, `.live`, `.stream` and `.call` of the pages. Out: live states, results of probes, runs in the store.
Open first: `service.py`; then `queue.py`, `dispatcher.py` and `updates.py` here, `worker.py` and `worker_probes.py` for what runs in a worker.

States of a job: waiting → running ⇄ paused → finished | stopped | failed | interrupted. One thread, the dispatcher, moves jobs:

    pages ── Service ──► JobQueue ──► Dispatcher ── run(job, attempt), commands, fetch_file(number) ──► worker
    store and live state ◄── UpdateReceiver ◄── Update(number, rows, norms, snapshot, values, files) ── worker

- The dispatcher submits `worker.run` to a free worker. Each start has an attempt number; what other attempts send is ignored.
- The worker sends an `Update` every 0.05 s at most, and at once when the status changes. The last one carries the final status.
- Kept weights and checkpoints stay in the worker. An update counts them; the dispatcher then fetches one at a time, by number.
- An update goes to the store first, then to the live state: every step shown is stored.
- Commands go to the worker's `Control`, which the training reads between batches; those for a job on no worker are kept for its start.
  A paused job does not occupy its worker. Resumed while another job runs there, it waits in the queue with a pending command.

What is repaired, and how:
- An update number is missing: the job goes back to the queue, from its last checkpoint (duplicates are dropped).
- A worker or the connection is lost: likewise; a stream ends as interrupted, a run fails after 3 lost workers without progress.
- The task has ended, but its last update has not come within 10 s: the same. A file did not come: asked for again every 0.5 s.
- The store cannot be written: the job is stopped and fails with a sentence; an end status is written again until it is stored.
- The web process ends: its runs count as interrupted (`store/lock.py`) and can be resumed from their last checkpoint.
"""
