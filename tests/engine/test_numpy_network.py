"""A model's network in NumPy: gradients against finite differences, skipped steps, and pages that load no TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

from rnn_core.engine.numpy_network import NumpyNetwork
from tests.probes.test_arithmetic import VARIANTS, model


@pytest.mark.parametrize("variant", [*VARIANTS, {"cell": "lstm", "layers": 2, "bidirectional": True}], ids=str)
def test_gradients_agree_with_finite_differences(variant: dict[str, object]) -> None:
    network = NumpyNetwork(model(**variant), "float64")
    vectors = np.random.default_rng(1).normal(size=(5, 1, 4))
    found = network.vector_gradient(network.forward(vectors), np.ones((1, 1)))
    for place in [(0, 0, 1), (2, 0, 3), (4, 0, 0)]:
        up, down = vectors.copy(), vectors.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        slope = (network.logits(network.forward(up)) - network.logits(network.forward(down)))[0, 0] / 2e-5
        assert found[place] == pytest.approx(slope, rel=1e-6, abs=1e-9)


def test_a_masked_step_keeps_the_state() -> None:
    network = NumpyNetwork(model(cell="lstm", layers=2))
    vectors = np.random.default_rng(2).normal(size=(6, 1, 4)).astype(np.float32)
    mask = np.ones((6, 1), bool)
    mask[3] = False
    with_mask = network.logits(network.forward(vectors, mask))
    without = network.logits(network.forward(np.delete(vectors, 3, axis=0)))
    np.testing.assert_allclose(with_mask, without, atol=1e-6)


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
