"""The Jacobian of one step, and products of many: what a gradient is multiplied by on its way back.

In: a model and one sequence. Out: (T, S, S) matrices J_t = ds_t/ds_{t-1} in the column convention, their products and spectra.
`closed_forms.py` holds recurrences whose gradient is known on paper.
Open first: `jacobians.py`; then `products.py` and `spectra.py`.
"""
