"""Rasters without dates: read on the grid of a series, whatever their own is."""

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.transform import from_origin
from rasterio.warp import reproject
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.series.static import StaticLayers

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 40, 30)


@pytest.fixture
def elevation(tmp_path, write_raster):
    """Returns a raster of steps of 30 m, which does not begin where the grid does."""
    values = np.random.default_rng(0).normal(300, 50, (1, 16, 20)).astype("float32")
    write_raster(tmp_path / "elevation.tif", values, resolution=30, origin=(499970, 5600050))
    return tmp_path / "elevation.tif"


def test_values_are_interpolated_as_gdal_does(elevation, listener):
    layers = StaticLayers.on(GRID, [elevation], listener)
    expected = np.zeros((30, 40), np.float32)
    with rasterio.open(elevation) as dataset:
        how = {"dst_transform": GRID.transform, "dst_crs": GRID.crs, "resampling": Resampling.bilinear}
        reproject(rasterio.band(dataset, 1), expected, **how)
    assert layers.read().shape == (30, 40, 1, 1)
    np.testing.assert_allclose(layers.read()[:, :, 0, 0], expected, atol=1e-3)
    assert (layers.bands, layers.dates, layers.steps) == (("elevation",), (), 1)


def test_values_do_not_depend_on_the_block(elevation, listener):
    layers = StaticLayers.on(GRID, [elevation], listener)
    np.testing.assert_array_equal(layers.read(Window(7, 5, 9, 8)), layers.read()[5:13, 7:16])


def test_beyond_the_edge_the_nearest_pixel_is_repeated(elevation, listener):
    layers = StaticLayers.on(GRID, [elevation], listener)
    framed = layers.read(Window(0, 0, 40, 30), margin=2)
    np.testing.assert_array_equal(framed, np.pad(layers.read(), ((2, 2), (2, 2), (0, 0), (0, 0)), mode="edge"))


def test_another_crs_is_warped(tmp_path, write_raster, listener):
    values = np.full((2, 60, 60), 7, "int16")
    write_raster(tmp_path / "soil.tif", values, resolution=0.0002, origin=(2.995, 50.555), crs="EPSG:4326", nodata=-1)
    np.testing.assert_array_equal(StaticLayers.on(GRID, [tmp_path / "soil.tif"], listener).read(), 7)


def test_no_data_is_missing_and_scale_and_offset_count(tmp_path, write_raster, listener):
    values = np.full((1, 30, 40), 10, "int16")
    values[0, 3, 4] = -99
    write_raster(tmp_path / "slope.tif", values, nodata=-99)
    with rasterio.open(tmp_path / "slope.tif", "r+") as dataset:
        dataset.scales, dataset.offsets = (0.5,), (1.0,)
    layers = StaticLayers.on(GRID, [tmp_path / "slope.tif"], listener)
    found = layers.read()[:, :, 0, 0]
    assert found[0, 0] == 6
    np.testing.assert_array_equal(np.argwhere(np.isnan(found)), [[3, 4]])
    assert layers.missing(found).sum() == 1


def test_bands_are_called_as_they_are_described_or_after_their_file(tmp_path, write_raster, listener):
    for name, names in (("a", ("A00", "A01")), ("b", ("A00", "A01")), ("dem", None), ("two", None)):
        values = np.ones((1 if name == "dem" else 2, 30, 40), "float32")
        write_raster(tmp_path / f"{name}.tif", values, names=names)
    paths = [tmp_path / f"{name}.tif" for name in ("a", "b", "dem", "two")]
    assert StaticLayers.on(GRID, paths, listener).bands == ("a A00", "a A01", "b A00", "b A01", "dem", "two 1", "two 2")
    assert StaticLayers.on(GRID, paths[:1], listener).bands == ("A00", "A01")


def test_codes_are_not_interpolated_and_told_of(tmp_path, write_raster, listener):
    values = np.kron(np.arange(1, 13, dtype="uint8").reshape(3, 4), np.ones((1, 5, 5), "uint8"))
    write_raster(tmp_path / "kinds.tif", values, resolution=20)
    with rasterio.open(tmp_path / "kinds.tif", "r+") as dataset:
        dataset.write_colormap(1, {code: (code, code, code) for code in range(13)})
        assert dataset.colorinterp[0] == ColorInterp.palette
    found = StaticLayers.on(GRID, [tmp_path / "kinds.tif"], listener).read()[:, :, 0, 0]
    np.testing.assert_array_equal(found, np.kron(values[0], np.ones((2, 2))))
    assert "kinds.tif holds codes" in listener.warnings[0]


def test_a_raster_elsewhere_is_refused(tmp_path, write_raster, listener):
    write_raster(tmp_path / "far.tif", np.ones((1, 5, 5), "float32"), origin=(600000, 5600000))
    with pytest.raises(InputError, match=r"far\.tif does not overlap the series"):
        StaticLayers.on(GRID, [tmp_path / "far.tif"], listener)


def test_a_raster_that_is_given_twice_is_refused(elevation, listener):
    with pytest.raises(InputError, match="2 times"):
        StaticLayers.on(GRID, [elevation, elevation], listener)
