"""Other people's Keras models: each probe is right to 1e-5 or refuses for the true reason, and leaves the model as it was."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import tensorflow as tf

from rnn_core.probes.gradients.state_gradients import state_gradients
from tests.probes.calls import zoo
from tests.probes.calls.checking import Checked, answer_of, fits

pytestmark = pytest.mark.filterwarnings("ignore")  # of Keras's, about models that are odd on purpose
NAMES = list(zoo.KINDS)
IN_GRAPHS = 16  # every how many-th kind is called in TensorFlow's graphs, as in use; eagerly it takes a fifth of the time


@pytest.mark.parametrize("name", NAMES)
def test_each_probe_is_right_or_says_why_not(name: str) -> None:
    kind, number = zoo.KINDS[name](), NAMES.index(name)
    checked = Checked(kind)
    for probe in kind.asked:
        expected = kind.refused.get(probe)
        if probe == "loss" and kind.loss is None and not expected:
            continue
        if probe == "leave_one_out" and number % 5 and not expected:
            continue
        graphs = kind.graph or (number % IN_GRAPHS == 0 and probe in ("trace", "gradients"))
        tf.config.run_functions_eagerly(not graphs)
        try:
            said = checked.verdict(probe)
        finally:
            tf.config.run_functions_eagerly(False)
        assert fits(said, expected), f"{probe}: {said!r}, expected {expected or 'an answer'!r}"


def test_the_zoo_is_large_enough() -> None:
    assert len(NAMES) >= 60


def test_another_thread_gets_the_models_own_answer_meanwhile() -> None:
    kind = zoo.KINDS["gru_plain"]()
    own, different, stop = np.asarray(answer_of(kind)), [], threading.Event()

    def call() -> None:
        while not stop.is_set():
            found = np.asarray(answer_of(kind))
            if found.tobytes() != own.tobytes():
                different.append(found)

    other = threading.Thread(target=call)
    other.start()
    try:
        first = state_gradients(kind.network, kind.inputs).norms
        assert np.array_equal(first, state_gradients(kind.network, kind.inputs).norms)
    finally:
        stop.set()
        other.join()
    assert not different
