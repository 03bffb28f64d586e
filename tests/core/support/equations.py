"""Fixtures of networks: sensors as they see them, random values, and equations 2-12 in float64."""

import math
from datetime import date, timedelta

import numpy as np
import pytest

from twinns_qgis.series.series import SENTINEL2_BANDS


def _dates(count):
    return tuple(date(2018, 1, 1) + timedelta(days=5 * number) for number in range(count))


@pytest.fixture
def make_sensors():
    """Returns a function from the numbers of Sentinel-1 and Sentinel-2 dates to both sensors."""
    from twinns_qgis.networks.sensor import Sensor  # loads Keras, which other tests do without

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


# Equations 2-12 in float64, on patches of shape (N, 5, 5, T, V).


def weights(layer):
    return [np.array(weight, float) for weight in layer.get_weights()]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def variables(sensor, raw):
    values = raw * np.array(sensor.scale) + np.array(sensor.offset)
    if "B8A" in sensor.bands:
        b = {name: values[..., position] for position, name in enumerate(sensor.bands)}
        differences = [
            np.clip((b[first] - b[second]) / (b[first] + b[second]), -1, 1)
            for first, second in [("B8", "B4"), ("B3", "B8"), ("B8", "B11"), ("B3", "B11"), ("B8", "B5")]
        ]
        differences.insert(2, np.sqrt((values**2).sum(axis=-1)))
        values = np.concatenate([values, np.stack(differences, axis=-1)], axis=-1)
    low, high = np.array(sensor.minimum), np.array(sensor.maximum)
    return (values - low) / (high - low)


def convolve(block, x):
    """Valid convolution, ReLU, batch normalisation in inference; x of shape (..., H, W, C)."""
    kernel, bias = weights(block.convolution)
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(-3, -2))
    y = np.tensordot(windows, kernel, axes=((-2, -1, -3), (0, 1, 2))) + bias
    gamma, beta, mean, variance = weights(block.normalisation)
    return gamma * (np.maximum(y, 0) - mean) / np.sqrt(variance + block.normalisation.epsilon) + beta


def cnn(branch, x):
    x = x.reshape(*x.shape[:3], -1)
    for block in branch.blocks:
        x = convolve(block, x)
    return x[:, 0, 0]


def convgru(branch, x):
    """Returns the branch's output and the attention weights, of shape (N, T)."""
    x = np.moveaxis(x, 3, 0)
    for block in branch.blocks:
        x = convolve(block, x)
    w_input, w_gates, w_state, bias = weights(branch.recurrence)
    wzx, wrx, whx = np.split(w_input, 3, axis=1)
    wzh, wrh = np.split(w_gates, 2, axis=1)
    bz, br, bh = np.split(bias, 3)
    h, states = np.zeros((x.shape[1], w_state.shape[0])), []
    for c in x[:, :, 0, 0]:
        z = sigmoid(c @ wzx + h @ wzh + bz)
        r = sigmoid(c @ wrx + h @ wrh + br)
        h = z * h + (1 - z) * np.tanh(c @ whx + (r * h) @ w_state + bh)
        states.append(h)
    states = np.stack(states, axis=1)
    wa, ba, ua = weights(branch.attention)
    attention = softmax(np.tanh(states @ wa + ba) @ ua)
    return (attention[..., None] * states).sum(axis=1), attention


def dense(layer, x):
    kernel, bias = weights(layer)
    return x @ kernel + bias


@pytest.fixture
def equations():
    """The equations in float64: a function from a network, its sensors and patches to all outputs, and its parts."""
    return Equations()


class Equations:
    def __call__(self, network, sensors, patches):
        return _all_outputs(network, sensors, patches)

    def __getattr__(self, name):
        return globals()[name]


def _all_outputs(network, sensors, patches):
    """What patches of each sensor, of shape (N, 5, 5, T, B), give; attention weights as `SENSOR_attention`."""
    names = {layer.name for layer in network.layers}
    features, attention, heads = {}, {}, {}
    for sensor in sensors:
        x = variables(sensor, patches[sensor.name].astype(float))
        for kind in ("cnn", "convgru"):
            head, branch = f"{sensor.name}_{kind}", f"{sensor.name}_{kind}_branch"
            if branch not in names:
                continue
            if kind == "cnn":
                features[branch] = cnn(network.get_layer(branch), x)
            else:
                features[branch], attention[f"{sensor.name}_attention"] = convgru(network.get_layer(branch), x)
            if head in names:
                heads[head] = dense(network.get_layer(head), features[branch])
    features["features"] = np.concatenate(list(features.values()), axis=-1)
    fused = features["features"]
    for number in (1, 2):
        fused = np.maximum(dense(network.get_layer(f"fusion_{number}"), fused), 0)
    fusion = dense(network.get_layer("fusion"), fused)
    score = softmax(fusion) + 0.5 * sum(softmax(logits) for logits in heads.values())
    return {**heads, "fusion": fusion, "score": score / (1 + 0.5 * len(heads)), **features, **attention}


@pytest.fixture
def randomise():
    """Returns a function that gives a network random weights and random batch normalisation statistics.

    Kernels are scaled so that what comes out of a layer is about as large as what goes in; so values are about 1.
    """
    return _randomise


def _randomise(network, seed=1):
    random = np.random.default_rng(seed)
    for weight in network.weights:
        if any(part in weight.path for part in ("gamma", "moving_variance")):
            values = random.uniform(0.5, 1.5, weight.shape)
        else:
            fan_in = math.prod(weight.shape[:-1])
            values = random.normal(0, 0.3 if len(weight.shape) == 1 else math.sqrt(2 / fan_in), weight.shape)
        weight.assign(values)
    return network


@pytest.fixture
def assert_exact():
    """Returns a function that compares float32 outputs with those of the equations, by name.

    Errors are measured by the largest value of an output: an element near 0, where larger terms cancel, has no more
    right digits than they have.
    """

    def check(found, expected):
        for name, values in found.items():
            assert values.shape == expected[name].shape, name
            error = np.abs(values - expected[name]).max() / np.abs(expected[name]).max()
            assert error < 1e-5, f"{name}: {error:.1e}"

    return check
