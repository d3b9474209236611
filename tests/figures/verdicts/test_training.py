"""The verdict on a training, on made-up histories of every kind: its sentence, its tone and what it suggests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rnn_core.figures.verdicts.training import Task, training
from rnn_core.spec.experiment import Experiment

NAN = float("nan")
REVIEWS = Task("accuracy", {"the more frequent answer": 0.51, "counting good and bad words": 0.476}, 1000)
ADDING = Task("rmse", {"always 1": 0.408}, 512)
WAVES = Task("rmse", {"training mean": 1.0, "last value": 0.25, "last period": 0.27, "linear autoregression": 0.05}, 512)
RNN = Experiment().replace(cell="simple_rnn", epochs=4)


def history(
    metric: Sequence[float], loss: Sequence[float] | None = None, training_loss: Sequence[float] | None = None, steps: int = 10
) -> dict[str, np.ndarray]:
    """One validation at the end of each epoch of `steps` batches; losses are those of its epoch."""
    loss = [0.5] * len(metric) if loss is None else loss
    training_loss = loss if training_loss is None else training_loss
    rows = [(0, 0, NAN, NAN, NAN)]
    for epoch, (each, held_out, fitted) in enumerate(zip(metric, loss, training_loss, strict=True), 1):
        rows += [((epoch - 1) * steps + n, epoch - 1, fitted, NAN, NAN) for n in range(1, steps)]
        rows += [(epoch * steps, epoch, fitted, held_out, each)]
    return dict(zip(("step", "epoch", "loss", "validation_loss", "validation_metric"), np.array(rows).T, strict=True))


def said(metric: Sequence[float], task: Task = REVIEWS, ended: bool = True, **more: Sequence[float]) -> tuple[str, str]:
    found = training(history(metric, **more), task, RNN, ended=ended)
    return found.words, found.tone


def test_hardly_learned_suggests_the_lstm() -> None:
    found = training(history([0.63, 0.64, 0.63, 0.64]), REVIEWS, RNN, ended=True)
    assert found.words == "Right 64% of the time; guessing gives 51%: it has hardly learned."
    assert found.tone == "bad"
    assert found.next is not None
    assert (found.next.label, dict(found.next.changes)) == ("Try the LSTM", {"cell": "lstm"})
    assert RNN.replace(**found.next.changes).model.cell == "lstm"


@pytest.mark.parametrize(
    ("metric", "words", "tone"),
    [
        ([0.50, 0.52, 0.51, 0.53], "Right 53% of the time; guessing gives 51%: no better.", "bad"),  # within 2 standard errors, 3.2 points
        ([0.46, 0.46, 0.46, 0.46], "Right 46% of the time; guessing gives 51%: worse than that.", "bad"),
        ([0.6, 0.7, 0.75, 0.76], "Right 76% of the time; guessing gives 51%: it has learned a part of it.", "good"),
        ([0.8, 0.9, 0.95, 0.96], "Right 96% of the time; guessing gives 51%: it has learned.", "good"),
        ([0.8, 0.9, 0.95, 0.9996], "Right 99.9% of the time; guessing gives 51%: it has learned.", "good"),
        ([0.95], "Right 95% of the time; guessing gives 51%: it has learned.", "good"),  # good needs no waiting
        ([0.514, 0.512, 0.511, 0.5139], "Right 51.4% of the time; guessing gives 51.0%: no better.", "bad"),
    ],
)  # fmt: skip
def test_accuracy_against_guessing(metric: list[float], words: str, tone: str) -> None:
    assert said(metric) == (words, tone)


def test_more_answers_make_a_small_difference_a_finding() -> None:
    assert said([0.53] * 4, Task("accuracy", {"guessing": 0.51}, 1000))[0].endswith("no better.")
    assert said([0.53] * 4, Task("accuracy", {"guessing": 0.51}, 25_000))[0].endswith("it has hardly learned.")


def test_a_stronger_rival_than_guessing_is_named() -> None:
    task = Task("accuracy", {"guessing": 0.5, "counting good and bad words": 0.7}, 1000)
    assert said([0.71] * 4, task)[0] == "Right 71% of the time; counting good and bad words gives 70%: no better."


def test_per_step_tasks_count_steps() -> None:
    task = Task("accuracy", {"knowing when, not what": 0.854}, 512, per_step=True)
    words = "Right at 86% of the steps; knowing when, not what, gives 85%: no better."
    assert said([0.85, 0.86, 0.86, 0.86], task) == (words, "bad")


@pytest.mark.parametrize(
    ("metric", "ended", "words"),
    [
        ([], False, "No verdict yet. The first validation comes at the end of the first epoch."),
        ([], True, "No verdict yet. It ended before its first validation."),
        ([0.52], False, "Right 52% of the time; guessing gives 51%: too early to tell."),
        ([0.52, 0.52], True, "Right 52% of the time; guessing gives 51%: 2 epochs are too few to tell."),
        ([0.51, 0.54, 0.57, 0.61], False, "Right 61% of the time; guessing gives 51%: it is still improving."),
        ([0.51, 0.54, 0.57, 0.61], True, "Right 61% of the time; guessing gives 51%: it was still improving when it ended."),
    ],
)
def test_undecided(metric: list[float], ended: bool, words: str) -> None:
    found = training(history(metric), REVIEWS, RNN, ended=ended)
    assert (found.words, found.tone) == (words, "undecided")
    assert (found.next is not None and found.next.changes) == ({"epochs": 8} if ended else False)


def test_without_rivals_it_says_only_what_it_measured() -> None:
    assert said([0.6] * 4, Task("accuracy", {})) == ("Right 60% of the time after 4 epochs.", "undecided")
    assert said([0.3] * 4, Task("rmse", {})) == ("Error 0.300 after 4 epochs.", "undecided")


def test_memorises_and_where_to_stop() -> None:
    loss, fitted = [0.5, 0.4, 0.3, 0.36, 0.4], [0.5, 0.4, 0.3, 0.2, 0.1]
    found = training(history([0.7, 0.8, 0.86, 0.86, 0.85], loss, fitted), REVIEWS, RNN.replace(epochs=5))
    assert found.words == (
        "Memorises: the validation loss rises since epoch 3, while the training loss falls. "
        "There: right 86% of the time; guessing gives 51%."
    )
    assert found.tone == "bad"
    assert found.next is not None
    assert (found.next.label, dict(found.next.changes)) == ("Stop there: 3 epochs", {"epochs": 3})


def test_a_network_that_only_memorises_needs_more_data() -> None:
    made = history([0.51, 0.5, 0.5, 0.5], [0.7, 0.8, 0.9, 1.0], [0.7, 0.5, 0.3, 0.1])
    for changes, expected in (({"samples": 300}, {"samples": 1200}), ({}, {"dropout": 0.3})):
        found = training(made, REVIEWS, RNN.replace(**changes)).next
        assert found is not None
        assert dict(found.changes) == expected


@pytest.mark.parametrize(
    ("loss", "fitted"),
    [
        ([0.5, 0.4, 0.3, 0.36], [0.5, 0.4, 0.3, 0.2]),  # one epoch is no trend
        ([0.5, 0.4, 0.3, 0.36, 0.31], [0.5, 0.4, 0.3, 0.2, 0.1]),  # the last one is back
        ([0.5, 0.4, 0.3, 0.31, 0.32], [0.5, 0.4, 0.3, 0.2, 0.1]),  # within the noise of 1,000 answers
        ([0.5, 0.4, 0.3, 0.36, 0.4], [0.5, 0.4, 0.3, 0.4, 0.5]),  # the training loss rises too: that is not memorising
        ([0.5, 0.4, 0.3, 0.36, 0.4], [2.0, 1.0, 0.9, 0.36, 0.39]),  # fresh sequences: training and validation loss are alike
        ([0.6, 0.1, 0.001, 0.002, 0.002], [0.5, 0.1, 0.01, 1e-4, 1e-5]),  # a rise of next to nothing
    ],
)
def test_noise_is_not_called_memorising(loss: list[float], fitted: list[float]) -> None:
    assert "Memorises" not in said([0.7, 0.8, 0.86, 0.86, 0.85][: len(loss)], loss=loss, training_loss=fitted)[0]


def test_a_result_that_was_lost() -> None:
    assert said([0.7, 0.97, 0.6, 0.62]) == ("Fell back: right 97% of the time after epoch 2, 62% now.", "bad")
    assert "Fell back" not in said([0.7, 0.97, 0.96, 0.62])[0]
    exploded = history([0.95, 1.0, 0.04, 0.5, 0.51], [0.67, 0.0, 2e4, 0.7, 0.69], [9.0, 3.0, 5e3, 0.7, 0.69])
    assert training(exploded, REVIEWS).words == "Fell back: right 100% of the time after epoch 2, 51% now."
    assert said([0.3, 0.1, 0.2, 0.22], ADDING) == ("Fell back: error 0.100 after epoch 2, 0.220 now.", "bad")


def test_diverged_names_the_step_and_clips() -> None:
    broken = history([0.5, 0.5])
    broken["loss"][13:] = NAN
    found = training(broken, REVIEWS, RNN, ended=True)
    assert (found.words, found.tone) == ("Diverged: at step 13 the loss stopped being a number.", "bad")
    assert found.next is not None
    assert dict(found.next.changes) == {"clip": 1.0}
    slower = training(broken, REVIEWS, RNN.replace(clip=1.0, learning_rate=0.01), ended=True).next
    assert slower is not None
    assert dict(slower.changes) == {"learning_rate": pytest.approx(0.001)}
    broken["loss"][13:] = float("inf")
    assert training(broken, REVIEWS).words.startswith("Diverged")


def test_a_loss_that_grows() -> None:
    grown = history([0.5, 0.5], loss=[1.0, 30.0])
    assert training(grown, REVIEWS, RNN).words == "The loss grows: 1.000 at the start, 30 now."
    spike = history([0.5, 0.5])
    spike["loss"][-2:] = 1e6
    assert "grows" not in training(spike, REVIEWS, RNN).words, "two batches are a spike"


@pytest.mark.parametrize(
    ("task", "error", "words", "tone"),
    [
        (WAVES, 0.5, "Worse than repeating the last period: error 0.500 against 0.270.", "bad"),
        (WAVES, 1.5, "Worse than always forecasting the mean: error 1.500 against 1.000.", "bad"),
        (Task("rmse", {"training mean": 1.3, "last value": 0.1}, 512), 0.2, "Worse than repeating the last value: error 0.200 against 0.100.", "bad"),
        (Task("rmse", {"training mean": 1.3, "last value": 0.1}, 512), 0.103, "No better than repeating the last value: error 0.103 against 0.100.", "bad"),
        (WAVES, 0.1, "Better than repeating the last value (0.250), but not than a linear autoregression (0.05): error 0.100.", "undecided"),
        (WAVES, 0.01, "Better than every simple rival: error 0.01; the best of them, a linear autoregression, 0.05.", "good"),
        (ADDING, 0.41, "No better than always answering 1: error 0.410 against 0.408.", "bad"),
        (ADDING, 0.36, "Better than always answering 1: error 0.360 against 0.408: it has hardly learned.", "bad"),
        (ADDING, 0.09, "Better than always answering 1: error 0.09 against 0.408.", "good"),
        (Task("rmse", {"last value": 0.25, "last period": 0.0}, 512), 0.02, "Better than repeating the last value: error 0.02 against 0.250. Repeating the last period makes no error here: the series follows such a rule exactly.", "undecided"),
    ],
)  # fmt: skip
def test_errors_against_naive_forecasts(task: Task, error: float, words: str, tone: str) -> None:
    assert said([error] * 4, task) == (words, tone)


def test_an_error_is_given_time() -> None:
    assert said([0.9, 0.8], WAVES, ended=False)[1] == "undecided"
    words = "Worse than repeating the last period: error 0.500 against 0.270. It is still improving."
    assert said([0.9, 0.8, 0.6, 0.5], WAVES, ended=False) == (words, "undecided")


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"gain": 0.7}, "Start with gain 1"),
        ({"padding": "post", "mask": False}, "Skip the padding"),
        ({"cell": "gru"}, "Open the gates: bias 3"),
        ({"cell": "gru", "gate_bias": 4.0}, "Train 8 epochs"),
        ({"cell": "gru", "length": 10}, "Train 8 epochs"),
        ({"task": "first_token", "padding": "post", "mask": False}, "Try the LSTM"),  # nothing is padded there
    ],
)
def test_the_suggestion_follows_the_experiment(changes: dict[str, object], label: str) -> None:
    found = training(history([0.5] * 4), REVIEWS, RNN.replace(**changes), ended=True)
    assert found.next is not None
    assert found.next.label == label


def test_noise_alone_is_seldom_called_a_finding() -> None:
    """Of 400 runs that guess, with the noise of 1,000 fresh answers at every epoch, fewer than one in ten is called anything but "no better"."""
    rng, found = np.random.default_rng(0), []
    for _ in range(400):
        metric, loss = rng.binomial(1000, 0.51, 10) / 1000, 0.69 + 0.02 * rng.normal(size=10)
        found.append(training(history(metric, loss, 0.69 - 0.01 * np.arange(10)), REVIEWS, ended=True).words)
    assert sum(not words.endswith("no better.") for words in found) < 0.1 * 400
    assert sum("Memorises" in words for words in found) < 0.02 * 400
