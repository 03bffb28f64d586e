"""Opening rasters."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.files import check_spared, crs_of, file_of, sha256_of
from twinns_qgis.rasters.archives import place
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.series.series import Series


@pytest.fixture
def series(tmp_path):
    """Writes a series in a CRS of choice; returns its path."""

    def write(name, crs):
        values = np.arange(2 * 6 * 7, dtype=np.int16).reshape(2, 6, 7)
        profile = {"driver": "GTiff", "width": 7, "height": 6, "count": 2, "dtype": "int16", "nodata": -32768}
        with rasterio.open(tmp_path / name, "w", crs=crs, transform=from_origin(5e5, 5e6, 10, 10), **profile) as file:
            file.descriptions = ("2018-03-01 B2", "2018-03-01 B3")
            file.scales = (0.0001, 0.0001)
            file.update_tags(SENSOR="Sentinel-2")
            file.write(values)
        return tmp_path / name

    return write


@pytest.mark.parametrize("own", [None, "EPSG:4326"])
@pytest.mark.parametrize("name", ["s2.tif", "Äcker #1 100 % & 'co' {x}.tif", "a" * 200 + ".tif"])
def test_a_raster_with_another_crs_is_the_same_but_for_the_crs(series, own, name):
    right = Series.open(series("right.tif", "EPSG:32631"))
    given = Series.open(Path(f"{series(name, own)}|crs=EPSG:32631"))
    assert given.grid == right.grid
    assert (given.bands, given.scale, given.nodata) == (right.bands, right.scale, right.nodata)
    np.testing.assert_array_equal(given.read(margin=2), right.read(margin=2))
    with open_raster(given.path) as dataset:
        assert dataset.tags()["SENSOR"] == "Sentinel-2"


def test_the_other_crs_may_be_spelt_out(series):
    wkt = CRS.from_string("+proj=laea +lat_0=50 +lon_0=4").to_wkt()
    assert "Lambert" in Series.open(Path(f"{series('s2.tif', None)}|crs={wkt}")).grid.crs.to_wkt()


def test_a_raster_with_another_crs_is_still_its_file(series):
    file = series("s2.tif", None)
    path = Path(f"{file}|crs=EPSG:32631")
    assert (file_of(path), crs_of(path), place(path)) == (file, "EPSG:32631", file)
    assert (file_of(file), crs_of(file)) == (file, None)
    assert sha256_of(path) == sha256_of(file)
    with pytest.raises(InputError, match="is one of the inputs"):
        check_spared([file], [path])


@pytest.mark.parametrize("name", ["none.tif|crs=EPSG:32631", "none.tif"])
def test_a_raster_that_is_not_there_is_told(tmp_path, name):
    with pytest.raises(InputError, match="does not exist"), open_raster(tmp_path / name):
        pass


def test_a_crs_that_is_none_is_told(series):
    path = Path(f"{series('s2.tif', None)}|crs=EPSG:1")
    with pytest.raises(InputError, match="EPSG:1 can't be read"), open_raster(path):
        pass
