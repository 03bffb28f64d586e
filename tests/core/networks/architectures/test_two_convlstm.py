"""2ConvLSTM against the ConvLSTM's formulas in plain numpy."""

import math

import numpy as np
import pytest

from twinns_qgis.networks.architectures import architectures


@pytest.fixture
def network(make_sensors, randomise):
    return randomise(architectures()["2ConvLSTM"].build(make_sensors(3, 4), 5, "small"))


def test_it_follows_the_formulas(network, make_sensors, make_values, equations, assert_exact):
    sensors = make_sensors(3, 4)
    patches = make_values(sensors, 2, 5, 5)
    found = network.predict_on_batch(patches)
    for index in range(2):
        features = []
        for sensor in sensors:
            x = equations.variables(sensor, patches[sensor.name][index].astype(float))
            features.append(convlstm(network.get_layer(f"{sensor.name}_convlstm_branch").recurrence, x))
        fused = np.concatenate(features)
        for number in (1, 2):
            fused = np.maximum(equations.dense(network.get_layer(f"fusion_{number}"), fused), 0)
        logits = equations.dense(network.get_layer("fusion"), fused)
        assert_exact(
            {name: output[index, 0, 0] for name, output in found.items()},
            {"fusion": logits, "score": equations.softmax(logits)},
        )


def convlstm(layer, x):
    """The mean of the last state, x of shape (5, 5, T, V); gates in Keras' order: input, forget, cell, output."""
    kernel, recurrent, bias = (np.array(weight, float) for weight in layer.get_weights())
    filters = recurrent.shape[2]
    hidden, cell = np.zeros((5, 5, filters)), np.zeros((5, 5, filters))
    for date in range(x.shape[2]):
        gates = padded_convolution(x[:, :, date], kernel) + padded_convolution(hidden, recurrent) + bias
        entry, forget, candidate, exit_ = np.split(gates, 4, axis=-1)
        cell = sigmoid(forget) * cell + sigmoid(entry) * np.tanh(candidate)
        hidden = sigmoid(exit_) * np.tanh(cell)
    return hidden.mean(axis=(0, 1))


def padded_convolution(x, kernel):
    framed = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    result = np.zeros((*x.shape[:2], kernel.shape[-1]))
    for row in range(3):
        for column in range(3):
            result += framed[row : row + x.shape[0], column : column + x.shape[1]] @ kernel[row, column]
    return result


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_patches_and_blocks_give_equal_outputs(network, make_sensors, make_values):
    block = make_values(make_sensors(3, 4), 2, 7, 8)
    patches = {
        name: np.stack(
            [values[n, row : row + 5, column : column + 5] for n in range(2) for row in range(3) for column in range(4)]
        )
        for name, values in block.items()
    }
    whole, single = network.predict_on_batch(block)["score"], network.predict_on_batch(patches)["score"]
    np.testing.assert_allclose(whole.reshape(24, -1), single[:, 0, 0], atol=1e-5)


def test_its_parameters_are_those_of_two_convlstms_and_the_dense_layers(make_sensors):
    network = architectures()["2ConvLSTM"].build(make_sensors(3, 4), 13, "paper")
    convlstms = sum(4 * (9 * (variables + 256) * 256 + 256) for variables in (2, 16))
    dense = (512 * 1024 + 1024) + (1024 * 1024 + 1024) + (1024 * 13 + 13)
    assert sum(math.prod(weight.shape) for weight in network.trainable_weights) == convlstms + dense


def test_every_network_of_the_method_is_there():
    assert set(architectures()) == {
        "TWINNS", "TWINNS(S1)", "TWINNS(S2)", "FullCNN", "FullRNN", "TWINNSNoAux", "2ConvLSTM",
    }  # fmt: skip
