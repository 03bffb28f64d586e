"""Dropout: the share it drops, what it leaves, that no value's fate tells another's."""

import keras
import numpy as np
import pytest

from twinns_qgis.networks.dropout import Dropout

VALUES = np.ones((64, 3, 3, 128), "float32")


def dropped_by(rate, values=VALUES, training=True):
    return keras.ops.convert_to_numpy(Dropout(rate)(values, training=training))


@pytest.mark.parametrize("rate", [0.1, 0.4, 0.9])
def test_share_of_values_is_dropped_and_the_rest_scaled(rate):
    found = dropped_by(rate)
    assert np.mean(found == 0) == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / VALUES.size))
    np.testing.assert_allclose(found[found != 0], 1 / (1 - rate), rtol=1e-4)


def test_values_are_dropped_independently_of_their_neighbours():
    kept = (dropped_by(0.4) != 0).astype(float) - 0.6
    for axis in range(kept.ndim):
        for lag in (1, 2):
            here, there = np.moveaxis(kept, axis, 0)[:-lag], np.moveaxis(kept, axis, 0)[lag:]
            assert abs(np.mean(here * there)) < 4 * 0.24 / np.sqrt(here.size)


@pytest.mark.parametrize("channels", [1, 7])
def test_an_odd_number_of_channels_is_dropped_as_well(channels):
    found = dropped_by(0.4, np.ones((5000, channels), "float32"))
    assert np.mean(found == 0, axis=0) == pytest.approx(np.full(channels, 0.4), abs=0.035)


def test_each_call_draws_anew():
    layer = Dropout(0.4)
    first, second = (keras.ops.convert_to_numpy(layer(VALUES, training=True)) for _ in range(2))
    assert np.mean((first == 0) == (second == 0)) == pytest.approx(0.4**2 + 0.6**2, abs=0.01)


@pytest.mark.parametrize(("rate", "training"), [(0.4, False), (0.4, None), (0.0, True)])
def test_nothing_is_dropped_outside_training_or_at_rate_0(rate, training):
    np.testing.assert_array_equal(dropped_by(rate, training=training), VALUES)


def test_needs_no_building_which_keras_would_do_at_every_prediction_with_jax():
    assert Dropout(0.4).built
