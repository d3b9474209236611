"""Many trainings or networks in, one finding out: contests of cells, sweeps over lengths, lessons.

In: entries or seeds. Out: laps and a verdict, a map of who remembers how far, facts with the numbers that bear them out.
`recorded/` is what ships of studies that were run, so that a page can show them at once.
Open first: `contest.py`; then `sweep.py` for the map, `lessons.py` and `lesson_measurements.py` for the lessons.
"""
