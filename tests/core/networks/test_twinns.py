"""The network against its equations in plain numpy, and against the paper's sizes."""

import math

import numpy as np
import pytest
from keras import ops

from twinns_qgis.networks.twinns import SCORE, build_twinns, loss_weights


def trainable(network):
    return sum(math.prod(weight.shape) for weight in network.trainable_weights)


@pytest.mark.parametrize(
    ("sentinel1_dates", "sentinel2_dates", "classes", "parameters"),
    [(24, 34, 13, 29_253_697), (29, 23, 8, 28_445_224)],
    ids=["Reunion", "Koumbia"],
)
def test_paper_size_has_the_parameters_of_the_method(
    make_sensors, sentinel1_dates, sentinel2_dates, classes, parameters
):
    assert trainable(build_twinns(make_sensors(sentinel1_dates, sentinel2_dates), classes, "paper")) == parameters


@pytest.fixture
def network(make_sensors):
    """A small network with random weights and random batch normalisation statistics."""
    network = build_twinns(make_sensors(3, 4), 5, "small")
    random = np.random.default_rng(1)
    for weight in network.weights:
        spread = 1 / np.sqrt(np.prod(weight.shape[:-1]) or 1)
        values = random.normal(0, max(spread, 0.05), weight.shape)
        if any(part in weight.path for part in ("gamma", "moving_variance")):
            values = random.uniform(0.5, 1.5, weight.shape)
        weight.assign(values)
    return network


def test_patches_and_blocks_give_equal_outputs(network, make_sensors, make_values):
    block = make_values(make_sensors(3, 4), 1, 9, 11)
    patches = {
        name: np.stack([values[0, row : row + 5, column : column + 5] for row in range(5) for column in range(7)])
        for name, values in block.items()
    }
    whole, single = network.predict_on_batch(block), network.predict_on_batch(patches)
    for name in whole:
        np.testing.assert_allclose(whole[name][0].reshape(35, -1), single[name][:, 0, 0], atol=1e-5, err_msg=name)


def test_outputs_follow_equations_2_to_12(network, make_sensors, make_values):
    sensors = make_sensors(3, 4)
    patches = make_values(sensors, 6, 5, 5)
    found = network.predict_on_batch(patches)
    expected = twinns(network, sensors, patches)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name][:, 0, 0], values, atol=1e-4, rtol=1e-4, err_msg=name)


def test_score_sums_to_one(network, make_sensors, make_values):
    score = network.predict_on_batch(make_values(make_sensors(3, 4), 4, 5, 5))[SCORE]
    np.testing.assert_allclose(score.sum(axis=-1), 1, atol=1e-6)


def test_loss_weights_are_those_of_equation_11(network):
    weights = loss_weights(network)
    assert weights.pop("fusion") == 1
    assert set(weights.values()) == {0.5}
    assert len(weights) == 4


def test_attention_weights_sum_to_one(network):
    attention = network.get_layer("sentinel2_convgru_branch").attention
    states = np.random.default_rng(2).normal(size=(4, 3, 128)).astype("float32")
    weights = ops.convert_to_numpy(attention.weights_over_dates(states))
    assert weights.shape == (4, 3)
    np.testing.assert_allclose(weights.sum(axis=0), 1, atol=1e-6)


def test_missing_values_do_not_reach_the_network(network, make_sensors, make_values):
    values = make_values(make_sensors(3, 4), 1, 5, 5)
    values["sentinel2"][:] = -32768
    assert np.isfinite(network.predict_on_batch(values)[SCORE]).all()


# Equations 2-12 in float64, one patch of shape (5, 5, T, V) at a time.


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum()


def variables(sensor, raw):
    values = raw * np.array(sensor.scale) + np.array(sensor.offset)
    if sensor.name == "sentinel2":
        b = {name: values[..., position] for position, name in enumerate(sensor.bands)}
        differences = [
            (b[first] - b[second]) / (b[first] + b[second])
            for first, second in [("B8", "B4"), ("B3", "B8"), ("B8", "B11"), ("B3", "B11"), ("B8", "B5")]
        ]
        differences.insert(2, np.sqrt((values**2).sum(axis=-1)))
        values = np.concatenate([values, np.stack(differences, axis=-1)], axis=-1)
    low, high = np.array(sensor.minimum), np.array(sensor.maximum)
    return (values - low) / (high - low)


def convolve(block, x):
    """Valid convolution, ReLU, batch normalisation in inference."""
    kernel, bias = (np.array(weight, float) for weight in block.convolution.get_weights())
    size = kernel.shape[0]
    rows, columns = x.shape[0] - size + 1, x.shape[1] - size + 1
    y = np.empty((rows, columns, kernel.shape[-1]))
    for row in range(rows):
        for column in range(columns):
            window = x[row : row + size, column : column + size]
            y[row, column] = np.tensordot(window, kernel, axes=3) + bias
    gamma, beta, mean, variance = (np.array(weight, float) for weight in block.normalisation.get_weights())
    return gamma * (np.maximum(y, 0) - mean) / np.sqrt(variance + block.normalisation.epsilon) + beta


def cnn(branch, x):
    x = x.reshape(5, 5, -1)
    for block in branch.blocks:
        x = convolve(block, x)
    return x[0, 0]


def convgru(branch, x):
    w_input, w_gates, w_state, bias = (np.array(weight, float) for weight in branch.recurrence.get_weights())
    units = w_state.shape[0]
    wzx, wrx, whx = np.split(w_input, 3, axis=1)
    wzh, wrh = np.split(w_gates, 2, axis=1)
    bz, br, bh = np.split(bias, 3)
    h, states = np.zeros(units), []
    for date in range(x.shape[2]):
        c = convolve(branch.blocks[1], convolve(branch.blocks[0], x[:, :, date]))[0, 0]
        z = sigmoid(c @ wzx + h @ wzh + bz)
        r = sigmoid(c @ wrx + h @ wrh + br)
        h = z * h + (1 - z) * np.tanh(c @ whx + (r * h) @ w_state + bh)
        states.append(h)
    wa, ba, ua = (np.array(weight, float) for weight in branch.attention.get_weights())
    states = np.stack(states)
    return softmax(np.tanh(states @ wa + ba) @ ua) @ states


def dense(layer, x):
    kernel, bias = (np.array(weight, float) for weight in layer.get_weights())
    return x @ kernel + bias


def twinns(network, sensors, patches):
    count = len(next(iter(patches.values())))
    results = [
        _twinns(network, sensors, {name: values[index] for name, values in patches.items()}) for index in range(count)
    ]
    return {name: np.stack([result[name] for result in results]) for name in results[0]}


def _twinns(network, sensors, patch):
    features = {}
    for sensor in sensors:
        x = variables(sensor, patch[sensor.name].astype(float))
        features[f"{sensor.name}_cnn"] = cnn(network.get_layer(f"{sensor.name}_cnn_branch"), x)
        features[f"{sensor.name}_convgru"] = convgru(network.get_layer(f"{sensor.name}_convgru_branch"), x)
    outputs = {name: dense(network.get_layer(name), feature) for name, feature in features.items()}
    fused = np.concatenate(list(features.values()))
    for number in (1, 2):
        fused = np.maximum(dense(network.get_layer(f"fusion_{number}"), fused), 0)
    outputs["fusion"] = dense(network.get_layer("fusion"), fused)
    score = softmax(outputs["fusion"]) + 0.5 * sum(softmax(outputs[name]) for name in features)
    return {**outputs, "score": score / 3}
