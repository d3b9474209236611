"""Many trainings or networks in, one finding out: contests of cells, sweeps over lengths, lessons.

In: entries or seeds. Out: laps and a verdict, a map of which cell solves which length, facts with the numbers that support them.
`recorded/` holds results that ship with the project, so that a page can show them at once.
Open first: `contest.py`; then `sweep.py` for the map, `lessons/` and `lesson_measurements.py` for the lessons.
"""
