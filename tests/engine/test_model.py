"""Models as NumPy arrays: gain and gate bias, weights of the right shape, and no TensorFlow until it is needed."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from rnn_core.engine.model import build
from rnn_core.spec.experiment import Experiment
from rnn_core.spec.interface import Interface

TOKENS = Interface("tokens", 50, 1, "binary")


def experiment(**changes):
    return Experiment().replace(**{"units": 6, "embedding": 4, "seed": 3, **changes})


def test_the_first_network_of_a_process_has_the_same_weights_as_later_ones():
    """Importing Keras draws from `random`, which must not change the weights."""
    program = (
        "import sys; from tests.engine.test_model import *\n"
        "assert 'keras' not in sys.modules\n"
        "print(sum(float(weight.astype('float64').sum()) for weight in build(experiment(), TOKENS).weights).hex())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    here = sum(float(weight.astype("float64").sum()) for weight in build(experiment(), TOKENS).weights)
    assert done.stdout.strip() == here.hex(), done.stderr


def test_gain_and_gate_bias():
    plain, changed = build(experiment(cell="lstm"), TOKENS), build(experiment(cell="lstm", gain=0.5, gate_bias=3.0), TOKENS)
    np.testing.assert_array_equal(changed.recurrent[0][1], plain.recurrent[0][1] * np.float32(0.5))
    assert plain.recurrent[0][2].tolist() == [0.0] * 6 + [1.0] * 6 + [0.0] * 12
    assert changed.recurrent[0][2].tolist() == [0.0] * 6 + [3.0] * 6 + [0.0] * 12
    gru = build(experiment(cell="gru", gate_bias=2.0), TOKENS)
    assert gru.recurrent[0][2].tolist() == [[2.0] * 6 + [0.0] * 12, [0.0] * 18]
    orthogonal = build(experiment(gain=1.5), TOKENS).recurrent[0][1]
    np.testing.assert_allclose(np.linalg.svd(orthogonal, compute_uv=False), 1.5, rtol=1e-5)


def test_weights_of_the_wrong_shape_are_refused():
    model = build(experiment(), TOKENS)
    with pytest.raises(ValueError, match="expected weights of shapes"):
        model.with_weights(model.weights[:-1])


def test_a_pickled_model_opens_without_tensorflow():
    """Opened in a process that has not loaded TensorFlow."""
    data = pickle.dumps(build(experiment(), TOKENS))
    code = "import sys, pickle, rnn_core; m = pickle.loads(bytes.fromhex(sys.argv[1])); print(m.parameters, 'tensorflow' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code, data.hex()], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [str(build(experiment(), TOKENS).parameters), "False"]
