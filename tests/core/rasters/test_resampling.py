"""Resampling gives GDAL's numbers."""

import numpy as np
import pytest
import rasterio.warp
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.windows import Window

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.resampling import can_resample, resample

UTM31 = CRS.from_epsg(32631)
KERNELS = [Resampling.nearest, Resampling.bilinear, Resampling.cubic]
HEIGHT, WIDTH = 40, 37


def _grid(width, height, step=20.0, left=500000.0, top=5600000.0, crs=UTM31):
    return Grid(crs, from_origin(left, top, step, step), width, height)


SOURCE = _grid(WIDTH, HEIGHT)
BLOCKS = {
    "half": _grid(74, 80, 10),
    "beyond the edges": _grid(90, 95, 10, 499960, 5600030),
    "two fifths, shifted": _grid(60, 70, 8, 500034.6, 5599997.4),
    "same size, shifted": _grid(40, 42, 20, 499993, 5600004),
    "a sixth": _grid(222, 240, 20 / 6),
    "elsewhere in part": _grid(30, 30, 10, 500700, 5599300),
    "one pixel": _grid(1, 1, 10, 500200, 5599800),
}


@pytest.fixture(params=["whole", "holes"])
def values(request):
    random = np.random.default_rng(0)
    values = random.normal(3000, 1000, (HEIGHT, WIDTH)).astype("float32")
    if request.param == "holes":
        values[random.random(values.shape) < 0.06] = np.nan
        values[10:20, 10:20] = np.nan
    return values


def _gdal(values, block, resampling, source=SOURCE):
    result = np.full((block.height, block.width), np.nan, "float32")
    rasterio.warp.reproject(
        values,
        result,
        src_transform=source.transform,
        src_crs=source.crs,
        src_nodata=np.nan,
        dst_transform=block.transform,
        dst_crs=block.crs,
        dst_nodata=np.nan,
        resampling=resampling,
        tolerance=0,
    )
    return result


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("resampling", KERNELS)
def test_it_is_what_gdal_gives(values, block, resampling):
    assert can_resample(SOURCE, block, resampling)
    found = resample(values, SOURCE, (0, 0), block, resampling)
    np.testing.assert_allclose(found, _gdal(values, block, resampling), rtol=2e-6, atol=2e-3)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (2, 3), (5, 3)], ids=str)
@pytest.mark.parametrize("resampling", KERNELS)
def test_rasters_smaller_than_the_kernel_are_what_gdal_gives(size, resampling):
    source = _grid(size[1], size[0])
    values = np.random.default_rng(2).normal(3000, 1000, size).astype("float32")
    block = _grid(2 * size[1] + 5, 2 * size[0] + 4, 10, 499983, 5600014)
    found = resample(values, source, (0, 0), block, resampling)
    np.testing.assert_allclose(found, _gdal(values, block, resampling, source), rtol=2e-6, atol=2e-3)


@pytest.mark.parametrize("resampling", [Resampling.bilinear, Resampling.cubic])
def test_a_raster_of_one_row_is_interpolated_along_it(resampling):
    source, values = _grid(5, 1), np.array([[10, 20, 5, 40, 30]], "float32")
    found = resample(values, source, (0, 0), _grid(10, 2, 10), resampling)
    expected = np.interp(np.arange(10) / 2 - 0.25, np.arange(5), values[0])
    np.testing.assert_allclose(found, [expected, expected], rtol=1e-6)


@pytest.mark.parametrize("resampling", KERNELS)
@pytest.mark.parametrize("name", ["half", "two fifths, shifted", "beyond the edges"])
def test_no_bit_depends_on_where_blocks_and_parts_begin(values, name, resampling):
    block = BLOCKS[name]
    whole = resample(values, SOURCE, (0, 0), block, resampling)
    window = Window(17, 23, 21, 19)
    piece = block.crop(window)
    part = values[5:36, 3:33]
    np.testing.assert_array_equal(resample(part, SOURCE, (5, 3), piece, resampling), whole[window.toslices()])


def test_a_missing_pixel_leaves_the_bits_of_those_that_do_not_need_it():
    values = np.random.default_rng(1).normal(0, 1, (HEIGHT, WIDTH)).astype("float32")
    whole = resample(values, SOURCE, (0, 0), BLOCKS["half"], Resampling.cubic)
    values[0, 0] = np.nan
    holed = resample(values, SOURCE, (0, 0), BLOCKS["half"], Resampling.cubic)
    np.testing.assert_array_equal(holed[6:, 6:], whole[6:, 6:])


def test_larger_pixels_and_other_crs_are_not_its_business():
    assert not can_resample(SOURCE, _grid(10, 10, 40), Resampling.cubic)
    assert not can_resample(SOURCE, _grid(10, 10, 10, crs=CRS.from_epsg(32632)), Resampling.nearest)
    assert can_resample(SOURCE, _grid(10, 10, 40), Resampling.nearest)
    assert not can_resample(SOURCE, _grid(10, 10, 10), Resampling.lanczos)
