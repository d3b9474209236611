"""Jacobians of single steps and their products, by which a gradient is multiplied on its way back.

In: a model and one sequence. Out: (T, S, S) matrices J_t = ds_t/ds_{t-1} in the column convention, their products and spectra.
`closed_forms.py` has recurrences with a gradient in closed form.
Open first: `jacobians.py`; then `products.py`, which computes singular values of products, and `spectra.py`, what a figure needs of them.
"""
