"""Rasters without dates, from training to the map: they are used, kept in the model, and asked for again."""

import geopandas
import numpy as np
import pytest
import rasterio

from twinns_qgis.errors import InputError
from twinns_qgis.files import sha256_of
from twinns_qgis.jobs.map_cover import MapCover
from twinns_qgis.jobs.train_model import TrainModel
from twinns_qgis.reporter import Reporter
from twinns_qgis.training.model_file import read_model

LOW, HIGH = 100.0, 500.0
FIELD = 10


@pytest.fixture(scope="module")
def hills(site, tmp_path_factory):
    """Fields whose classes no sensor tells apart: the elevation alone does, at 20 m, and with a gap."""
    folder = tmp_path_factory.mktemp("hills")
    high = np.random.default_rng(1).permuted(np.arange(36) % 2).reshape(6, 6)
    elevation = np.kron(np.where(high, HIGH, LOW), np.ones((FIELD // 2, FIELD // 2))).astype("float32")
    elevation[:2, :2] = -9999
    profile = {"driver": "GTiff", "count": 1, "height": 30, "width": 30, "dtype": "float32", "nodata": -9999}
    with rasterio.open(site.sentinel2) as series:
        transform = series.transform @ series.transform.scale(2)
        profile |= {"crs": series.crs, "transform": transform}
    for name in ("elevation", "other"):
        with rasterio.open(folder / f"{name}.tif", "w", **profile) as dataset:
            dataset.write(elevation, 1)
    fields = geopandas.read_file(site.polygons)
    fields["name"] = np.where(high.ravel(), "hill", "valley")  # the site writes them row by row
    fields.to_file(folder / "fields.gpkg")
    return folder, np.kron(high, np.ones((FIELD, FIELD), int))


@pytest.fixture(scope="module")
def settings(site, hills):
    return {
        "sentinel1": site.sentinel1,
        "sentinel2": site.sentinel2,
        "polygons": str(hills[0] / "fields.gpkg"),
        "class_field": "name",
        "size": "small",
        "epochs": 8,
        "trees": "20",
        "depths": "20",
    }


@pytest.fixture(scope="module")
def model(settings, hills):
    """A network that was trained with the elevation."""
    path = hills[0] / "model.twinns"
    TrainModel(**settings, static=(hills[0] / "elevation.tif",), model=path).run(Reporter())
    return path


@pytest.mark.parametrize(("method", "expected"), [("RF", 0.95), ("RFLF", 0.85)])
def test_forests_tell_classes_apart_by_elevation_alone(settings, hills, tmp_path, method, expected):
    with_it = {"static": (hills[0] / "elevation.tif",)}
    found = [
        TrainModel(**settings, **given, method=method, model=tmp_path / "model.twinns").run(Reporter())["accuracy"]
        for given in ({}, with_it)
    ]
    assert found[0] < 0.8
    assert found[1] > expected, "of RFLF's forests two guess, and one knows"


def test_a_network_tells_classes_apart_by_elevation_alone(model):
    assert read_model(model).manifest.measures["accuracy"] > 0.95


@pytest.mark.parametrize("method", ["TWINNS(S1)", "FullRNN", "2ConvLSTM", "RF(TWINNS)"])
def test_every_method_takes_them(settings, hills, tmp_path, method):
    few = {**settings, "epochs": 1, "static": (hills[0] / "elevation.tif",), "model": tmp_path / "model.twinns"}
    TrainModel(**few, method=method).run(Reporter())
    sensors = {sensor.name: sensor for sensor in read_model(tmp_path / "model.twinns").manifest.sensors}
    assert sensors["static"].minimum == (LOW,)
    assert sensors["static"].maximum == (HIGH,)
    given = {name: settings[name] for name in ("sentinel1", "sentinel2")}
    MapCover(model=few["model"], **given, static=few["static"], output=tmp_path / "map.tif").run(Reporter())


def test_the_model_keeps_them_and_the_map_uses_them(model, settings, hills, tmp_path):
    manifest = read_model(model).manifest
    assert manifest.sensors[-1].bands == ("elevation",)
    assert manifest.inputs["static 1"] == sha256_of(hills[0] / "elevation.tif")
    assert f"--static={hills[0] / 'elevation.tif'}" in manifest.settings["call"]
    given = {name: settings[name] for name in ("sentinel1", "sentinel2")}
    MapCover(model=model, **given, static=(hills[0] / "elevation.tif",), output=tmp_path / "map.tif").run(Reporter())
    with rasterio.open(tmp_path / "map.tif") as dataset:
        mapped = dataset.read(1)
    assert mapped.all(), "where the elevation has a gap, the series are mapped all the same"
    codes = {item.name: item.code for item in manifest.classes}
    inner = np.s_[FIELD:, FIELD:]
    assert (mapped == np.where(hills[1], codes["hill"], codes["valley"]))[inner].mean() > 0.85


def test_an_early_exit_is_not_for_what_elevation_alone_is_sure_of(model, settings, hills, tmp_path, listener):
    given = {name: settings[name] for name in ("sentinel1", "sentinel2")}
    how = {"early_exit": "on", "agreement": 50.0, "static": (hills[0] / "elevation.tif",)}
    MapCover(model=model, **given, **how, output=tmp_path / "map.tif").run(listener)
    assert any("Early exit" in message for message in listener.messages)


def test_mapping_without_them_is_refused(model, settings, tmp_path):
    given = {name: settings[name] for name in ("sentinel1", "sentinel2")}
    with pytest.raises(InputError, match="trained on sentinel1 and sentinel2 and static, given: sentinel1") as caught:
        MapCover(model=model, **given, output=tmp_path / "map.tif").run(Reporter())
    assert "STATIC" in caught.value.hint


def test_more_bands_than_in_training_are_refused(model, settings, hills, tmp_path):
    given = {name: settings[name] for name in ("sentinel1", "sentinel2")}
    both = tuple(hills[0] / f"{name}.tif" for name in ("elevation", "other"))
    with pytest.raises(InputError, match=r"have 2 bands: elevation, other; .* expects 1: elevation"):
        MapCover(model=model, **given, static=both, output=tmp_path / "map.tif").run(Reporter())


def test_a_model_without_them_says_that_they_are_not_used(settings, hills, tmp_path, listener):
    path = tmp_path / "model.twinns"
    TrainModel(**settings, method="RF", model=path).run(Reporter())
    given = {name: settings[name] for name in ("sentinel1", "sentinel2")}
    MapCover(model=path, **given, static=(hills[0] / "elevation.tif",), output=tmp_path / "map.tif").run(listener)
    assert any("does not use STATIC" in message for message in listener.messages)


def test_they_are_no_output(settings, hills, tmp_path):
    static = hills[0] / "elevation.tif"
    with pytest.raises(InputError, match=r"elevation\.tif"):
        TrainModel(**settings, static=(static,), model=tmp_path / "model.twinns", report=static).run(Reporter())
    assert static.stat().st_size
