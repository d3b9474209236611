"""Reviews as token ids: IMDB, the bundled toy reviews, and the vocabulary that both share.

In: an `Experiment`, or a text. Out: `Sequences` of token ids, labels of 0 and 1; words and ids by `Vocabulary`.
`words.txt` holds the 10,000 most frequent words of the IMDB reviews, most frequent first.
Open first: `vocabulary.py`; then `imdb.py` and `imdb_files.py` for the real reviews, `toy_grammar.py` for the synthetic ones.
"""
