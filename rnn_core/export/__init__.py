"""What leaves the project: a run as a plain Keras program, or as a file that Keras opens.

In: an `Experiment` with its uploads, or a `Model`. Out: the source of one readable program; the bytes of a `.keras` file.
The program needs keras and numpy only, trains on the same data and starts from the same weights.
Open first: `keras_program.py`.
"""
