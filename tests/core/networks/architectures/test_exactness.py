"""TWINNS and its ablations against equations 2-12 in plain numpy and float64."""

import keras
import numpy as np
import pytest

from twinns_qgis.networks.architectures import architectures
from twinns_qgis.networks.architectures.twinns import METHODS
from twinns_qgis.networks.attention import Attention
from twinns_qgis.networks.classifiers import FEATURES


@pytest.fixture
def make_network(make_sensors, randomise):
    """Returns a function that builds a network with random weights and statistics, and tells which sensors it sees."""

    def make(method, size, dates, classes=5):
        sensors = [sensor for sensor in make_sensors(*dates) if architectures()[method].sees(sensor.name)]
        return randomise(architectures()[method].build(sensors, classes, size)), sensors

    return make


def all_outputs(network, values):
    """The classifiers' outputs, the score and all features of each pixel, by name."""
    insides = [FEATURES, *(layer.name for layer in network.layers if layer.name.endswith("_branch"))]
    outputs = {**network.output, **{name: network.get_layer(name).output for name in insides}}
    found = keras.Model(network.input, outputs).predict_on_batch(values)
    return {name: output.reshape(-1, output.shape[-1]) for name, output in found.items()}


def patches_of(block):
    """The patch of each pixel of a block of shape (1, H, W, T, B)."""
    height, width = (side - 4 for side in next(iter(block.values())).shape[1:3])
    return {
        name: np.stack([raw[0, row : row + 5, col : col + 5] for row in range(height) for col in range(width)])
        for name, raw in block.items()
    }


@pytest.mark.parametrize("method", METHODS)
def test_outputs_and_features_follow_the_equations(method, make_network, make_values, equations, assert_exact):
    network, sensors = make_network(method, "small", (3, 4))
    patches = make_values(sensors, 6, 5, 5)
    assert_exact(all_outputs(network, patches), equations(network, sensors, patches))


def test_paper_size_follows_the_equations_in_blocks_and_in_patches(make_network, make_values, equations, assert_exact):
    network, sensors = make_network("TWINNS", "paper", (24, 34), classes=13)
    block = make_values(sensors, 1, 6, 6)
    expected = equations(network, sensors, patches_of(block))
    assert_exact(all_outputs(network, block), expected)
    assert_exact(all_outputs(network, patches_of(block)), expected)


def test_attention_weights_follow_the_equations_and_sum_to_one(
    make_network, make_values, equations, assert_exact, monkeypatch
):
    weighed = {}
    compute = Attention.weights_over_dates

    def compute_and_keep(layer, states):
        weighed[layer] = compute(layer, states)
        return weighed[layer]

    network, sensors = make_network("FullRNN", "paper", (24, 34))
    patches = make_values(sensors, 3, 5, 5)
    monkeypatch.setattr(Attention, "weights_over_dates", compute_and_keep)
    network(patches)  # at once, not compiled: the weights are numbers
    found = {}
    for sensor in sensors:
        weights = weighed[network.get_layer(f"{sensor.name}_convgru_branch").attention]
        found[f"{sensor.name}_attention"] = keras.ops.convert_to_numpy(weights)[:, :, 0, 0].T
    assert_exact(found, equations(network, sensors, patches))
    for weights in found.values():
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
        assert weights.max() > 2 / weights.shape[1], "the dates differ in weight"
