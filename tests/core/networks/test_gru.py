"""The recurrence of the GRU: its states by the equations, its gradient by differences."""

import keras
import numpy as np
import pytest

from twinns_qgis.networks.gru import gated_recurrence

T, N, C = 4, 3, 5
FLOAT64 = keras.backend.backend() == "tensorflow"
"""Whether all is computed in float64: with JAX and PyTorch, Keras does parts in float32."""


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
    accuracy = 1e-12 if FLOAT64 else 1e-5
    np.testing.assert_allclose(found, states_by_the_equations(*arguments), rtol=accuracy, atol=accuracy)


@pytest.mark.parametrize("number", range(4))
def test_gradient_of_each_argument_is_that_of_small_differences(arguments, number):
    random = np.random.default_rng(1)
    upstream = random.normal(size=(T, N, C))
    gradient = gradients_by_the_backend(arguments, upstream)[number]
    for _ in range(5):
        direction = random.normal(size=arguments[number].shape)
        ahead, back = (states_moved(arguments, number, step * direction) for step in (1e-6, -1e-6))
        expected = ((ahead - back) * upstream).sum() / 2e-6
        assert (gradient * direction).sum() == pytest.approx(expected, rel=1e-6 if FLOAT64 else 1e-4)


def gradients_by_the_backend(arguments, upstream):
    """Gradients of the sum of the states, weighted by `upstream`, by automatic differentiation."""
    backend = keras.backend.backend()
    tensors = [keras.ops.convert_to_tensor(argument) for argument in arguments]
    weights = keras.ops.convert_to_tensor(upstream)

    def total(*tensors):
        return keras.ops.sum(gated_recurrence(*tensors) * weights)

    if backend == "tensorflow":
        import tensorflow

        with tensorflow.GradientTape() as tape:
            tape.watch(tensors)
            loss = total(*tensors)
        gradients = tape.gradient(loss, tensors)
    elif backend == "jax":
        import jax

        gradients = jax.grad(total, argnums=range(4))(*tensors)
    else:
        import torch

        gradients = torch.autograd.grad(total(*(tensor.requires_grad_() for tensor in tensors)), tensors)
    return [keras.ops.convert_to_numpy(gradient) for gradient in gradients]


def states_moved(arguments, number, change):
    moved = list(arguments)
    moved[number] = moved[number] + change
    return states_by_the_equations(*moved)
