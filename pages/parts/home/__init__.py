"""Home: a trained network reads a sentence, three pages to start with, a path of six stops, and the schematic of the chain.

In: the starter models and recordings that ship with the project. Out: a moving strip, links and pictures; no worker is needed.
Open first: `reading.py`; then `doors.py` for the thumbnails, `path.py`, `chain.py` for the schematic.
"""
