"""A model with random weights for the tiny site."""

from dataclasses import replace

import keras
import pytest

from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.series.series import Series
from twinns_qgis.training.model_file import Manifest, write_model

RANGES = {
    "sentinel1": ((-25.0, -32.0), (0.4, -6.6)),
    "sentinel2": ((0.0,) * 10 + (-1.0, -1.0, 0.0, -1.0, -1.0, -1.0), (0.7,) * 10 + (1.0, 1.0, 2.2, 1.0, 1.0, 1.0)),
}


@pytest.fixture(scope="session")
def random_model(site, tmp_path_factory):
    """A model file whose network has random weights, so that it maps all classes."""
    keras.utils.set_random_seed(3)
    sensors = [
        replace(Sensor.of(name, Series.open(getattr(site, name))), minimum=minimum, maximum=maximum)
        for name, (minimum, maximum) in RANGES.items()
    ]
    classes = [LandCoverClass(code, name, "#123456") for code, name in [(10, "water"), (20, "wheat"), (30, "wood")]]
    manifest = Manifest("TWINNS", "small", tuple(sensors), tuple(classes))
    path = tmp_path_factory.mktemp("model") / "random.twinns"
    write_model(path, manifest, TrainedNetwork(manifest.build()), [])
    return path
