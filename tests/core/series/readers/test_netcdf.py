"""NetCDF files of either sensor, compared with what h5py reads of them."""

import zipfile
from datetime import date
from pathlib import Path

import h5py
import numpy as np
import pytest
from rasterio.crs import CRS

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.production import Machine
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.readers.search import Sentinel2Options
from twinns_qgis.series.sentinel2.finding import find_sentinel2
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2
from twinns_qgis.series.series import Series

HEIGHT, WIDTH = 8, 6
DAYS = "days since 1990-01-01"
RANDOM = np.random.default_rng(0)


def write(
    path, variables, dims=("t", "y", "x"), *, times=(), units=DAYS, bands=(), crs=True, south_up=False, attributes=()
):
    """Writes variables, values or values with attributes, with the classic NetCDF 4 layout of HDF5."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = 5600000 - 5 - 10.0 * np.arange(HEIGHT)
    axes = {
        "x": (500005 + 10.0 * np.arange(WIDTH), {"standard_name": "projection_x_coordinate", "units": "m"}),
        "y": (rows[::-1] if south_up else rows, {"standard_name": "projection_y_coordinate", "units": "m"}),
        "t": (np.asarray(times, float), {"units": units, "standard_name": "time"}),
        "bands": (np.array(bands, h5py.string_dtype()), {}),
    }
    with h5py.File(path, "w") as file:
        for key, value in dict(attributes).items():
            file.attrs[key] = np.bytes_(value)
        if crs:
            file.create_dataset("crs", data=np.int32(0)).attrs["crs_wkt"] = np.bytes_(CRS.from_epsg(32631).to_wkt())
        for name in dims:
            axis = file.create_dataset(name, data=axes[name][0])
            axis.make_scale(name)
            for key, value in axes[name][1].items():
                axis.attrs[key] = np.bytes_(value)
        for name, given in variables.items():
            values, own = given if isinstance(given, tuple) else (given, {})
            variable = file.create_dataset(name, data=values)
            variable.attrs.update(own)
            if crs:
                variable.attrs["grid_mapping"] = np.bytes_("crs")
            for number, dimension in enumerate(dims):
                variable.dims[number].attach_scale(file[dimension])
    return path


def digital_numbers(*shape):
    return RANDOM.integers(100, 5000, (*shape, HEIGHT, WIDTH)).astype("uint16")


@pytest.fixture
def prepare(tmp_path, listener):
    def run(*layers):
        inputs = Inputs(tuple(map(Path, layers)), None if layers else tmp_path / "in")
        prepare_sentinel2(Outputs(tmp_path / "out.tif"), inputs, Period(), machine=Machine(64), reporter=listener)
        return Series.open(tmp_path / "out.tif")

    return run


@pytest.fixture
def find(tmp_path, listener):
    def run(*layers):
        inputs = Inputs(tuple(map(Path, layers)), None if layers else tmp_path / "in")
        return find_sentinel2(inputs, Sentinel2Options(), Period(), listener).products

    return run


def test_a_variable_a_band_with_dates_along_time_becomes_a_series(prepare, tmp_path):
    red, classes = digital_numbers(3), np.full((3, HEIGHT, WIDTH), 4, "uint8")
    red[0, 0] = 65535
    classes[1, :, :2] = 9
    declared = {"scale_factor": 0.0002, "add_offset": -0.1, "_FillValue": np.uint16(65535)}
    write(tmp_path / "in/site.nc", {"S2-L2A-B04": (red, declared), "SCL": classes}, times=(10000, 10010, 10030.4))
    series = prepare()
    assert series.dates == (date(2017, 5, 19), date(2017, 5, 29), date(2017, 6, 18))
    reflectance = np.rint((red * 0.0002 - 0.1) / 0.0001)
    reflectance[0, 0] = reflectance[1, 0]
    reflectance[1, :, :2] = (2 * reflectance[0, :, :2] + reflectance[2, :, :2]) / 3
    reflectance[:, 0, :2] = reflectance[2, 0, :2]
    np.testing.assert_allclose(series.read()[..., 0].transpose(2, 0, 1), reflectance, atol=1)


def test_a_variable_of_all_bands_is_read_as_xarray_writes_it(prepare, tmp_path):
    values = RANDOM.integers(100, 5000, (2, 3, HEIGHT, WIDTH)).astype("int16")
    values[:, 2] = 4
    dims = ("t", "bands", "y", "x")
    write(tmp_path / "in/cube.nc", {"data": values}, dims, times=(0, 5), bands=("B08", "B04", "SCL"))
    series = prepare()
    assert (series.bands, series.dates) == (("B4", "B8"), (date(1990, 1, 1), date(1990, 1, 6)))
    np.testing.assert_array_equal(series.read(), values[:, [1, 0]].transpose(2, 3, 0, 1))


def test_a_row_of_south_comes_last_whatever_the_order_in_the_file(prepare, tmp_path):
    red = digital_numbers(2)
    write(tmp_path / "in/site.nc", {"B04": red[:, ::-1]}, times=(0, 5), south_up=True)
    np.testing.assert_array_equal(prepare().read()[..., 0], red.transpose(1, 2, 0))


@pytest.mark.parametrize("crs", ["", "|crs=EPSG:32632"])
def test_layers_of_qgis_are_variables(prepare, tmp_path, crs):
    red, blue = digital_numbers(2), digital_numbers(2)
    path = write(tmp_path / "a site.nc", {"B04": red, "B02": blue, "B03": blue, "AOT": red}, times=(0, 5))
    series = prepare(f'NETCDF:"{path}":B04{crs}', f'NETCDF:"{path}":B02{crs}')
    assert series.bands == ("B2", "B4")
    assert series.grid.crs == CRS.from_epsg(32632 if crs else 32631)
    np.testing.assert_array_equal(series.read()[..., 1], red.transpose(1, 2, 0))


def test_files_of_one_band_each_are_one_product_a_date(find, tmp_path):
    for band in ("B04", "B08"):
        write(tmp_path / f"in/{band}.nc", {band: digital_numbers(2)}, times=(0, 5))
    assert [(product.date.day, sorted(product.bands)) for product in find()] == [(1, ["B4", "B8"]), (6, ["B4", "B8"])]


@pytest.mark.parametrize(
    ("times", "units", "day"),
    [
        ([1.5e9], "seconds since 1970-01-01", date(2017, 7, 14)),
        ([1.5e12], "milliseconds since 1970-01-01T00:00:00Z", date(2017, 7, 14)),
        ([30], "hours since 2018-1-31 18:00:00.0 +0:00", date(2018, 2, 2)),
        ([-1], "Days since 2018-03-01 00:00", date(2018, 2, 28)),
    ],
)
def test_times_are_read_in_the_units_of_cf(find, tmp_path, times, units, day):
    write(tmp_path / "in/site.nc", {"B04": digital_numbers(1)}, times=times, units=units.lower())
    assert [product.date for product in find()] == [day]


@pytest.mark.parametrize(
    ("key", "text"), [("start_date", "15-MAR-2018 05:50:00.123"), ("time_coverage_start", "2018-03-15T05:50Z")]
)
def test_a_file_without_a_dimension_of_time_tells_its_date_in_an_attribute(find, tmp_path, key, text):
    write(tmp_path / "in/subset.nc", {"B4": digital_numbers()}, ("y", "x"), attributes={key: text})
    assert [product.date for product in find()] == [date(2018, 3, 15)]


def test_means_that_are_times_10_000_are_told_from_reflectance(prepare, tmp_path):
    red = digital_numbers(2).astype("float32") + np.float32(0.5)
    red[0] = np.nan
    write(tmp_path / "in/large.nc", {"B04": red}, times=(0, 5))
    write(tmp_path / "in/small.nc", {"B04": red / 10000}, times=(10, 15))
    values = prepare().read()[..., 0]
    np.testing.assert_allclose(values[..., 1], red[1], atol=0.51)
    np.testing.assert_array_equal(values[..., 1], values[..., 3])


def test_a_crs_in_an_attribute_counts_where_there_is_no_other(find, tmp_path):
    red = digital_numbers(1)
    write(tmp_path / "in/site.nc", {"B04": red}, times=[0], crs=False, attributes={"crs": "EPSG:32631"})
    assert find()[0].grid.crs == CRS.from_epsg(32631)
    other = write(tmp_path / "nowhere.nc", {"B04": red}, times=[0], crs=False)
    with pytest.raises(InputError, match="no coordinate reference system"):
        _ = find(other)[0].grid


def test_backscatter_is_read_with_the_units_of_its_name(prepare_radar, decibels, tmp_path):
    numbers = RANDOM.integers(1500, 4500, (2, HEIGHT, WIDTH)).astype("uint16")
    variables = {"S1-SIGMA0-VV": numbers, "S1-SIGMA0-VH": numbers // 2, "S1-SIGMA0-VV-angle": numbers}
    path = write(tmp_path / "in/s1.nc", variables, times=(0, 12))
    write(tmp_path / "in/s2.nc", {"B04": digital_numbers(1)}, times=[0])
    series = prepare_radar(reference=Path(f'NETCDF:"{path}":S1-SIGMA0-VV'))
    assert (series.bands, series.dates) == (("VV", "VH"), (date(1990, 1, 1), date(1990, 1, 13)))
    expected = np.clip(20 * np.log10(numbers) - 83, -25, 5).transpose(1, 2, 0)
    np.testing.assert_allclose(decibels(series)[..., 0], expected, atol=15 / 254)


def test_what_can_not_be_read_is_refused_with_what_to_do(find, tmp_path):
    path = tmp_path / "in/site.nc"
    write(path, {"B04": digital_numbers(1)}, times=[3], units="months since 2018-01-01")
    with pytest.raises(InputError, match="months since 2018-01-01"):
        find()
    write(path, {"B04": digital_numbers(3)}, ("bands", "y", "x"), bands=("low", "middle", "high"))
    with pytest.raises(InputError, match="3 steps along its dimension bands"):
        find()
    write(path, {"AOT": digital_numbers(1)}, times=[0])
    with pytest.raises(InputError, match="no variable that is named like a band"):
        find()
    with zipfile.ZipFile(tmp_path / "in/site.zip", "w") as archive:
        archive.write(path)
    path.unlink()
    with pytest.raises(InputError, match="unpack"):
        find()


def test_a_whole_file_is_no_reference(tmp_path):
    path = write(tmp_path / "site.nc", {"B04": digital_numbers(1), "B03": digital_numbers(1)}, times=[0])
    with pytest.raises(InputError, match="holds 2 rasters") as refused, open_raster(path) as dataset:
        Grid.of(dataset)
    assert "netcdf:" in refused.value.hint


def test_real_exports_of_openeo_are_as_h5py_reads_them(shared, tmp_path, listener):
    path = shared / "data/gfmap2023/cdse_sentinel2_l2a.nc"
    prepare_sentinel2(Outputs(tmp_path / "out.tif"), Inputs((path,)), Period(), machine=Machine(64), reporter=listener)
    series = Series.open(tmp_path / "out.tif")
    with h5py.File(path) as file:
        clear = np.isin(file["S2-L2A-SCL"][:], (4, 5, 6, 7, 11))
        expected = np.stack([file[f"S2-L2A-{band}"][:].view("uint16") for band in ("B04", "B08", "B11")])
    assert series.bands == ("B4", "B8", "B11")
    assert (len(series.dates), series.dates[0], series.dates[-1]) == (12, date(2023, 4, 2), date(2023, 4, 30))
    found = series.read().transpose(3, 2, 0, 1)
    np.testing.assert_array_equal(found[:, clear], expected[:, clear])
