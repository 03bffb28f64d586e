"""Mapping: the map is that of the network, pixel by pixel, whatever the blocks."""

import re
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import shapely
from rasterio.crs import CRS
from rasterio.features import geometry_mask
from rasterio.transform import from_origin
from rasterio.windows import Window

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.mapping import choice as choice_module
from twinns_qgis.mapping import cover as cover_module
from twinns_qgis.mapping import outputs as outputs_module
from twinns_qgis.mapping.choice import Choice
from twinns_qgis.mapping.cover import CoverOutputs, Scene, map_cover
from twinns_qgis.mapping.layouts import cover_layout
from twinns_qgis.mapping.region import Region
from twinns_qgis.mapping.sizes import Sizes
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.production import Machine
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import Series
from twinns_qgis.training.model_file import read_model

WHOLE = Window(0, 0, 60, 60)
TRANSFORM = from_origin(500000, 5600000, 10, 10)
SENSORS = ("sentinel1", "sentinel2")


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
        settings = {"machine": Machine(2048), "choice": Choice(), "tags": {}, "reporter": listener, **options}
        map_cover(model, Scene(series, {}, window, region), CoverOutputs(*paths), **settings)
        return [rasterio.open(path).read() for path in paths]

    return run


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(choice_module, "choose_sizes", lambda *arguments: Sizes((16, 16), 16, 100))
    monkeypatch.setattr(cover_module, "estimate", lambda *arguments: None)


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
    monkeypatch.setattr(choice_module, "choose_sizes", lambda *arguments: Sizes((32, 48), side, 100))
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


def test_progress_reaches_the_end(run, listener):
    run()
    assert listener.fractions == sorted(listener.fractions)
    assert listener.fractions[-1] == pytest.approx(1)


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_mapping_cancelled_midway_leaves_what_was_there(run, small_blocks, tmp_path):
    class Stops(Reporter):
        cancelled = False

        def progress(self, fraction, message=""):
            self.cancelled |= "3 of 16 blocks" in message

    run()
    before = files_of(tmp_path)
    assert len(before) == 7, "three rasters, their styles, and the names of the map"
    with pytest.raises(Cancelled, match=r"[3-5] of 16 blocks are kept"):
        run(reporter=Stops(), choice=Choice(device="cpu"))
    assert files_of(tmp_path) == before


def test_mapping_that_fails_at_its_end_leaves_what_was_there(run, tmp_path, monkeypatch):
    run()
    before = files_of(tmp_path)
    check = outputs_module._check_equal

    def fail_at_the_last(assembled, optimised):
        check(assembled, optimised)
        if "probabilities" in assembled.name:
            raise InputError("The disk is full.")

    monkeypatch.setattr(outputs_module, "_check_equal", fail_at_the_last)
    with pytest.raises(InputError, match="disk is full"):
        run()
    assert files_of(tmp_path) == before


def test_pixels_outside_of_the_region_are_no_data_and_blocks_there_are_not_computed(
    run, model, monkeypatch, small_blocks
):
    whole = run()
    triangle = Region((shapely.Polygon([(500000, 5599900), (500300, 5599900), (500000, 5599600)]).wkb,))
    computed, scores = [], model.classifier.scores
    monkeypatch.setattr(model.classifier, "scores", lambda raw: computed.append(1) or scores(raw))
    cover, confidence, _ = run(name="masked", region=triangle)
    inside = geometry_mask(shapely.from_wkb(triangle.polygons), (60, 60), TRANSFORM, invert=True)
    np.testing.assert_array_equal(cover, np.where(inside, whole[0], 0))
    np.testing.assert_array_equal(confidence[0] == 255, ~inside)
    blocks = {(row // 16, column // 16) for row, column in np.argwhere(inside)}
    assert len(computed) == len(blocks) < 16


def test_a_scene_without_data_is_an_empty_map_with_a_warning(run, series, make_series, model, monkeypatch, listener):
    monkeypatch.setattr(cover_module, "estimate", lambda *arguments: None)
    monkeypatch.setattr(model.classifier, "scores", None)  # nothing is to be computed
    empty = Series.open(make_series("empty.tif", np.full((60, 60, 5, 10), -32768, "int16")))
    cover, confidence, probabilities = run(series={**series, "sentinel2": empty})
    assert not cover.any()
    assert (confidence == 255).all()
    assert (probabilities == 255).all()
    (warning,) = listener.warnings
    assert "no value at any of its pixels" in warning


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (1, 60)])
def test_a_raster_smaller_than_a_patch_has_its_edge_repeated(run, model, make_series, site, shape):
    values = {name: Series.open(getattr(site, name)).read()[: shape[0], : shape[1]] for name in SENSORS}
    series = {name: Series.open(make_series(f"{name}.tif", raw)) for name, raw in values.items()}
    cover = run(Window(0, 0, shape[1], shape[0]), series)[0]
    padded = {name: np.pad(raw, ((2, 2), (2, 2), (0, 0), (0, 0)), mode="edge")[None] for name, raw in values.items()}
    scores = model.classifier.network.predict(padded, verbose=0)["score"][0]
    np.testing.assert_array_equal(cover[0], np.array([10, 20, 30])[scores.argmax(axis=-1)])


def test_values_that_the_training_did_not_see_are_told_as_a_share_of_pixels(run, series, make_series, listener):
    values = series["sentinel2"].read()
    values[:30, :, 2, 3] = 9000  # a reflectance of 0.9; the training went up to 0.7
    run(series={**series, "sentinel2": Series.open(make_series("bright.tif", values))})
    (warning,) = listener.warnings
    assert warning.startswith("50.0% of the 3,600 pixels mapped have a value beyond")


def test_the_log_tells_the_time_before_and_the_speed_after(run, listener):
    run()
    estimate = next(message for message in listener.messages if message.startswith("This will take about "))
    assert re.search(r"for 3,600 pixels at [\d,]+ px/s; ", estimate)
    assert re.fullmatch(r"Mapped 3,600 pixels, [\d,]+ px/s\.", listener.messages[-1])


def test_with_a_region_time_and_speed_are_those_of_what_is_computed(run, monkeypatch, listener):
    monkeypatch.setattr(choice_module, "choose_sizes", lambda *arguments: Sizes((32, 32), 16, 100))
    fields = [shapely.box(x, y, x + 30, y + 30) for x, y in ((500200, 5599700), (500400, 5599550))]
    run(region=Region(tuple(field.wkb for field in fields)))
    assert any(re.search(r"This will take about .* for 512 pixels", message) for message in listener.messages)
    assert re.fullmatch(r"Mapped 18 pixels of 512 computed, [\d,]+ px/s\.", listener.messages[-1])


def test_a_map_without_time_has_a_speed(listener):
    cover_module._tell_speed({"mapped": 4, "computed": 4, "seconds": 0.0}, None, listener)
    assert "Mapped 4 pixels, " in listener.messages[-1]


def test_a_region_without_a_pixel_s_centre_is_told_as_the_reason(run, listener):
    cover, *_ = run(region=Region((shapely.box(500101, 5599701, 500103, 5599703).wkb,)))
    assert not cover.any()
    (warning,) = listener.warnings
    assert warning == "The map is empty: MASK holds no pixel's centre."


def test_forests_are_computed_in_float32_whatever_the_precision(run, forest_model, listener):
    run(model=read_model(forest_model), choice=Choice(precision="bfloat16"))
    assert any("in float32 on the CPU" in message for message in listener.messages)


def test_a_map_beyond_4_gb_is_a_bigtiff(tmp_path):
    grid = Grid(CRS.from_epsg(32631), TRANSFORM, 70000, 70000)
    with cover_layout(grid, [], {}).create(tmp_path / "large.tif", empty=True):
        pass
    with (tmp_path / "large.tif").open("rb") as file:
        assert file.read(4) == b"II+\0"
