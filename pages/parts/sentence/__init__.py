"""The Sentence page: models read a typed text, and a click shows the details of a step or a unit.

In: a text and the weights of kept steps. Out: a player that runs in the browser, and the details of what was picked in it.
`composer/` is the text box, `player/` the heat maps; their scripts lie beside them.
Open first: `models.py`, which calls the workers; then `text_box.py`, `player/` and `details.py`.
"""
