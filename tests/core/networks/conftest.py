"""Sensors as networks see them."""

from datetime import date, timedelta

import numpy as np
import pytest

from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.series.series import SENTINEL2_BANDS


def _dates(count):
    return tuple(date(2018, 1, 1) + timedelta(days=5 * number) for number in range(count))


@pytest.fixture
def make_sensors():
    """Returns a function from the numbers of Sentinel-1 and Sentinel-2 dates to both sensors."""

    def make(sentinel1_dates, sentinel2_dates):
        return (
            Sensor(
                "sentinel1", _dates(sentinel1_dates), ("VV", "VH"), (0.1, 0.1), (-25.1, -32.1), 0.0, "uint8",
                (-25.0, -32.0), (0.4, -6.6),
            ),
            Sensor(
                "sentinel2", _dates(sentinel2_dates), SENTINEL2_BANDS, (1e-4,) * 10, (0.0,) * 10, -32768.0, "int16",
                (0.0,) * 10 + (-1.0, -1.0, 0.0, -1.0, -1.0, -1.0), (0.7,) * 10 + (1.0, 1.0, 2.2, 1.0, 1.0, 1.0),
            ),
        )  # fmt: skip

    return make


@pytest.fixture
def make_values():
    """Returns a function from sensors and the size of a block to random raw values."""

    def make(sensors, samples, height, width, seed=0):
        random = np.random.default_rng(seed)
        highest = {"uint8": 255, "int16": 7000}
        return {
            sensor.name: random.integers(
                1, highest[sensor.dtype], (samples, height, width, len(sensor.dates), len(sensor.bands))
            ).astype(sensor.dtype)
            for sensor in sensors
        }

    return make


# Equations 2-12 in float64, one patch of shape (5, 5, T, V) at a time.


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum()


def variables(sensor, raw):
    values = raw * np.array(sensor.scale) + np.array(sensor.offset)
    if "B8A" in sensor.bands:
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
    for step in range(x.shape[2]):
        c = convolve(branch.blocks[1], convolve(branch.blocks[0], x[:, :, step]))[0, 0]
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


@pytest.fixture
def equations():
    """The equations in float64: a function from a network, its sensors and patches to all outputs, and its parts."""
    return Equations()


class Equations:
    def __call__(self, network, sensors, patches):
        return _all_patches(network, sensors, patches)

    def __getattr__(self, name):
        return globals()[name]


@pytest.fixture
def randomise():
    """Returns a function that gives a network random weights and random batch normalisation statistics."""
    return _randomise


def _randomise(network, seed=1):
    random = np.random.default_rng(seed)
    for weight in network.weights:
        spread = 1 / np.sqrt(np.prod(weight.shape[:-1]) or 1)
        values = random.normal(0, max(spread, 0.05), weight.shape)
        if any(part in weight.path for part in ("gamma", "moving_variance")):
            values = random.uniform(0.5, 1.5, weight.shape)
        weight.assign(values)
    return network


def _all_patches(network, sensors, patches):
    count = len(next(iter(patches.values())))
    results = [
        _one_patch(network, sensors, {name: values[index] for name, values in patches.items()})
        for index in range(count)
    ]
    return {name: np.stack([result[name] for result in results]) for name in results[0]}


def _one_patch(network, sensors, patch):
    """What one patch of each sensor, of shape (5, 5, T, B), gives."""
    names = {layer.name for layer in network.layers}
    features, outputs = {}, {}
    for sensor in sensors:
        x = variables(sensor, patch[sensor.name].astype(float))
        for branch, function in (("cnn", cnn), ("convgru", convgru)):
            name = f"{sensor.name}_{branch}"
            if f"{name}_branch" in names:
                features[f"{name}_branch"] = function(network.get_layer(f"{name}_branch"), x)
            if name in names:
                outputs[name] = dense(network.get_layer(name), features[f"{name}_branch"])
    features["features"] = np.concatenate(list(features.values()))
    fused = features["features"]
    for number in (1, 2):
        fused = np.maximum(dense(network.get_layer(f"fusion_{number}"), fused), 0)
    fusion = dense(network.get_layer("fusion"), fused)
    score = softmax(fusion) + 0.5 * sum(softmax(logits) for logits in outputs.values())
    return {**outputs, "fusion": fusion, "score": score / (1 + 0.5 * len(outputs)), **features}
