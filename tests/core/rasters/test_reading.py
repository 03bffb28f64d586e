"""Opening rasters."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.files import check_spared, container_of, crs_of, file_of, nodata_of, sha256_of
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
@pytest.mark.parametrize("name", ["s2.tif", "Äcker #1 100 % & 'co' {x}.tif", "a|b?c=d\n.tif", "a" * 200 + ".tif"])
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
    with pytest.raises(InputError, match="there is no CRS 'EPSG:1'"), open_raster(path):
        pass


@pytest.mark.parametrize(
    ("text", "nodata"),
    [("none", ()), ("0", (0,)), ("-32768,0", (-32768, 0)), ("nan", (np.nan,)), ("1e3,-.5", (1e3, -0.5))],
)
def test_missing_values_that_are_told_are_read(text, nodata):
    for path in (Path(f"s|2.tif|nodata={text}"), Path(f"s|2.tif|crs=EPSG:32631|nodata={text}")):
        np.testing.assert_array_equal(nodata_of(path), nodata)
        assert file_of(path) == Path("s|2.tif")
    assert nodata_of(Path("s2.tif|crs=EPSG:32631")) is None


@pytest.mark.parametrize("text", ["x", "1,2,3", "1,,2", "none,1"])
def test_missing_values_that_are_none_are_told(series, text):
    with pytest.raises(InputError, match=f"has '{text}' as no data"):
        Series.open(Path(f"{series('s2.tif', None)}|nodata={text}"))


@given(st.lists(st.integers(-32768, 32767), max_size=2))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_missing_values_that_are_told_count_instead_of_the_files(series, values):
    told = Path(f"{series('s2.tif', 'EPSG:32631')}|nodata={','.join(map(str, values)) or 'none'}")
    with rasterio.open(file_of(told)) as dataset:
        expected = np.isin(np.moveaxis(dataset.read(), 0, -1), values)[:, :, None]
    found = Series.open(told)
    assert found.nodata == (values[0] if values else None)
    np.testing.assert_array_equal(found.missing(found.read()), expected)


def test_a_raster_in_an_archive_is_read_by_a_path_that_goes_on_within_it(series, tmp_path):
    file = series("s2.tif", "EPSG:4326")
    with zipfile.ZipFile(tmp_path / "year.zip", "w") as archive:
        archive.write(file, "a/s2.tif")
    path = tmp_path / "year.zip" / "a" / "s2.tif"
    np.testing.assert_array_equal(Series.open(path).read(), Series.open(file).read())
    told = Series.open(Path(f"{path}|crs=EPSG:32631|nodata=5"))
    assert (told.grid.crs.to_epsg(), told.nodata) == (32631, 5)
    assert container_of(told.path) == tmp_path / "year.zip"
    assert sha256_of(told.path) == sha256_of(tmp_path / "year.zip")
    with pytest.raises(InputError, match="is one of the inputs"):
        check_spared([tmp_path / "year.zip"], [told.path])
    with pytest.raises(InputError, match="can't be read as a raster"), open_raster(tmp_path / "year.zip" / "b.tif"):
        pass


def test_messages_name_the_file_of_a_raster_of_which_the_user_knows_better(series):
    file = series("s2.tif", None)
    with pytest.raises(InputError, match=f"^{file} has no coordinate reference system"):
        Series.open(Path(f"{file}|nodata=5"))
