"""Time series from formulas or the user's own file, cut into windows from which a network forecasts.

In: an `Experiment`, and for task csv the file's bytes. Out: windows of past values with the values that follow, and the `Series` behind them.
The scale is that of the training part; faults can be planted in the test part, to be found by the forecast's error.
The network may learn changes or logarithms; `windows.py` makes them and undoes them.
Open first: `windows.py`; then `formulas.py` and `formula_tasks.py`, `table_file.py` and `table_task.py` for a file,
whose dates `table/date_parsing.py` reads. `look.py` describes a file before anything is trained on it, with `decisions.py` (what can be
overruled) and `suggest.py` (fields that suit the series).
"""
