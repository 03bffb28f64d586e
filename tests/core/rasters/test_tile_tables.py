"""What rests on the insides of rasterio, GDAL and tifffile."""

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import Layout
from twinns_qgis.rasters.tile_tables import GdalError, append_tiles, check_tiles, set_tiles

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 96, 64)
LAYOUT = Layout(GRID, "int16", -32768, ("a", "b", "c"), tile=32)
VALUES = np.random.default_rng(0).integers(0, 999, (3, 64, 96)).astype("int16")


def test_gdals_bare_errors_are_of_the_class_that_is_caught(tmp_path):
    with LAYOUT.create(tmp_path / "direct.tif"):
        pass
    with pytest.raises(GdalError):
        rasterio.shutil.copy(tmp_path / "direct.tif", tmp_path / "nowhere" / "copy.tif", driver="GTiff")


def test_appended_tiles_make_the_raster_that_gdal_would_write(tmp_path):
    """A file that GDAL has laid out without a tile takes tiles that GDAL has compressed elsewhere."""
    with LAYOUT.create(tmp_path / "direct.tif") as dataset:
        dataset.write(VALUES)
    LAYOUT.write_part(tmp_path / "part.tif", GRID, VALUES)
    with LAYOUT.create(tmp_path / "appended.tif", empty=True):
        pass
    with (tmp_path / "appended.tif").open("ab") as raster:
        places, sizes = append_tiles(tmp_path / "part.tif", raster, LAYOUT.tiles(GRID))
    set_tiles(tmp_path / "appended.tif", places, sizes)
    check_tiles(tmp_path / "appended.tif")
    with rasterio.open(tmp_path / "appended.tif") as found, rasterio.open(tmp_path / "direct.tif") as expected:
        np.testing.assert_array_equal(found.read(), expected.read())
        assert found.profile == expected.profile


def test_a_file_that_the_disk_cut_short_is_noticed(tmp_path):
    with LAYOUT.create(tmp_path / "direct.tif") as dataset:
        dataset.write(VALUES)
    check_tiles(tmp_path / "direct.tif")
    content = (tmp_path / "direct.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(content[:-100])
    with pytest.raises(InputError, match=r"cut\.tif was cut short"):
        check_tiles(tmp_path / "cut.tif")
