"""Time series: formulas, and the user's own file, cut into windows that a network forecasts from.

In: an `Experiment`, and for task csv the file's bytes. Out: windows of past values with the values that follow, and the `Series` behind them.
The scale comes from the training part alone; faults can be planted in the test part, to be found by the forecast's error.
Open first: `windows.py`; then `formulas.py` and `formula_tasks.py`, `table_file.py` and `table_task.py` for a file.
"""
