"""The contract of a series, and how files that break it are refused."""

from datetime import date

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import open_raster, read_bands
from twinns_qgis.series.series import Series, check_same_grid, series_layout, write_series

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 30, 20)
DATES = (date(2018, 3, 1), date(2018, 3, 16), date(2018, 4, 2))
BANDS = ("B2", "B8A")


def _writer(path, **changes):
    settings = {"dtype": "int16", "nodata": -32768, "scale": (1e-4, 1e-4), "offset": (0.0, 0.0), "tags": {"MADE": "so"}}
    return write_series(path, series_layout(GRID, DATES, BANDS, **settings | changes))


@pytest.fixture
def values():
    return np.random.default_rng(0).integers(-100, 10000, (20, 30, 3, 2)).astype("int16")


@pytest.fixture
def path(tmp_path, values):
    with _writer(tmp_path / "series.tif") as writer:
        for window in GRID.blocks(16):
            writer.write(values[window.toslices()], window)
    return tmp_path / "series.tif"


def test_what_is_written_block_by_block_is_read_back(path, values):
    series = Series.open(path)
    assert (series.dates, series.bands, series.dtype, series.nodata) == (DATES, BANDS, "int16", -32768)
    assert series.grid == GRID
    np.testing.assert_array_equal(series.read(), values)
    np.testing.assert_array_equal(series.read(Window(4, 5, 6, 7)), values[5:12, 4:10])


def test_the_file_is_an_ordinary_geotiff(path, values):
    with rasterio.open(path) as dataset:
        assert dataset.descriptions[:3] == ("2018-03-01 B2", "2018-03-01 B8A", "2018-03-16 B2")
        assert dataset.scales[0] == 1e-4
        assert dataset.block_shapes[0] == (256, 256)
        assert dataset.compression.name == "deflate"
        assert dataset.tags()["MADE"] == "so"
        np.testing.assert_array_equal(dataset.read(4), values[:, :, 1, 1])
    assert list(path.parent.iterdir()) == [path]


def test_a_margin_repeats_the_edge(path, values):
    np.testing.assert_array_equal(
        Series.open(path).read(Window(0, 10, 30, 10), margin=2),
        np.pad(values, ((0, 2), (2, 2), (0, 0), (0, 0)), mode="edge")[8:],
    )


def test_missing_values_are_nodata_or_not_a_number(path):
    series = Series.open(path)
    assert series.missing(np.array([-32768, 0], "int16")).tolist() == [True, False]
    assert series.missing(np.array([np.nan, 0.0], "float32")).tolist() == [True, False]


def test_a_failure_leaves_no_series(tmp_path):
    with pytest.raises(ZeroDivisionError), _writer(tmp_path / "series.tif"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("2018-03-01 B2", None), "band 2 is not described"),
        (("2018-03-01 B2", "B3"), "band 2 is described 'B3'"),
        (("2018-02-30 B2", "2018-02-30 B3"), "band 1 is described '2018-02-30 B2'"),
        (("2018-03-01 B2", "2018-03-01 B2"), "a band occurs twice"),
        (("2018-03-02 B2", "2018-03-01 B2"), "dates do not ascend"),
        (("2018-03-01 B2", "2018-03-01 B3", "2018-03-02 B2"), "the last one lacks a band"),
        (("2018-03-01 B2", "2018-03-01 B3", "2018-03-02 B3", "2018-03-02 B2"), "2018-03-02 B2 was expected"),
    ],
)
def test_bands_that_break_the_rule_are_named(tmp_path, write_raster, names, words):
    write_raster(tmp_path / "bad.tif", np.zeros((len(names), 2, 2), "int16"), names=names)
    with pytest.raises(InputError, match=f"bad.tif.*{words}"):
        Series.open(tmp_path / "bad.tif")


def test_a_scale_that_changes_with_the_date_is_refused(path):
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = (1e-4, 1e-4, 2e-4, 1e-4, 1e-4, 1e-4)
    with pytest.raises(InputError, match=r"band 3 \(2018-03-16 B2\) has scale 0\.0002"):
        Series.open(path)


def test_a_truncated_series_is_named(path):
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2)
    with pytest.raises(InputError, match=r"series\.tif"):
        Series.open(path).read()


def test_a_jpeg_2000_of_which_tiles_are_lost_is_named(tmp_path):
    values = np.random.default_rng(0).integers(1, 4000, (1, 256, 256)).astype("uint16")
    kind = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES", "BLOCKXSIZE": 64, "BLOCKYSIZE": 64}
    size = {"width": 256, "height": 256, "count": 1, "dtype": "uint16", "transform": from_origin(0, 256, 1, 1)}
    whole, cut = tmp_path / "whole.jp2", tmp_path / "cut.jp2"
    with rasterio.open(whole, "w", **kind, **size) as dataset:
        dataset.write(values)
    with open_raster(whole) as dataset:
        np.testing.assert_array_equal(read_bands(dataset), values)
    for share in (0.3, 0.6, 0.95):
        cut.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
        with open_raster(cut) as dataset, pytest.raises(InputError, match=r"cut\.jp2"):
            read_bands(dataset)


def test_a_missing_file_and_one_of_another_kind_are_told_apart(tmp_path):
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(InputError, match=r"none\.tif does not exist"):
        Series.open(tmp_path / "none.tif")
    with pytest.raises(InputError, match=r"text\.tif can't be read as a raster"):
        Series.open(tmp_path / "text.tif")


def test_series_of_one_site_share_a_grid(site):
    check_same_grid({name: Series.open(getattr(site, name)) for name in ("sentinel1", "sentinel2")})


def test_series_on_different_grids_are_refused(site, make_series):
    shifted = Series.open(make_series("shifted.tif", np.ones((60, 60, 4, 2), "uint8"), origin=(500010, 5600000)))
    with pytest.raises(InputError, match=r"not on one grid.*60 x 60 pixels"):
        check_same_grid({"sentinel1": shifted, "sentinel2": Series.open(site.sentinel2)})
