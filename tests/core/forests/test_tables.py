"""What forests see, against the variables and the network's features in plain numpy."""

import numpy as np
import pytest

from twinns_qgis.forests.tables import NetworkTables, SeriesTables
from twinns_qgis.networks.architectures import architectures


def test_reunion_has_592_variables(make_sensors, make_values):
    sensors = make_sensors(24, 34)
    tables = SeriesTables(sensors, per_sensor=False)
    assert tables.variables == {"series": 592}
    assert tables(make_values(sensors, 1, 5, 5))["series"].shape == (1, 1, 1, 592)
    assert SeriesTables(sensors, per_sensor=True).variables == {"sentinel1": 48, "sentinel2": 544}


@pytest.mark.parametrize("per_sensor", [False, True])
def test_series_are_the_variables_at_the_centre_of_each_patch(make_sensors, make_values, equations, per_sensor):
    sensors = make_sensors(3, 4)
    raw = make_values(sensors, 2, 7, 9)
    expected = {
        sensor.name: equations.variables(sensor, raw[sensor.name].astype(float))[:, 2:-2, 2:-2].reshape(2, 3, 5, -1)
        for sensor in sensors
    }
    if not per_sensor:
        expected = {"series": np.concatenate([expected["sentinel1"], expected["sentinel2"]], axis=-1)}
    found = SeriesTables(sensors, per_sensor)(raw)
    assert list(found) == list(expected)
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-5)


def test_dates_with_a_missing_band_are_0(make_sensors, make_values):
    sensors = make_sensors(3, 4)
    raw = make_values(sensors, 1, 5, 5)
    raw["sentinel2"][0, 2, 2, 1, 3] = -32768
    found = SeriesTables(sensors, per_sensor=True)(raw)["sentinel2"].reshape(4, 16)
    assert not found[1].any()
    assert found[[0, 2, 3]].any(axis=1).all()


def test_features_are_those_of_the_equations(make_sensors, make_values, equations, randomise, assert_exact):
    sensors = make_sensors(2, 3)
    network = randomise(architectures()["TWINNS"].build(sensors, 4, "small"))
    raw = make_values(sensors, 3, 5, 5)
    found = NetworkTables(network)(raw)["features"][:, 0, 0]
    assert_exact({"features": found}, equations(network, sensors, raw))


def test_a_network_of_paper_size_has_3072_features(make_sensors):
    assert NetworkTables(architectures()["TWINNS"].build(make_sensors(2, 2), 4, "paper")).variables == {
        "features": 3072
    }
