"""Maps and percentages: what is on disk, as rasterio and GDAL's own tools read it, and what an interruption leaves."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.mapping import outputs
from twinns_qgis.mapping.layouts import COVER, PROBABILITIES, class_names, cover_layout, percent_layout
from twinns_qgis.mapping.outputs import map_raster
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.samples.classes import LandCoverClass

CLASSES = [LandCoverClass(2, 'maïs & "soja" <x>', "#4477aa"), LandCoverClass(5, "水", "#ddaa33")]
TAGS = {"TWINNS_MODEL_SHA256": "ab" * 32, "TWINNS_CALL": "twinns map-cover --output 'a b.tif'"}
SHAPES = [(1, 1), (1, 600), (30, 40), (700, 1300)]


def grid_of(shape):
    return Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), shape[1], shape[0])


def random_codes(shape):
    return np.random.default_rng(0).choice(np.array([0, 2, 5], np.uint8), shape)


def write_map(path, codes, classes=CLASSES):
    grid = grid_of(codes.shape)
    with map_raster(COVER, path, cover_layout(grid, classes, TAGS), classes) as writer:
        for window in grid.blocks(256):
            writer.write(codes[window.toslices()], window)


def write_percent(path, values):
    grid = grid_of(values.shape[1:])
    layout = percent_layout(grid, [f"class {n}" for n in range(len(values))], TAGS)
    with map_raster(PROBABILITIES, path, layout, CLASSES) as writer:
        for window in grid.blocks(256):
            writer.write(values[(slice(None), *window.toslices())], window)


def gdalinfo(path):
    if not shutil.which("gdalinfo"):
        pytest.skip("gdalinfo is not installed")
    command = ["gdalinfo", "-json", "-checksum", str(path)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_map_holds_the_codes_that_were_written(tmp_path, shape):
    codes = random_codes(shape)
    write_map(tmp_path / "map.tif", codes)
    with rasterio.open(tmp_path / "map.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(1), codes)
        assert (dataset.dtypes, dataset.nodata, dataset.descriptions) == (("uint8",), 0, ("land cover",))
        assert Grid.of(dataset) == grid_of(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_map_is_cloud_optimised(tmp_path, shape):
    write_map(tmp_path / "map.tif", random_codes(shape))
    with rasterio.open(tmp_path / "map.tif") as dataset:
        structure = dataset.tags(ns="IMAGE_STRUCTURE")
        assert (structure["LAYOUT"], structure["COMPRESSION"]) == ("COG", "DEFLATE")
        assert dataset.block_shapes == [(512, 512)]
        # Overviews go on until one fits a tile.
        assert dataset.overviews(1) == {1300: [2, 4], 600: [2]}.get(max(shape), [])
        offsets = [int(dataset.get_tag_item("IFD_OFFSET", "TIFF", 1, ovr=n)) for n in range(len(dataset.overviews(1)))]
        offsets.insert(0, int(dataset.get_tag_item("IFD_OFFSET", "TIFF", 1)))
        data = int(dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", 1))
    # All directories come before the pixels, the full resolution's first.
    assert offsets == sorted(offsets)
    assert offsets[-1] < data


def test_overviews_of_a_map_hold_the_most_frequent_class(tmp_path):
    codes = np.full((600, 600), 2, np.uint8)
    codes[::2, ::2] = 5  # one in four
    write_map(tmp_path / "map.tif", codes)
    with rasterio.open(tmp_path / "map.tif", overview_level=0) as dataset:
        assert np.unique(dataset.read(1)).tolist() == [2]


def test_overviews_of_percentages_hold_the_mean_of_those_that_are_known(tmp_path):
    values = np.full((1, 600, 600), 40, np.uint8)
    values[:, ::2] = 60
    values[:, :, 300:] = np.where(np.arange(600)[:, None] % 2, 80, 255)
    write_percent(tmp_path / "percent.tif", values)
    with rasterio.open(tmp_path / "percent.tif", overview_level=0) as dataset:
        overview = dataset.read(1)
    assert np.unique(overview[:, :150]).tolist() == [50]
    assert np.unique(overview[:, 150:]).tolist() == [80]


def test_gdal_reads_colors_names_table_and_tags(tmp_path):
    write_map(tmp_path / "map.tif", random_codes((30, 40)))
    info = gdalinfo(tmp_path / "map.tif")
    (band,) = info["bands"]
    assert band["description"] == "land cover"
    assert band["colorTable"]["entries"][2] == [68, 119, 170, 255]
    assert band["colorTable"]["entries"][5] == [221, 170, 51, 255]
    assert band["metadata"][""] == {"CLASS_2": CLASSES[0].name, "CLASS_5": "水"}
    assert {**info["metadata"][""], **TAGS} == info["metadata"][""]
    table = info["rat"]
    assert [column["name"] for column in table["fieldDefn"]] == ["Value", "Class", "Red", "Green", "Blue"]
    # GFU_MinMax, GFU_Name, GFU_Red, GFU_Green, GFU_Blue
    assert [column["usage"] for column in table["fieldDefn"]] == [5, 2, 6, 7, 8]
    assert [row["f"] for row in table["row"]] == [[2, CLASSES[0].name, 68, 119, 170], [5, "水", 221, 170, 51]]


def test_gdal_keeps_the_names_when_it_adds_statistics(tmp_path):
    if not shutil.which("gdalinfo"):
        pytest.skip("gdalinfo is not installed")
    write_map(tmp_path / "map.tif", random_codes((30, 40)))
    command = ["gdalinfo", "-stats", str(tmp_path / "map.tif")]
    for _ in range(2):
        text = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
    assert "Categories:\n      0: no data\n      1: \n      2: maïs" in text
    assert "STATISTICS_MEAN" in text


def test_a_map_names_its_classes_without_its_sidecars(tmp_path):
    write_map(tmp_path / "map.tif", random_codes((30, 40)))
    (tmp_path / "map.tif.aux.xml").unlink()
    with rasterio.open(tmp_path / "map.tif") as dataset:
        assert class_names(dataset) == {2: CLASSES[0].name, 5: "水"}


@pytest.mark.parametrize("bands", [1, 3, 4, 20])
def test_percentages_are_bands_of_their_own_and_no_picture(tmp_path, bands):
    values = np.random.default_rng(0).integers(0, 101, (bands, 20, 30), dtype=np.uint8)
    values[:, 3, 4] = 255
    write_percent(tmp_path / "percent.tif", values)
    with rasterio.open(tmp_path / "percent.tif") as dataset:
        np.testing.assert_array_equal(dataset.read(), values)
        assert dataset.nodatavals == (255,) * bands
        assert dataset.descriptions == tuple(f"class {n}" for n in range(bands))
        assert {kind.name for kind in dataset.colorinterp} <= {"gray", "undefined"}
        assert dataset.tags()["TWINNS_CALL"] == TAGS["TWINNS_CALL"]
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_nothing_lies_beside_a_map_but_its_sidecars(tmp_path):
    write_map(tmp_path / "map.tif", random_codes((700, 1300)))
    write_percent(tmp_path / "percent.tif", np.zeros((3, 700, 600), np.uint8))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["map.qml", "map.tif", "map.tif.aux.xml", "percent.qml", "percent.tif"]


@pytest.mark.parametrize("error", [Cancelled, ValueError])
def test_an_interrupted_map_leaves_all_as_it_was(tmp_path, error):
    def interrupted():
        grid = grid_of((600, 600))
        with map_raster(COVER, tmp_path / "map.tif", cover_layout(grid, CLASSES, TAGS), CLASSES) as writer:
            writer.write(random_codes((256, 256)), next(grid.blocks(256)))
            raise error("stop")

    write_map(tmp_path / "map.tif", random_codes((30, 40)))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(error):
        interrupted()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_new_map_never_keeps_sidecars_of_the_old_one(tmp_path):
    write_map(tmp_path / "map.tif", random_codes((30, 40)))
    (tmp_path / "map.tif.ovr").write_bytes(b"pyramids of the old map")
    other = [replace(CLASSES[0], name="rape")]
    write_map(tmp_path / "map.tif", random_codes((30, 40)), other)
    assert not (tmp_path / "map.tif.ovr").exists()
    assert "水" not in (tmp_path / "map.qml").read_text(encoding="utf-8")
    assert "rape" in (tmp_path / "map.tif.aux.xml").read_text(encoding="utf-8")


def test_percentages_in_the_place_of_a_map_lose_its_names(tmp_path):
    write_map(tmp_path / "out.tif", random_codes((30, 40)))
    write_percent(tmp_path / "out.tif", np.zeros((1, 30, 40), np.uint8))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.qml", "out.tif"]


def test_a_kill_never_leaves_a_map_beside_the_style_of_another(tmp_path, monkeypatch):
    write_map(tmp_path / "map.tif", random_codes((30, 40)))
    new = [replace(item, name=f"new {item.code}") for item in CLASSES]
    styles = {"map.qml", "map.tif.aux.xml"}
    moved = []
    move = Path.replace

    def look():
        with rasterio.open(tmp_path / "map.tif") as dataset:
            is_new = class_names(dataset)[2] == "new 2"
        for name in styles:
            if (tmp_path / name).exists():
                assert ("new 2" in (tmp_path / name).read_text(encoding="utf-8")) == is_new

    def move_and_look(source, target):
        look()  # as a kill right before would leave it
        move(source, target)
        look()
        moved.append(target.name)

    monkeypatch.setattr(Path, "replace", move_and_look)
    write_map(tmp_path / "map.tif", random_codes((30, 40)), new)
    assert moved[2] == "map.tif", "after what lay beside the former one was put aside"
    assert set(moved[3:]) == styles


def test_a_map_that_was_not_written_whole_is_refused(tmp_path, monkeypatch):
    """GDAL does not say so when the disk is full at the end of a file."""
    copy = outputs.rasterio.shutil.copy

    def copy_and_cut(source, target, **options):
        copy(source, target, **options)
        with target.open("r+b") as file:
            file.truncate(target.stat().st_size - 1000)

    monkeypatch.setattr(outputs.rasterio.shutil, "copy", copy_and_cut)
    with pytest.raises(InputError, match=r"map\.tif can't be written: .*Check that the disk has room"):
        write_map(tmp_path / "map.tif", random_codes((600, 600)))
    assert list(tmp_path.iterdir()) == []


def test_a_map_in_a_missing_folder_is_refused_before_anything_is_computed(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        write_map(tmp_path / "nowhere" / "map.tif", random_codes((3, 4)))
