"""Resampling, against GDAL's own tool and block by block."""

import shutil
import subprocess

import numpy as np
import pytest
import rasterio
from rasterio.enums import Resampling
from rasterio.windows import Window

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.warping import read_band

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def _read(dataset, grid, resampling):
    def read(window):
        raw = dataset.read(1, window=window)
        return np.where(raw == -10000, np.nan, raw).astype("float32")

    return read_band(dataset, grid, resampling, read)


@pytest.fixture
def coarse(tmp_path, write_raster):
    """A raster of 20 m with holes, and a grid of 10 m that reaches beyond it."""
    random = np.random.default_rng(0)
    values = random.integers(0, 5000, (1, 15, 18)).astype("int16")
    values[random.random(values.shape) < 0.1] = -10000
    write_raster(tmp_path / "coarse.tif", values, resolution=20, nodata=-10000)
    grid = write_raster(tmp_path / "fine.tif", np.zeros((1, 36, 40), "uint8"), origin=(499990, 5600010))
    return tmp_path / "coarse.tif", grid


@pytest.mark.parametrize("resampling", [Resampling.cubic, Resampling.bilinear, Resampling.nearest])
@pytest.mark.parametrize("crs", ["EPSG:32631", "EPSG:32632"])
def test_bands_are_resampled_as_gdalwarp_does(coarse, tmp_path, resampling, crs):
    if shutil.which("gdalwarp") is None:
        pytest.skip("gdalwarp is not installed")
    path, grid = coarse
    if crs != "EPSG:32631":
        subprocess.run(["gdalwarp", "-q", "-t_srs", crs, path, tmp_path / "other.tif"], check=True)
        path = tmp_path / "other.tif"
    left, bottom, right, top = map(str, grid.bounds)
    options = ["-t_srs", "EPSG:32631", "-te", left, bottom, right, top, "-tr", "10", "10", "-r", resampling.name]
    target = ["-ot", "Float32", "-dstnodata", "nan", "-et", "0"]
    subprocess.run(["gdalwarp", "-q", *options, *target, path, tmp_path / "expected.tif"], check=True)
    with rasterio.open(path) as dataset, rasterio.open(tmp_path / "expected.tif") as expected:
        np.testing.assert_allclose(_read(dataset, grid, resampling), expected.read(1), atol=0.1)


@pytest.mark.parametrize("resampling", [Resampling.cubic, Resampling.bilinear, Resampling.nearest])
def test_the_division_into_blocks_makes_no_difference(coarse, resampling):
    path, grid = coarse
    with rasterio.open(path) as dataset:
        whole = _read(dataset, grid, resampling)
        for window in grid.blocks(7):
            block = _read(dataset, grid.crop(window), resampling)
            np.testing.assert_array_equal(block, whole[window.toslices()])


def test_missing_pixels_do_not_bleed(tmp_path, write_raster):
    values = np.full((1, 8, 8), 3000, "int16")
    values[0, 3, 4] = -10000
    write_raster(tmp_path / "hole.tif", values, resolution=20, nodata=-10000)
    grid = write_raster(tmp_path / "fine.tif", np.zeros((1, 16, 16), "uint8"))
    with rasterio.open(tmp_path / "hole.tif") as dataset:
        read = _read(dataset, grid, Resampling.cubic)
    hole = np.zeros((16, 16), bool)
    hole[6:8, 8:10] = True
    assert np.isnan(read[hole]).all()
    np.testing.assert_allclose(read[~hole], 3000, atol=0.01)


def test_pixels_of_the_same_grid_are_taken_as_they_are(tmp_path, write_raster):
    values = np.random.default_rng(0).integers(0, 5000, (1, 12, 12)).astype("int16")
    grid = write_raster(tmp_path / "a.tif", values)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        read = _read(dataset, grid.crop(Window(3, 4, 5, 6)), Resampling.cubic)
    np.testing.assert_array_equal(read, values[0, 4:10, 3:8])


def test_small_pixels_of_nearly_the_same_size_are_not_taken_as_they_are(tmp_path, write_raster):
    values = np.tile(np.arange(3000, dtype="float32"), (1, 4, 1))
    steps = {"crs": "EPSG:4326", "origin": (3, 51)}
    write_raster(tmp_path / "a.tif", values, resolution=1e-4, **steps)
    grid = write_raster(tmp_path / "grid.tif", np.zeros((1, 4, 2000), "uint8"), resolution=1.00009e-4, **steps)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        read = _read(dataset, grid, Resampling.bilinear)
    expected = (np.arange(2000) + 0.5) * 1.00009 - 0.5
    np.testing.assert_allclose(read[1], expected, atol=1e-3)


def test_a_finer_raster_is_averaged_on_the_way_down(tmp_path, write_raster):
    values = np.random.default_rng(0).uniform(0, 1, (1, 64, 64)).astype("float32")
    write_raster(tmp_path / "fine.tif", values, resolution=2.5)
    grid = write_raster(tmp_path / "grid.tif", np.zeros((1, 16, 16), "uint8"))
    with rasterio.open(tmp_path / "fine.tif") as dataset:
        read = _read(dataset, grid, Resampling.bilinear)
        parts = [_read(dataset, grid.crop(window), Resampling.bilinear) for window in grid.blocks(8)]
    assert read.std() < values.std() / 2
    np.testing.assert_allclose(np.block([parts[:2], parts[2:]]), read, atol=1e-6)


def test_a_raster_elsewhere_gives_missing_pixels(coarse):
    path, grid = coarse
    away = Grid(grid.crs, grid.transform.translation(9e5, 9e5) @ grid.transform, 4, 4)
    with rasterio.open(path) as dataset:
        assert np.isnan(_read(dataset, away, Resampling.cubic)).all()
