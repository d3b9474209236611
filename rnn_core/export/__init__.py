"""Exports: a run as a Keras program, or as a `.keras` file.

In: an `Experiment` with its uploads, or a `Model`. Out: the source of one program; the bytes of a `.keras` file.
The program needs keras and numpy only, and has the same data and initial weights.
Open first: `keras_program.py`.
"""
