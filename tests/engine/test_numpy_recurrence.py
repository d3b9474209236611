"""The NumPy recurrence against the engine and its attributions, over every cell and variant."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.probes.sentence import reading
from rnn_core.probes.sentence.attributions import attributions
from rnn_core.probes.sentence.reader import Reader
from rnn_core.probes.states.traces import trace
from tests.probes.test_arithmetic import IDS, VARIANTS, model, small_profile


@pytest.mark.parametrize(
    "variant",
    [*VARIANTS, {"cell": "lstm", "activation": "relu"}, {"cell": "gru", "reset_after": False, "use_bias": False}],
    ids=str,
)
def test_states_gates_and_every_attribution_agree_with_the_engine(variant: dict[str, object]) -> None:
    network = model(**variant)
    expected_trace = trace(network, IDS[None])
    assert expected_trace.running is not None
    for method in reading.METHODS:
        found = reading.read(network, small_profile(network), IDS, method)
        expected = attributions(network, IDS[None], method, output=0, steps=None)
        np.testing.assert_allclose(
            found.attribution, expected.values[0], atol=1e-3 if method == "integrated_gradients" else 1e-5, err_msg=method
        )
    np.testing.assert_allclose(found.states, expected_trace.states[0], atol=1e-5)
    np.testing.assert_allclose(found.logits, expected_trace.running[0, :, 0], atol=1e-5)
    for name, values in expected_trace.gates.items():
        np.testing.assert_allclose(found.gates[name], values[0], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_gradients_agree_with_finite_differences(variant: dict[str, object]) -> None:
    reader = Reader(model(**variant))
    vectors = np.random.default_rng(1).normal(size=(5, 1, 4)).astype(np.float32)
    _, gradients = reader.gradients(vectors)
    for place in [(0, 0, 1), (2, 0, 3), (4, 0, 0)]:
        up, down = vectors.copy(), vectors.copy()
        up[place] += 1e-2
        down[place] -= 1e-2
        difference = (reader.gradients(up)[0] - reader.gradients(down)[0])[0] / 2e-2
        assert gradients[place] == pytest.approx(difference, abs=2e-3)


def test_a_skipped_step_keeps_the_state() -> None:
    reader = Reader(model(cell="lstm", layers=2))
    vectors = np.random.default_rng(2).normal(size=(6, 1, 4)).astype(np.float32)
    skipped = np.zeros((6, 1), bool)
    skipped[3] = True
    with_skip = reader.logits(reader.passes(vectors, skipped))[-1]
    without = reader.logits(reader.passes(np.delete(vectors, 3, axis=0)))[-1]
    np.testing.assert_allclose(with_skip, without, atol=1e-6)


def test_reading_needs_no_tensorflow() -> None:
    import subprocess
    import sys

    program = (
        "import sys, numpy as np\n"
        "from rnn_core.store import run_file as exchange; from rnn_core.service import sentence\n"
        "record = exchange.open_starter('starter-lstm')\n"
        "sentence.read(sentence.Source(record.id, record.snapshots[-1].step), np.array([1, 20, 30]))\n"
        "assert not {'tensorflow', 'keras', 'streamlit'} & set(sys.modules), 'loaded'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_texts_and_methods_are_checked() -> None:
    network = model(cell="gru")
    profile = small_profile(network)
    with pytest.raises(ValueError, match="between 0 and 11"):
        reading.read(network, profile, np.array([1, 12]))
    with pytest.raises(ValueError, match="at least one token"):
        reading.read(network, profile, np.array([], np.int32))
    with pytest.raises(ValueError, match="method must be one of"):
        reading.read(network, profile, np.array([1]), "magic")
