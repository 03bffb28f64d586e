"""What the map knows about itself, against the scores of the model in plain numpy."""

import numpy as np
import pytest
import rasterio
from scipy.stats import entropy

from twinns_qgis.errors import InputError
from twinns_qgis.jobs.map_cover import MapCover
from twinns_qgis.jobs.train_model import TrainModel
from twinns_qgis.networks.calibration import calibrate
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import Series
from twinns_qgis.training.model_file import read_model


@pytest.fixture(scope="module")
def train(site, tmp_path_factory):
    """Returns a function that trains a method for an epoch, once."""
    folder, trained = tmp_path_factory.mktemp("models"), {}

    def make(method):
        if method not in trained:
            trained[method] = folder / f"{len(trained)}.twinns"
            TrainModel(
                sentinel1=site.sentinel1, sentinel2=site.sentinel2, polygons=str(site.polygons), class_field="code",
                method=method, size="small", epochs=1, trees="10", depths="5", model=trained[method],
            ).run(Reporter())  # fmt: skip
        return trained[method]

    return make


@pytest.fixture
def mapped(site, train, tmp_path):
    """Maps with a method; returns the rasters by name."""

    def run(method, *names, **more):
        outputs = {name: tmp_path / f"{name}.tif" for name in ("output", *names)}
        series = {"sentinel1": site.sentinel1, "sentinel2": site.sentinel2}
        MapCover(model=train(method), **series, **outputs, **more).run(Reporter())
        found = {}
        for name, path in outputs.items():
            with rasterio.open(path) as dataset:
                found[name] = dataset.read()
        return found

    return run


def raw_of(site):
    series = {"sentinel1": Series.open(site.sentinel1), "sentinel2": Series.open(site.sentinel2)}
    return {name: one.read(margin=2)[None] for name, one in series.items()}


@pytest.mark.parametrize("method", ["TWINNS", "RF"])
def test_entropy_and_margin_are_those_of_the_calibrated_scores(site, train, mapped, method):
    found = mapped(method, "uncertainty")
    model = read_model(train(method))
    scores = calibrate(model.classifier.scores(raw_of(site))[0], model.manifest.temperature).astype(float)
    two = np.sort(scores, axis=-1)[..., -2:]
    np.testing.assert_allclose(found["uncertainty"][0], 100 * entropy(scores, axis=-1) / np.log(3), atol=0.51)
    np.testing.assert_allclose(found["uncertainty"][1], 100 * (two[..., 1] - two[..., 0]), atol=0.51)


@pytest.mark.parametrize("method", ["TWINNS", "FullCNN"])
def test_the_class_by_each_sensor_is_that_of_its_own_classifiers(site, train, mapped, method):
    found = mapped(method, "sensor_classes")
    model = read_model(train(method))
    outputs = model.classifier.network.predict_on_batch(raw_of(site))
    codes = np.array([item.code for item in model.manifest.classes])
    for band, sensor in enumerate(("sentinel1", "sentinel2")):
        logits = [np.array(output[0], float) for name, output in outputs.items() if name.startswith(sensor)]
        powers = [np.exp(one - one.max(axis=-1, keepdims=True)) for one in logits]
        mean = np.mean([one / one.sum(axis=-1, keepdims=True) for one in powers], axis=0)
        two = np.sort(mean, axis=-1)[..., -2:]
        clear = two[..., 1] - two[..., 0] > 1e-4
        np.testing.assert_array_equal(found["sensor_classes"][band][clear], codes[mean.argmax(axis=-1)][clear])
    one, other, agreement = found["sensor_classes"]
    np.testing.assert_array_equal(agreement, np.where(one == other, 1, 2))


def test_the_map_is_the_same_with_and_without(mapped):
    alone = mapped("TWINNS")["output"]
    np.testing.assert_array_equal(mapped("TWINNS", "uncertainty", "sensor_classes")["output"], alone)


def test_clear_dates_go_with_the_uncertainty(site, mapped, tmp_path, write_raster):
    clear = np.arange(900, dtype="uint16").reshape(1, 30, 30)
    write_raster(tmp_path / "validity.tif", clear, resolution=20)
    found = mapped("RF", "uncertainty", validity=tmp_path / "validity.tif")["uncertainty"]
    np.testing.assert_array_equal(found[2], np.kron(np.minimum(clear[0], 254), np.ones((2, 2))))
    with rasterio.open(tmp_path / "uncertainty.tif") as dataset:
        assert dataset.descriptions == ("entropy", "margin", "number of clear dates")


@pytest.mark.parametrize("method", ["RF", "TWINNS(S1)"])
def test_methods_without_classifiers_on_both_sensors_are_refused(mapped, method):
    with pytest.raises(InputError, match="no classifiers on each of two sensors"):
        mapped(method, "sensor_classes")


def test_an_early_exit_has_no_class_by_each_sensor(mapped):
    with pytest.raises(InputError, match="don't go together"):
        mapped("TWINNS", "sensor_classes", early_exit="on")
