"""Maps of forests, against scikit-learn on the table of all pixels, made by plain numpy."""

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from twinns_qgis.mapping import choice as choice_module
from twinns_qgis.mapping.choice import Choice
from twinns_qgis.mapping.cover import CoverOutputs, Scene, map_cover
from twinns_qgis.mapping.sizes import Sizes
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.series import Series
from twinns_qgis.training.model_file import read_model


@pytest.fixture(scope="module")
def series(site):
    return {name: Series.open(getattr(site, name)) for name in ("sentinel1", "sentinel2")}


@pytest.fixture(scope="module")
def model(forest_model):
    return read_model(forest_model)


@pytest.fixture
def run(model, series, listener, tmp_path):
    def run(name="map"):
        path = tmp_path / f"{name}.tif"
        scene, machine = Scene(series, {}, Window(0, 0, 60, 60)), Machine(2048)
        map_cover(model, scene, CoverOutputs(path), machine=machine, choice=Choice(), tags={}, reporter=listener)
        with rasterio.open(path) as dataset:
            return dataset.read(1)

    return run


def test_the_map_holds_what_scikit_learn_predicts_at_each_pixel(run, model, series):
    columns = []
    for sensor in model.manifest.sensors:
        values = series[sensor.name].read().astype(float) * np.array(sensor.scale) + np.array(sensor.offset)
        if sensor.name == "sentinel2":
            b = dict(zip(sensor.bands, np.moveaxis(values, -1, 0), strict=True))
            pairs = [("B8", "B4"), ("B3", "B8"), ("B8", "B11"), ("B3", "B11"), ("B8", "B5")]
            indices = [(b[one] - b[other]) / (b[one] + b[other]) for one, other in pairs]
            indices.insert(2, np.sqrt((values**2).sum(axis=-1)))
            values = np.concatenate([values, np.stack(indices, axis=-1)], axis=-1)
        low, high = np.array(sensor.minimum), np.array(sensor.maximum)
        columns.append(((values - low) / (high - low)).reshape(3600, -1))
    predicted = model.classifier.forests["series"].predict(np.concatenate(columns, axis=1).astype(np.float32))
    expected = np.array([10, 20, 30])[predicted].reshape(60, 60)
    # Rounding differs between float32 and float64: a value may lie on the other side of a threshold, once in a while.
    assert (run() == expected).mean() > 0.999


@pytest.mark.parametrize("side", [8, 37])
def test_the_map_does_not_depend_on_the_block_size(run, monkeypatch, side):
    whole = run()
    monkeypatch.setattr(choice_module, "choose_sizes", lambda *arguments: Sizes((32, 48), side, 100))
    np.testing.assert_array_equal(run("blocks"), whole)
