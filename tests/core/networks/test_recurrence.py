"""The recurrence of the GRU: its states by the equations, its gradient by differences."""

import keras
import numpy as np
import pytest

from twinns_qgis.networks.recurrence import gated_recurrence

T, N, C = 4, 3, 5


def states_by_the_equations(gates, candidates, gate_kernel, candidate_kernel):
    h, states = np.zeros((N, C)), []
    for date in range(T):
        z, r = np.split(1 / (1 + np.exp(-(gates[date] + h @ gate_kernel))), 2, axis=-1)
        h = z * h + (1 - z) * np.tanh(candidates[date] + (r * h) @ candidate_kernel)
        states.append(h)
    return np.stack(states)


@pytest.fixture
def arguments():
    random = np.random.default_rng(0)
    return [random.normal(size=shape) for shape in ((T, N, 2 * C), (T, N, C), (C, 2 * C), (C, C))]


def test_states_are_those_of_the_equations(arguments):
    found = keras.ops.convert_to_numpy(gated_recurrence(*map(keras.ops.convert_to_tensor, arguments)))
    accuracy = 1e-12 if keras.backend.backend() == "tensorflow" else 1e-5  # others have parts of it in float32
    np.testing.assert_allclose(found, states_by_the_equations(*arguments), rtol=accuracy, atol=accuracy)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="takes the gradient by TensorFlow's tape")
@pytest.mark.parametrize("number", range(4))
def test_gradient_of_each_argument_is_that_of_small_differences(arguments, number):
    import tensorflow

    random = np.random.default_rng(1)
    upstream = random.normal(size=(T, N, C))
    tensors = [tensorflow.constant(argument) for argument in arguments]
    with tensorflow.GradientTape() as tape:
        tape.watch(tensors)
        total = tensorflow.reduce_sum(gated_recurrence(*tensors) * upstream)
    gradient = tape.gradient(total, tensors)[number].numpy()

    for _ in range(5):
        direction = random.normal(size=arguments[number].shape)
        ahead, back = (states_moved(arguments, number, step * direction) for step in (1e-6, -1e-6))
        expected = ((ahead - back) * upstream).sum() / 2e-6
        assert (gradient * direction).sum() == pytest.approx(expected, rel=1e-6)


def states_moved(arguments, number, change):
    moved = list(arguments)
    moved[number] = moved[number] + change
    return states_by_the_equations(*moved)
