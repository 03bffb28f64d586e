"""Models for the tiny site: a network with random weights, and a forest, which is faster."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import rasterio
from sklearn.ensemble import RandomForestClassifier

from twinns_qgis.forests.trained import TrainedForests
from twinns_qgis.methods import Method
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.networks.trained import TrainedNetwork
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.series.series import Series
from twinns_qgis.training.manifest import Manifest
from twinns_qgis.training.model_file import read_model, write_model

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
    manifest = Manifest(Method.of("TWINNS"), "small", tuple(sensors), tuple(classes))
    path = tmp_path_factory.mktemp("model") / "random.twinns"
    write_model(path, manifest, TrainedNetwork(manifest.build()), [])
    return path


@pytest.fixture(scope="session")
def forest_model(random_model, site, tmp_path_factory):
    """A model file of METHOD RF: a forest fitted on every seventh pixel."""
    manifest = replace(read_model(random_model).manifest, method=Method.of("RF"))
    tables = manifest.method.tables(manifest.sensors, None)
    series = {name: Series.open(getattr(site, name)) for name in ("sentinel1", "sentinel2")}
    raw = {name: one.read(margin=2)[None] for name, one in series.items()}
    table = np.asarray(tables(raw)["series"]).reshape(3600, -1)[::7]
    forest = RandomForestClassifier(20, max_depth=4, random_state=0).fit(table, site.truth.ravel()[::7])
    path = tmp_path_factory.mktemp("model") / "forest.twinns"
    write_model(path, manifest, TrainedForests(tables, {"series": forest}), [])
    return path


@pytest.fixture(scope="session")
def wide_site(site, forest_model, tmp_path_factory):
    """Model, series and MEMORY of a site of 180 x 180 pixels, whose map takes 36 blocks."""
    folder = tmp_path_factory.mktemp("wide")
    paths = {name: folder / f"{name}.tif" for name in ("sentinel1", "sentinel2")}
    for name, path in paths.items():
        with rasterio.open(getattr(site, name)) as small:
            profile = {**small.profile, "width": 180, "height": 180}
            with rasterio.open(path, "w", **profile) as wide:
                wide.write(np.tile(small.read(), (1, 3, 3)))
                wide.descriptions, wide.scales, wide.offsets = small.descriptions, small.scales, small.offsets
    return {"model": forest_model, **paths, "memory": 1}
