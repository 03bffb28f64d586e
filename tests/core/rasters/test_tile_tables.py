"""What rests on the insides of rasterio, GDAL and tifffile: a version that fails here must not be locked."""

import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.rasters import tile_tables
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import Layout
from twinns_qgis.rasters.tile_tables import GdalError, append_tiles, check_tiles, set_tiles

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 96, 64)
LAYOUT = Layout(GRID, "int16", -32768, ("a", "b", "c"), tile=32)
VALUES = np.random.default_rng(0).integers(0, 999, (3, 64, 96)).astype("int16")
LOCK = Path(__file__).parents[3] / "requirements.txt"


def test_the_versions_in_use_are_those_that_were_verified():
    used = set(re.findall(r"^(rasterio|tifffile)==([\d.]+)", LOCK.read_text("utf-8"), re.MULTILINE))
    used |= {("rasterio", rasterio.__version__), ("tifffile", tifffile.__version__)}
    used |= {("GDAL", rasterio.__gdal_version__)}
    (verified,) = re.findall(r"^Verified with .*\.$", tile_tables.__doc__, re.MULTILINE)
    assert [f"{name} {version}" for name, version in used if not re.search(rf" {version}\b", verified)] == []


def test_gdals_bare_errors_are_of_the_class_that_is_caught(tmp_path):
    with LAYOUT.create(tmp_path / "direct.tif"):
        pass
    with pytest.raises(GdalError):
        rasterio.shutil.copy(tmp_path / "direct.tif", tmp_path / "nowhere" / "copy.tif", driver="GTiff")


@given(
    bands=st.integers(1, 3), height=st.integers(1, 100), width=st.integers(1, 100), cut=st.integers(1, 3),
    dtype=st.sampled_from(["uint8", "int16"]), bigtiff=st.sampled_from(["yes", "no"]),
)  # fmt: skip
@settings(max_examples=20, deadline=None)
def test_appended_tiles_make_what_gdal_would_write(tmp_path_factory, bands, height, width, cut, dtype, bigtiff):
    """A file that GDAL has laid out without a tile takes tiles that GDAL has compressed elsewhere."""
    folder = tmp_path_factory.mktemp("tiles")
    grid = Grid(GRID.crs, GRID.transform, width, height)
    layout = Layout(grid, dtype, 0, ("band",) * bands, tile=32)
    values = np.random.default_rng(height).integers(0, 255, (bands, height, width)).astype(dtype)
    shape = {"count": bands, "height": height, "width": width, "dtype": dtype, "crs": grid.crs}
    tiles = {"tiled": True, "blockxsize": 32, "blockysize": 32, "interleave": "band"}
    packed = {"compress": "deflate", "predictor": 2, "bigtiff": bigtiff, "sparse_ok": True}
    with rasterio.open(folder / "appended.tif", "w", "GTiff", transform=grid.transform, **shape, **tiles, **packed):
        pass
    places, sizes = (np.zeros(layout.tiles(grid), np.int64) for _ in range(2))
    with (folder / "appended.tif").open("ab") as raster:
        for first, last in ((32 * cut, height), (0, min(32 * cut, height))):
            if first < last:
                part = Grid(grid.crs, grid.transform, width, last - first)
                layout.write_part(folder / "part.tif", part, values[:, first:last])
                rows = slice(first // 32, -(-last // 32))
                places[:, rows], sizes[:, rows] = append_tiles(folder / "part.tif", raster, layout.tiles(part))
    set_tiles(folder / "appended.tif", places, sizes)
    check_tiles(folder / "appended.tif")
    with rasterio.open(folder / "appended.tif") as found:
        np.testing.assert_array_equal(found.read(), values)


def test_a_file_that_the_disk_cut_short_is_noticed(tmp_path):
    with LAYOUT.create(tmp_path / "direct.tif") as dataset:
        dataset.write(VALUES)
    check_tiles(tmp_path / "direct.tif")
    content = (tmp_path / "direct.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(content[:-100])
    with pytest.raises(InputError, match=r"cut\.tif was cut short"):
        check_tiles(tmp_path / "cut.tif")


def test_a_file_that_lacks_its_tiles_is_noticed(tmp_path):
    with LAYOUT.create(tmp_path / "empty.tif", empty=True):
        pass
    with pytest.raises(InputError, match=r"empty\.tif was cut short"):
        check_tiles(tmp_path / "empty.tif")
