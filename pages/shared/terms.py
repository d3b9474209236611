"""The terms that a first-year may not know: one sentence each, a formula where there is one, and the page that shows it."""

from __future__ import annotations

from dataclasses import dataclass

HIDDEN, GRADIENTS, SENTENCE, TRAIN = "pages/states.py", "pages/gradients.py", "pages/sentence.py", "pages/train.py"
COMPARE, LESSONS = "pages/compare.py", "pages/lessons.py"


@dataclass(frozen=True)
class Term:
    """One term."""

    name: str  # as the list has it
    words: str  # one sentence, at most 30 words
    formula: str = ""  # plain text, "" where there is none
    page: str = ""  # file of the page that shows it; "" where none does
    query: tuple[tuple[str, str], ...] = ()  # names and values of the link
    also: tuple[str, ...] = ()  # other ways to write it in a text


def _scene(name: str) -> tuple[tuple[str, str], ...]:
    return (("scene", name),)


def _view(name: str) -> tuple[tuple[str, str], ...]:
    return (("view", name),)


def _curve(name: str) -> tuple[tuple[str, str], ...]:
    return (("lab_view", name),)


TERMS = (
    Term("attribution", "How much of the answer each input is held responsible for, by a stated method.", "", SENTENCE, (), ("attributions",)),
    Term("backpropagation through time", "The gradient computed backwards over the unrolled chain, from the last time step to the first.", "∂L/∂s₍ₜ₋₁₎ = Jₜᵀ ∂L/∂sₜ", GRADIENTS, (), ("BPTT",)),
    Term("baseline", "What a predictor that learns nothing reaches, such as always naming the most frequent answer.", "", TRAIN, (), ("naive predictors", "naive predictor", "baselines")),
    Term("batch", "The examples whose average gradient makes one training step.", "", TRAIN, (), ("batches",)),
    Term("bidirectional", "Two layers read the sequence, one from each end, and their states are joined.", "[h→ ; h←]", TRAIN, (("bidirectional", "True"),)),
    Term("candidate", "The new content a gated cell proposes for its state at a step, before gates decide how much of it enters.", "g = tanh(x W + h U + b)", SENTENCE),
    Term("cell state", "The second vector of an LSTM, c: it is changed only by forgetting and adding, so content can last in it.", "c = f ⊙ c₍ₜ₋₁₎ + i ⊙ g", SENTENCE, (), ("cell states",)),
    Term("clipping", "Shortening a gradient that is longer than a limit, so that one bad batch cannot throw the weights far off.", "g · min(1, limit / ‖g‖)", GRADIENTS, _scene("Explodes")),
    Term("contractive", "A network in which two different states come closer together at every step, so differences are forgotten.", "‖J‖ < 1", LESSONS, (("lesson", "vanishing"),)),
    Term("embedding", "A table of learned vectors, one for each token: it turns a word's number into numbers a network can use.", "", TRAIN, (), ("embeddings",)),
    Term("epoch", "One pass over all training examples.", "", TRAIN, (), ("epochs",)),
    Term("exploding", "The gradient grows from step to step going back, until a training step throws the weights far off.", "", GRADIENTS, _scene("Explodes"), ("explodes",)),
    Term("forget gate", "The LSTM's gate that scales its cell state at each step: 0 erases, 1 keeps.", "f = σ(x W + h U + b)", SENTENCE),
    Term("gain", "The factor that the initial recurrent weights are multiplied by.", "U = gain · Q, with Q orthogonal", GRADIENTS, _scene("Shrinks")),
    Term("gate", "Numbers between 0 and 1, computed at every step, that say how much of each unit passes.", "σ(x W + h U + b)", SENTENCE, (), ("gates",)),
    Term("gradient", "How the loss changes with a small change of each weight or state; training moves weights against it.", "∂L/∂W", GRADIENTS, (), ("gradients",)),
    Term("hidden state", "The list of numbers a recurrent layer carries from each step to the next: all it keeps of its input.", "h = tanh(x W + h₍ₜ₋₁₎ U + b)", HIDDEN, (), ("hidden states",)),
    Term("integrated gradients", "An attribution that adds up gradients on the way from an empty input to the real one; its parts sum to the answer's change.", "", SENTENCE),
    Term("Jacobian", "The table of how each number of the next state changes with each number of the present one.", "J = ∂sₜ / ∂s₍ₜ₋₁₎", GRADIENTS, _curve("Singular values"), ("Jacobians",)),
    Term("logit", "The answer before its squashing: any number, positive where the probability is above one half.", "p = σ(logit)", SENTENCE, (), ("logits",)),
    Term("loss", "One number for how wrong the answers are; training makes it smaller.", "", TRAIN),
    Term("Lyapunov exponent", "The average growth per step of a small change of the state, on a log scale; below 0 it dies out.", "λ = lim (1/T) log ‖δ(T)‖ / ‖δ(0)‖", GRADIENTS, _curve("Lyapunov exponents"), ("Lyapunov exponents", "Lyapunov")),
    Term("mask", "The mark on padded steps that makes the layer skip them and keep its state.", "", LESSONS, (("lesson", "padding"),), ("masked", "masks")),
    Term("orthogonal initialisation", "Starting the recurrent weights as a rotation, which changes no vector's length.", "UᵀU = I", LESSONS, (("lesson", "orthogonal"),), ("orthogonal",)),
    Term("overfitting", "Learning the training examples by heart: their loss falls while the validation loss rises.", "", TRAIN, (), ("overfits",)),
    Term("padding", "Filling short sequences with a reserved token, so that all of a batch have one length.", "", LESSONS, (("lesson", "padding"),), ("padded",)),
    Term("participation ratio", "How many directions the states really use: 1 for a line, H when all H directions matter alike.", "(Σλ)² / Σλ²", HIDDEN, _view("Paths")),
    Term("reach", "How many steps back the gradient goes before it falls below 1 % of its size at the last step.", "", GRADIENTS),
    Term("reset gate", "The GRU's gate that decides how much of the old state enters the candidate.", "r = σ(x W + h U + b)", SENTENCE),
    Term("return_sequences", "A Keras option: the layer gives its state at every step instead of the last one only.", "(B, T, H) instead of (B, H)", TRAIN),
    Term("return_state", "A Keras option: the layer also gives its final state separately, so that another layer can start from it."),
    Term("saturation", "A unit close to the ends of its activation function, where the function is flat and its gradient almost zero.", "tanh′(a) ≈ 0", HIDDEN, _view("Activations"), ("saturated",)),
    Term("sequence", "Inputs in an order that matters: the words of a text, the values of a series.", "x₁ … x_T", HIDDEN, _view("One sequence"), ("sequences",)),
    Term("singular value", "A factor by which a matrix stretches one of its own perpendicular directions; the largest bounds all stretching.", "", GRADIENTS, _curve("Singular values"), ("singular values",)),
    Term("spectral radius", "The largest absolute eigenvalue of the recurrent weights: whether repeated multiplication shrinks or grows.", "ρ(U) = max |λ|", TRAIN),
    Term("stacked", "Several recurrent layers, each reading the states of the one below at every step.", "", TRAIN, (("layers", "2"),)),
    Term("stateful", "A Keras option: the state at the end of one batch is the start of the next, instead of zero."),
    Term("time step", "One position in a sequence: a word of a text, a value of a series.", "t", HIDDEN, _view("One sequence"), ("time steps",)),
    Term("token", "What a text is cut into before it is read: here a word, as a number from the vocabulary.", "", SENTENCE, (), ("tokens",)),
    Term("truncated BPTT", "Backpropagation through time stopped after a fixed number of steps, to save memory; longer dependencies get no gradient."),
    Term("unit", "One number of the hidden state, with the weights that compute it.", "hⱼ", HIDDEN, _view("Activations"), ("units",)),
    Term("update gate", "The GRU's gate that mixes old state and candidate: 1 keeps the old state, in Keras's convention.", "h = z ⊙ h₍ₜ₋₁₎ + (1 − z) ⊙ g", SENTENCE),
    Term("validation", "Examples kept out of training, on which it is measured what was learned.", "", TRAIN),
    Term("vanishing", "The gradient shrinks from step to step going back, until early steps teach the network nothing.", "", GRADIENTS, _scene("As Keras starts"), ("vanishes", "vanished")),
)  # fmt: skip
