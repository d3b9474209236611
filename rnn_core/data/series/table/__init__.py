"""Reads a table from a file. The reader decides from a file's contents how to read it, and returns the table and a recipe of these decisions.

In: the bytes of a file (text, gzip or .xlsx). Out: rows, columns of numbers, dates, and a frozen `Recipe` that can read the file again.
The order of the stages: `text` (encoding, container), `block` (which lines are rows; column names), `numbers` (how each
column is parsed), `dates` (which column holds the dates), `date_parsing` (reads them: `parse_dates`), `rows` (rows to leave out), `time` (order, gaps), `recipe` (the decisions), `program` (source that applies them in an exported program).
Open first: `../table_file.py`, which runs these stages; then `recipe.py`.
"""
