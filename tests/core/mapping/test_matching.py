"""A series that is not what the model was trained on is refused, with what was expected and found."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.mapping.matching import check_given, check_series, report_shifts
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.series.series import Series
from twinns_qgis.series.static import StaticLayers
from twinns_qgis.training.model_file import read_model


@pytest.fixture(scope="module")
def sensors(random_model):
    return read_model(random_model).manifest.sensors


@pytest.fixture
def series(site):
    return {name: Series.open(getattr(site, name)) for name in ("sentinel1", "sentinel2")}


def test_series_of_the_training_match(sensors, series):
    check_series(sensors, series, "model")


def test_other_number_of_dates_is_refused(sensors, series, make_series):
    longer = Series.open(make_series("longer.tif", np.ones((60, 60, 6, 10), "int16")))
    with pytest.raises(InputError, match=r"has 6 dates, 2018-01-01 to 2018-04-11; model expects 5 dates"):
        check_series(sensors, {**series, "sentinel2": longer}, "model")


def test_the_call_that_prepares_the_right_dates_is_told(sensors, series, make_series):
    values = np.ones((60, 60, 6, 10), "int16")
    longer = Series.open(make_series("longer.tif", values, first_date=date(2021, 3, 1)))
    with pytest.raises(InputError) as caught:
        check_series(sensors, {**series, "sentinel2": longer}, "model")
    assert "twinns prepare-sentinel2 --start 2021-01-01 --end 2021-03-22 --step 20" in caught.value.hint


def test_dates_of_acquisition_are_listed_for_the_year_of_the_series(sensors, series, make_series):
    days = (date(2016, 2, 29), date(2016, 3, 5), date(2016, 3, 17), date(2016, 4, 1), date(2016, 4, 3))
    uneven = [replace(sensor, dates=days) if sensor.name == "sentinel2" else sensor for sensor in sensors]
    longer = Series.open(make_series("longer.tif", np.ones((60, 60, 6, 10), "int16")))
    with pytest.raises(InputError) as caught:
        check_series(uneven, {**series, "sentinel2": longer}, "model")
    assert "nearest to 2018-02-28, 2018-03-05, 2018-03-17, 2018-04-01, 2018-04-03" in caught.value.hint
    assert "--start 2018-02-28 --end 2018-04-03 --step 0" in caught.value.hint


@pytest.mark.parametrize(
    ("first", "days"),
    [(date(2018, 1, 1), 0), (date(2022, 1, 1), 0), (date(2019, 1, 9), 8), (date(2020, 12, 31), 1)],
)
def test_the_largest_shift_within_the_year_is_told(sensors, series, make_series, listener, first, days):
    other = Series.open(make_series("other.tif", np.ones((60, 60, 5, 10), "int16"), first_date=first))
    report_shifts(sensors, {**series, "sentinel2": other}, listener)
    assert [f"is {days} days" in message for message in listener.messages] == [True] * bool(days)
    assert not listener.warnings


def test_half_a_month_of_shift_is_a_warning(sensors, series, make_series, listener):
    other = Series.open(make_series("other.tif", np.ones((60, 60, 5, 10), "int16"), first_date=date(2019, 1, 16)))
    report_shifts(sensors, {**series, "sentinel2": other}, listener)
    (warning,) = listener.warnings
    assert "other.tif" in warning
    assert "15 days: 2019-01-16 stands for 2018-01-01 of the training" in warning


def test_other_bands_are_refused(sensors, series, make_series):
    fewer = Series.open(make_series("fewer.tif", np.ones((60, 60, 5, 3), "int16")))
    with pytest.raises(InputError, match="has the bands B2 B3 B4; model expects B2 B3 B4 B5"):
        check_series(sensors, {**series, "sentinel2": fewer}, "model")


@pytest.mark.parametrize("nodata", [-9999, None])
def test_another_no_data_value_is_refused(sensors, series, make_series, nodata):
    path = make_series("other.tif", np.ones((60, 60, 5, 10), "int16"))
    with rasterio.open(path, "r+") as dataset:
        dataset.nodata = nodata
    with pytest.raises(InputError, match=rf"other.tif has the no data value {nodata}.*; model expects -32768"):
        check_series(sensors, {**series, "sentinel2": Series.open(path)}, "model")


def test_nan_is_missing_for_every_model(sensors, series, make_series):
    path = make_series("other.tif", np.ones((60, 60, 5, 10), "float32"))
    with rasterio.open(path, "r+") as dataset:
        dataset.nodata = np.nan
    check_series(sensors, {**series, "sentinel2": Series.open(path)}, "model")


def test_missing_series_is_refused(sensors, series):
    with pytest.raises(InputError, match="trained on sentinel1 and sentinel2, given: sentinel2"):
        check_given(sensors, ["sentinel2"], "model")


def test_static_rasters_count_by_their_order(listener):
    one = Sensor("static", (), ("elevation", "slope"), (1.0,) * 2, (0.0,) * 2, None, "float32")
    grid = Grid(CRS.from_epsg(32631), from_origin(0, 0, 10, 10), 5, 5)
    found = StaticLayers(Path("a.tif"), grid, (), ("dem", "slope"), one.scale, one.offset, None, "float32")
    check_series([one], {"static": found}, "model")
    report_shifts([one], {"static": found}, listener)
    assert listener.messages == ["Static rasters count by their order: dem for elevation of the training."]
    for wrong in (("elevation",), ("slope", "elevation")):
        with pytest.raises(InputError, match="model expects 2: elevation, slope") as caught:
            check_series([one], {"static": replace(found, bands=wrong)}, "model")
        assert "same order" in caught.value.hint
