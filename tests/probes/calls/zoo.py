"""Models that people build with Keras, one of every kind, small, with what each probe must say where it cannot answer.

`KINDS` maps a name to a function that builds the model. Weights are drawn, biases included. What is not in a kind's `refused` must be
right to its `tolerance`; what is in it must be refused in a sentence that the expression finds.
"""

from __future__ import annotations

from tests.probes.calls import kinds, zoo_chains, zoo_graphs, zoo_losses, zoo_tokens

PARTS = (zoo_chains, zoo_graphs, zoo_losses, zoo_tokens)  # each adds its own when it is imported
KINDS = kinds.KINDS
