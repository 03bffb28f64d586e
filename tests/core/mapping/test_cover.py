"""Mapping: the map is that of the network, pixel by pixel, whatever the blocks."""

from dataclasses import replace

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from twinns_qgis.errors import Cancelled
from twinns_qgis.mapping import cover as cover_module
from twinns_qgis.mapping.cover import CoverOutputs, Scene, map_cover
from twinns_qgis.mapping.sizes import Sizes
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.series import Series
from twinns_qgis.training.model_file import read_model

WHOLE = Window(0, 0, 60, 60)


@pytest.fixture(scope="module")
def model(random_model):
    return read_model(random_model)


@pytest.fixture
def series(site):
    return {name: Series.open(getattr(site, name)) for name in ("sentinel1", "sentinel2")}


@pytest.fixture
def run(model, series, listener, tmp_path):
    def run(window=WHOLE, series=series, name="map", model=model, region=None, **options):
        paths = [tmp_path / f"{name}_{kind}.tif" for kind in ("cover", "confidence", "probabilities")]
        settings = {"machine": Machine(2048), "device": "auto", "tags": {}, "reporter": listener, **options}
        map_cover(model, Scene(series, {}, window, region), CoverOutputs(*paths), **settings)
        return [rasterio.open(path).read() for path in paths]

    return run


def patchwise_scores(model, series):
    """The score of every pixel, from its own 5 x 5 patch."""
    patches = {}
    for name, one in series.items():
        framed = np.pad(one.read(), ((2, 2), (2, 2), (0, 0), (0, 0)), mode="edge")
        patches[name] = np.stack(
            [framed[row : row + 5, column : column + 5] for row in range(60) for column in range(60)]
        )
    return model.classifier.network.predict(patches, batch_size=600, verbose=0)["score"].reshape(60, 60, -1)


def test_map_holds_the_class_of_the_highest_score_of_each_patch(run, model, series):
    cover, confidence, probabilities = run()
    scores = patchwise_scores(model, series)
    np.testing.assert_array_equal(cover[0], np.array([10, 20, 30])[scores.argmax(axis=-1)])
    assert np.abs(confidence[0] - 100 * scores.max(axis=-1)).max() <= 0.51
    assert np.abs(np.moveaxis(probabilities, 0, -1) - 100 * scores).max() <= 0.51


def test_confidence_is_calibrated_and_the_map_is_not_changed(run, model, series):
    plain = run(name="plain")
    hotter = replace(model, manifest=replace(model.manifest, temperature=2.0))
    cover, confidence, probabilities = run(name="hot", model=hotter)
    powers = np.sqrt(patchwise_scores(model, series))
    expected = 100 * powers / powers.sum(axis=-1, keepdims=True)
    np.testing.assert_array_equal(cover, plain[0])
    assert np.abs(confidence[0] - expected.max(axis=-1)).max() <= 0.51
    assert np.abs(np.moveaxis(probabilities, 0, -1) - expected).max() <= 0.51


@pytest.mark.parametrize("side", [8, 37])
def test_map_does_not_depend_on_the_block_size(run, monkeypatch, side):
    whole = run()
    monkeypatch.setattr(cover_module, "choose_sizes", lambda *arguments: Sizes((32, 48), side, 100))
    np.testing.assert_array_equal(run(name="blocks")[0], whole[0])


def test_extent_maps_the_same_classes_as_the_whole(run):
    whole, part = run()[0], run(Window(7, 11, 20, 9), name="part")[0]
    np.testing.assert_array_equal(part, whole[:, 11:20, 7:27])


def test_pixels_without_a_value_in_one_series_are_no_data(run, series, make_series):
    values = series["sentinel1"].read()
    values[5:8, 9] = 0
    values[20, 20, 0] = 0  # one date only: the pixel still has values
    holes = Series.open(make_series("holes.tif", values))
    cover, confidence, probabilities = run(series={**series, "sentinel1": holes})
    expected = np.zeros((60, 60), bool)
    expected[5:8, 9] = True
    np.testing.assert_array_equal(cover[0] == 0, expected)
    np.testing.assert_array_equal(confidence[0] == 255, expected)
    np.testing.assert_array_equal((probabilities == 255).all(axis=0), expected)


def test_progress_reaches_the_end_with_pixels_per_second_and_time_left(run, listener):
    run()
    assert listener.fractions == sorted(listener.fractions)
    assert listener.fractions[-1] == pytest.approx(1)
    assert any("px/s" in message for message in listener.messages)


def test_cancelled_mapping_leaves_what_was_there(run, listener, tmp_path):
    run()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    listener.stop = True
    with pytest.raises(Cancelled):
        run()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
