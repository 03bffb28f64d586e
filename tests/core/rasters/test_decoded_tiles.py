"""Tiles of JPEG 2000 are decoded once, and give the pixels that GDAL gives."""

import pickle

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import from_origin
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.decoded_tiles import DecodedTiles
from twinns_qgis.rasters.grid import Grid

HEIGHT, WIDTH, TILE = 150, 130, 64


@pytest.fixture(scope="module")
def raster(tmp_path_factory):
    """A JPEG 2000 of 3 x 3 tiles."""
    path = tmp_path_factory.mktemp("raster") / "band.jp2"
    values = np.random.default_rng(0).integers(0, 9000, (HEIGHT, WIDTH)).astype("uint16")
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", width=WIDTH, height=HEIGHT, count=1, dtype="uint16", crs="EPSG:32631",
        transform=from_origin(0, 0, 10, 10), QUALITY="100", REVERSIBLE="YES",
        TILED="YES", BLOCKXSIZE=TILE, BLOCKYSIZE=TILE,
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
    return path, values


@st.composite
def windows(draw, height=HEIGHT, width=WIDTH):
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    return Window(left, top, draw(st.integers(1, width - left)), draw(st.integers(1, height - top)))


@given(area=windows(), wanted=st.lists(st.one_of(windows(), st.none()), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_any_pixels_are_those_of_the_file_whatever_was_read_before(raster, tmp_path_factory, area, wanted):
    path, values = raster
    with rasterio.open(path) as dataset:
        grid = Grid.of(dataset).crop(area)
        with DecodedTiles(tmp_path_factory.mktemp("tiles"), grid, in_a_row=1) as tiles:
            for window in wanted:
                if window is None:
                    tiles.next_block()
                else:
                    found = tiles.of(dataset).read(indexes=1, window=window)
                    np.testing.assert_array_equal(found, values[window.toslices()], strict=True)


@pytest.mark.parametrize("in_a_row", [1, 3])
def test_blocks_row_by_row_decode_each_tile_once_and_keep_few(raster, tmp_path, decoded, in_a_row):
    path, _ = raster
    width, most = -(-WIDTH // in_a_row), 0
    with DecodedTiles(tmp_path, _grid(path), in_a_row) as tiles:
        for top in range(0, HEIGHT, 10):
            for left in range(0, WIDTH, width):
                with rasterio.open(path) as dataset:
                    window = Window(left, top, min(width, WIDTH - left), 10)
                    tiles.of(dataset).read(indexes=1, window=window)
                tiles.next_block()
                most = max(most, len(list(tmp_path.iterdir())))
    assert set(decoded.values()) == {1}
    assert len(decoded) == 9
    assert most == 6  # two rows of tiles, where one ends and the other begins
    assert not list(tmp_path.iterdir())


def test_what_lies_off_the_grid_takes_no_room(raster, tmp_path):
    path, _ = raster
    with DecodedTiles(tmp_path, _grid(path).crop(Window(10, 10, 5, 5)), in_a_row=1) as tiles:
        with rasterio.open(path) as dataset:
            tiles.of(dataset).read(indexes=1, window=Window(10, 10, 5, 5))
        (kept,) = tmp_path.iterdir()
        assert kept.stat().st_size < 2 * 30 * 30


def test_other_formats_are_read_as_they_are(tmp_path, write_raster):
    write_raster(tmp_path / "band.tif", np.zeros((1, 5, 5), "uint8"))
    with rasterio.open(tmp_path / "band.tif") as dataset:
        assert DecodedTiles(tmp_path, Grid.of(dataset), in_a_row=1).of(dataset) is dataset


def test_a_disk_that_takes_no_more_is_an_error_for_the_user(raster, tmp_path):
    path, _ = raster
    tiles = DecodedTiles(tmp_path / "missing", _grid(path), in_a_row=1)
    with rasterio.open(path) as dataset, pytest.raises(InputError, match="can't be written"):
        tiles.of(dataset).read(indexes=1, window=Window(0, 0, 5, 5))


def test_another_process_has_none(raster, tmp_path):
    assert pickle.loads(pickle.dumps(DecodedTiles(tmp_path, _grid(raster[0]), in_a_row=1))) is None


def _grid(path):
    with rasterio.open(path) as dataset:
        return Grid.of(dataset)
