"""What the map knows about itself, against the scores of the model in plain numpy."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from scipy.stats import entropy

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.jobs.map_cover import MapCover
from twinns_qgis.jobs.train_model import TrainModel
from twinns_qgis.mapping import choice
from twinns_qgis.mapping.layouts import class_names
from twinns_qgis.mapping.sizes import Sizes
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
def mapped(site, train, tmp_path, listener):
    """Maps with a method; returns the rasters by name."""

    def run(method, *names, reporter=listener, **more):
        outputs = {name: tmp_path / f"{name}.tif" for name in ("output", *names)}
        settings = {"sentinel1": site.sentinel1, "sentinel2": site.sentinel2, **outputs, **more}
        MapCover(model=train(method), **settings).run(reporter)
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


@pytest.fixture
def clear(tmp_path, write_raster):
    """A raster of clear dates on the grid of the series: 0 in its first row, 3 elsewhere."""
    counts = np.full((1, 60, 60), 3, "uint16")
    counts[:, 0] = 0
    write_raster(tmp_path / "clear.tif", counts)
    return tmp_path / "clear.tif"


@pytest.mark.parametrize(("told", "first"), [("|crs=EPSG:32631", 0), ("|nodata=0", 255)])
def test_clear_dates_are_read_as_qgis_has_them(mapped, clear, told, first):
    found = mapped("RF", "uncertainty", validity=Path(f"{clear}{told}"))["uncertainty"][2]
    np.testing.assert_array_equal(found[0], first)
    np.testing.assert_array_equal(found[1:], 3)


def test_what_holds_no_clear_dates_of_the_map_is_refused(mapped, clear, site, tmp_path, write_raster):
    write_raster(tmp_path / "far.tif", np.ones((1, 60, 60), "uint16"), origin=(700000, 5600000))
    refused = [
        (tmp_path / "nowhere.tif", "nowhere.tif does not exist"),
        (tmp_path / "far.tif", "far.tif, does not overlap the map"),
        (site.sentinel2, "has 50 bands; the number of clear dates is a single one"),
    ]
    for path, message in refused:
        with pytest.raises(InputError, match=message):
            mapped("RF", "uncertainty", validity=path)


def test_clear_dates_without_an_uncertainty_are_told_to_be_of_no_use(mapped, clear, listener):
    mapped("RF", validity=clear)
    assert listener.warnings == ["VALIDITY is not used: it goes with UNCERTAINTY, which is not asked for."]


def test_pixels_that_are_not_mapped_are_no_data_in_every_band(site, mapped, make_series, clear):
    raw = Series.open(site.sentinel1).read()
    raw[5:8, 9] = 0
    holes = make_series("holes.tif", raw)
    found = mapped("TWINNS", "uncertainty", "sensor_classes", sentinel1=holes, validity=clear)
    expected = np.zeros((60, 60), bool)
    expected[5:8, 9] = True
    for name, nodata in (("output", 0), ("uncertainty", 255), ("sensor_classes", 0)):
        for band in found[name]:
            np.testing.assert_array_equal(band == nodata, expected)


def test_the_class_by_each_sensor_has_the_names_of_the_map(mapped, tmp_path):
    mapped("TWINNS", "sensor_classes")
    with rasterio.open(tmp_path / "sensor_classes.tif") as classes, rasterio.open(tmp_path / "output.tif") as cover:
        assert class_names(classes) == class_names(cover) != {}
        assert classes.descriptions == ("class by Sentinel-1", "class by Sentinel-2", "agreement: 1 yes, 2 no")


def test_a_stopped_call_goes_on_with_every_raster(mapped, clear, listener, monkeypatch):
    monkeypatch.setattr(choice, "choose_sizes", lambda *arguments: Sizes((16, 16), 16, 100))
    wanted = ("TWINNS", "uncertainty", "sensor_classes")
    expected = mapped(*wanted, validity=clear)

    class Stops(Reporter):
        cancelled = False

        def progress(self, fraction, message=""):
            self.cancelled |= "3 of 16 blocks" in message

    with pytest.raises(Cancelled, match="of 16 blocks are kept"):
        mapped(*wanted, validity=clear, reporter=Stops())
    clear.rename(clear.with_name("moved.tif"))  # it is known by its content
    found = mapped(*wanted, validity=clear.with_name("moved.tif"))
    assert any("blocks are there from a call that was stopped" in message for message in listener.messages)
    for name, raster in expected.items():
        np.testing.assert_array_equal(found[name], raster)


def test_other_clear_dates_start_anew(mapped, clear, listener, monkeypatch, write_raster):
    monkeypatch.setattr(choice, "choose_sizes", lambda *arguments: Sizes((16, 16), 16, 100))

    class Stops(Reporter):
        cancelled = False

        def progress(self, fraction, message=""):
            self.cancelled |= "3 of 16 blocks" in message

    with pytest.raises(Cancelled):
        mapped("RF", "uncertainty", validity=clear, reporter=Stops())
    write_raster(clear, np.full((1, 60, 60), 7, "uint16"))
    found = mapped("RF", "uncertainty", validity=clear)["uncertainty"]
    assert (found[2] == 7).all()
    assert any("differs in contents (validity)" in message for message in listener.warnings)


@pytest.mark.parametrize("method", ["RF", "RF(TWINNS)", "TWINNS(S1)", "TWINNSNoAux"])
def test_methods_without_classifiers_on_both_sensors_are_refused_before_the_series_are_read(mapped, method, tmp_path):
    with pytest.raises(InputError, match="no classifiers on each of two sensors"):
        mapped(method, "sensor_classes", sentinel1=tmp_path / "unread.tif")


def test_an_early_exit_has_no_class_by_each_sensor(mapped):
    with pytest.raises(InputError, match="don't go together"):
        mapped("TWINNS", "sensor_classes", early_exit="on")
