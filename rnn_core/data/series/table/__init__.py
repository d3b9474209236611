"""A file of the user's own, read by evidence: bytes in, a table and the recipe by which it was read out.

In: the bytes of a file (text, gzip or .xlsx). Out: rows, columns of numbers, dates, and a frozen `Recipe` that reads the file again.
The order of the stages: `text` (encoding, container), `block` (lines that are rows; names), `numbers` and `dates` (one reading per
column), `rows` (what is no row), `time` (order, gaps), `recipe` (what was decided), `program` (the same in an exported program).
Open first: `../table_file.py`, which runs them; then `recipe.py`.
"""
