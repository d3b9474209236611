"""The Sentence page: a text is typed, one or several models read it, and a click shows a step or a unit closer.

In: a text and the weights of kept steps. Out: a player that runs in the browser, and the details of what was picked in it.
`composer/` is the text box, `player/` the heat maps; their scripts lie beside them.
Open first: `models.py`, which asks the workers; then `text_box.py`, `player/` and `details.py`.
"""
