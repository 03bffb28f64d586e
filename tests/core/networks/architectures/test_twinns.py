"""TWINNS and its ablations: their sizes, parts, losses and gradients, and a sensor more."""

import math
from datetime import date

import keras
import numpy as np
import pytest

from twinns_qgis.networks.architectures import architectures
from twinns_qgis.networks.architectures.twinns import METHODS
from twinns_qgis.networks.classifiers import SCORE, loss_weights
from twinns_qgis.networks.sensor import Sensor


def trainable(network):
    return sum(math.prod(weight.shape) for weight in network.trainable_weights)


def seen(method, sensors):
    return [sensor for sensor in sensors if architectures()[method].sees(sensor.name)]


def build(method, sensors, classes=5, size="small"):
    return architectures()[method].build(seen(method, sensors), classes, size)


@pytest.mark.parametrize(
    ("sentinel1_dates", "sentinel2_dates", "classes", "parameters"),
    [(24, 34, 13, 29_253_697), (29, 23, 8, 28_445_224)],
    ids=["Reunion", "Koumbia"],
)
def test_paper_size_has_the_parameters_of_the_method(
    make_sensors, sentinel1_dates, sentinel2_dates, classes, parameters
):
    network = build("TWINNS", make_sensors(sentinel1_dates, sentinel2_dates), classes, "paper")
    assert trainable(network) == parameters


@pytest.fixture
def network(make_sensors, randomise):
    """A small network with random weights and random batch normalisation statistics."""
    return randomise(build("TWINNS", make_sensors(3, 4)))


@pytest.mark.parametrize(
    ("method", "classifiers", "branches"),
    [
        ("TWINNS", 5, 4),
        ("TWINNS(S1)", 3, 2),
        ("TWINNS(S2)", 3, 2),
        ("FullCNN", 3, 2),
        ("FullRNN", 3, 2),
        ("TWINNSNoAux", 1, 4),
    ],
)
def test_an_ablation_lacks_what_its_name_says(method, classifiers, branches, make_sensors):
    network = build(method, make_sensors(3, 4))
    assert len(loss_weights(network)) == classifiers
    assert sum(layer.name.endswith("_branch") for layer in network.layers) == branches
    kinds = {layer.name.split("_")[-2] for layer in network.layers if layer.name.endswith("_branch")}
    assert kinds == {"FullCNN": {"cnn"}, "FullRNN": {"convgru"}}.get(method, {"cnn", "convgru"})
    assert set(network.input) == {"TWINNS(S1)": {"sentinel1"}, "TWINNS(S2)": {"sentinel2"}}.get(
        method, {"sentinel1", "sentinel2"}
    )


def test_a_third_sensor_is_a_matter_of_description(make_sensors, make_values, equations, randomise, assert_exact):
    thermal = Sensor(
        "landsat_thermal",
        (date(2018, 2, 1), date(2018, 7, 1)),
        ("B10",),
        (0.1,),
        (0.0,),
        0.0,
        "int16",
        (10.0,),
        (400.0,),
    )
    sensors = (*make_sensors(2, 3), thermal)
    network = randomise(build("TWINNS", sensors))
    patches = make_values(sensors, 3, 5, 5)
    found = network.predict_on_batch(patches)
    assert len(loss_weights(network)) == 7
    assert_exact({name: values[:, 0, 0] for name, values in found.items()}, equations(network, sensors, patches))


@pytest.mark.parametrize("method", METHODS)
def test_gradients_reach_every_weight(method, make_sensors, make_values):
    network = build(method, make_sensors(3, 4))
    network.compile(
        optimizer=keras.optimizers.SGD(1.0),
        loss=dict.fromkeys(loss_weights(network), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        | {SCORE: None},
    )
    before = [np.array(weight) for weight in network.trainable_weights]
    patches = make_values(seen(method, make_sensors(3, 4)), 32, 5, 5)
    labels = np.arange(32).reshape(-1, 1, 1) % 5
    network.train_on_batch(patches, dict.fromkeys((*loss_weights(network), SCORE), labels))
    for weight, old in zip(network.trainable_weights, before, strict=True):
        assert np.abs(np.array(weight) - old).max() > 0, weight.path


def test_patches_and_blocks_give_equal_outputs(network, make_sensors, make_values):
    block = make_values(make_sensors(3, 4), 1, 9, 11)
    patches = {
        name: np.stack([values[0, row : row + 5, column : column + 5] for row in range(5) for column in range(7)])
        for name, values in block.items()
    }
    whole, single = network.predict_on_batch(block), network.predict_on_batch(patches)
    for name in whole:
        np.testing.assert_allclose(whole[name][0].reshape(35, -1), single[name][:, 0, 0], atol=1e-5, err_msg=name)


def test_score_sums_to_one(network, make_sensors, make_values):
    score = network.predict_on_batch(make_values(make_sensors(3, 4), 4, 5, 5))[SCORE]
    np.testing.assert_allclose(score.sum(axis=-1), 1, atol=1e-6)


def test_loss_weights_are_those_of_equation_11(network):
    weights = loss_weights(network)
    assert weights.pop("fusion") == 1
    assert set(weights.values()) == {0.5}
    assert len(weights) == 4


def test_missing_values_do_not_reach_the_network(network, make_sensors, make_values):
    values = make_values(make_sensors(3, 4), 1, 5, 5)
    values["sentinel2"][:] = -32768
    assert np.isfinite(network.predict_on_batch(values)[SCORE]).all()
