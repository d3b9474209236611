"""What the command line does, apart from the parser in `__main__.py`.

In: parsed arguments. Out: printed lines and an exit code. Open first: `trainings.py`; then `lookup.py`, how a run or a setting is named.
"""
