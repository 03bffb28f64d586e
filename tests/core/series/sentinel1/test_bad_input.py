"""What can't be prepared as Sentinel-1, and what the messages say of it."""

from datetime import date

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError


def test_dates_without_a_common_polarisation_are_refused(prepare_radar, tmp_path, write_raster):
    write_raster(tmp_path / "in" / "s1_vh_20180301.tif", np.full((1, 16, 16), -8.0))
    write_raster(tmp_path / "in" / "s1_vv_20180313.tif", np.full((1, 16, 16), -8.0))
    with pytest.raises(InputError, match="No polarisation is there at all dates"):
        prepare_radar()


@pytest.mark.parametrize(("units", "value"), [("dB", 0.05), ("power", -12.0), ("amplitude", -12.0)])
def test_values_that_can_not_be_of_the_units_are_refused(prepare_radar, tmp_path, write_raster, units, value):
    write_raster(tmp_path / "in" / "s1_vv_20180301.tif", np.full((1, 16, 16), value, "float32"))
    with pytest.raises(InputError, match=r"s1_vv_20180301\.tif.*UNITS"):
        prepare_radar(units=units)


def test_a_reference_elsewhere_is_refused_with_both_grids(prepare_radar, radar_image, tmp_path, write_raster):
    radar_image("S1_20180301.tif", -10)
    write_raster(tmp_path / "away.tif", np.zeros((1, 4, 4), "uint8"), origin=(700000, 5600000))
    with pytest.raises(InputError, match=r"away\.tif .*700000.*does not overlap.*S1_20180301\.tif .*500000"):
        prepare_radar(reference=tmp_path / "away.tif")


def test_a_polarisation_without_a_range_is_refused(prepare_radar, radar_image):
    radar_image("S1_20180301.tif", -10)
    with pytest.raises(InputError, match="DB_RANGE has no range for VH"):
        prepare_radar(db_range="VV=-25:5")


def test_a_truncated_image_is_named_and_leaves_no_series(prepare_radar, tmp_path, write_raster):
    for name in ("s1_vv_20180301.tif", "s1_vv_20180313.tif"):
        write_raster(tmp_path / "in" / name, np.full((1, 16, 16), -8.0))
    path = tmp_path / "in" / "s1_vv_20180313.tif"
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 100)
    with pytest.raises(InputError, match=r"s1_vv_20180313\.tif"):
        prepare_radar()
    assert not (tmp_path / "out.tif").exists()


def test_nothing_found_says_what_was_looked_for(prepare_radar, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=r"No Sentinel-1 images.*VV or VH"):
        prepare_radar()


def test_a_damaged_archive_is_named(prepare_radar, radar_image, tmp_path):
    radar_image("S1_20180301.tif", -10)
    (tmp_path / "in" / "S1A_IW_20180103T055812_DVP_RTC10_G_gpuned_1234.zip").write_bytes(b"PK half of it")
    with pytest.raises(InputError, match=r"gpuned_1234\.zip can't be read.*Download it once more"):
        prepare_radar()


def test_images_without_a_polarisation_say_what_was_looked_for(prepare_radar, tmp_path, write_raster):
    write_raster(tmp_path / "in" / "S1_20180301.tif", np.full((2, 16, 16), -8.0))
    with pytest.raises(InputError, match=r"(?s)No Sentinel-1 images were found in the folder .*in.*VV or VH"):
        prepare_radar()
    with pytest.raises(InputError, match=r"(?s)S1_20180301\.tif\): no polarisation.*VV or VH"):
        prepare_radar(layers=(tmp_path / "in" / "S1_20180301.tif",))


@pytest.mark.parametrize("name", ["reference.tif", "in/S1_vv_20180301.tif"])
def test_a_raster_without_crs_is_named(prepare_radar, radar_image, tmp_path, name):
    radar_image("S1_20180313.tif", -10)
    profile = {"driver": "GTiff", "count": 1, "height": 4, "width": 4, "dtype": "float32"}
    with rasterio.open(tmp_path / name, "w", transform=from_origin(500000, 5600000, 10, 10), **profile) as raster:
        raster.write(np.full((1, 4, 4), -10, "float32"))
    with pytest.raises(InputError, match=rf"{name} has no coordinate reference system.*Assign one"):
        prepare_radar()


def test_a_reference_that_is_not_there_is_named(prepare_radar, radar_image, tmp_path):
    radar_image("S1_20180301.tif", -10)
    with pytest.raises(InputError, match=r"nowhere\.tif"):
        prepare_radar(reference=tmp_path / "nowhere.tif")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "a/S1A_IW_20180301T055812_DVP_RTC10_G_gpuned_1234.tif",
            "b/S1A_IW_20180301T055812_DVP_RTC10_G_gpuned_1234.tif",
        ),
        ("S1A_20180301T055812_Sigma0.tif", "S1A_20180301T055812_Gamma0.tif"),
        ("s1a_31UES_DES_110_20180301txxxxxx.tif", "s1a_31UES_DES_110_20180301txxxxxx_filtered.tif"),
    ],
)
def test_two_versions_of_an_image_are_not_averaged(prepare_radar, radar_image, first, second):
    radar_image(first, -10)
    radar_image(second, -11)
    with pytest.raises(InputError, match=r"20180301.*\.tif and .*20180301.*\.tif both are V[VH] .*no slices"):
        prepare_radar(units="dB")


def test_a_table_of_dates_that_names_other_files_is_told(prepare_radar, radar_image, tmp_path, listener):
    radar_image("first.tif", -10)
    radar_image("second.tif", -10)
    table = tmp_path / "dates.csv"
    table.write_text("file,date\nfirst.tif,2018-03-01\nsecond.tif,2018-03-13\nthird.tif,2018-03-25\n")
    assert prepare_radar(dates=table).dates == (date(2018, 3, 1), date(2018, 3, 13))
    assert "dates.csv gives dates to files that are not used: third.tif" in listener.warnings[0]
    table.write_text("file,date\nfirst.tif,2018-03-01\n")
    with pytest.raises(InputError, match=r"No date was found for 1 of 2 files.*second\.tif.*DATES"):
        prepare_radar(dates=table)


@pytest.mark.parametrize(
    ("period", "message"),
    [
        ({"start": date(2018, 4, 1), "end": date(2018, 3, 1)}, "START, 2018-04-01, is after END, 2018-03-01"),
        ({"step": 13}, "STEP, 13 days, is longer than the period from 2018-03-01 to 2018-03-13"),
        ({"start": date(2018, 3, 1), "end": date(2018, 3, 5), "step": 10}, "STEP, 10 days, is longer than the period"),
        ({"start": date(2019, 1, 1)}, "Nothing was acquired from 2019-01-01 .*2018-03-01 to 2018-03-13"),
    ],
)
def test_periods_that_give_no_dates_are_refused(prepare_radar, radar_image, period, message):
    radar_image("S1_20180301.tif", -10)
    radar_image("S1_20180313.tif", -10)
    with pytest.raises(InputError, match=message):
        prepare_radar(**period)


@pytest.mark.parametrize("units", ["dB", "auto"])
def test_images_without_a_value_are_refused(prepare_radar, radar_image, tmp_path, units):
    radar_image("S1_20180301_db.tif", np.nan)
    radar_image("S1_20180313_db.tif", np.nan)
    with pytest.raises(InputError, match=r"2 dates from 2018-03-01 to 2018-03-13 has a value.*swath"):
        prepare_radar(units=units)
    with pytest.raises(InputError, match=r"p1:p99 for VV, which has no values"):
        prepare_radar(units=units, db_range="p1:p99")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "reference.tif"]


def test_dates_without_a_value_are_told(prepare_radar, radar_image, decibels, listener):
    radar_image("S1_20180301.tif", -10)
    radar_image("S1_20180307.tif", np.nan)
    radar_image("S1_20180313.tif", -16)
    np.testing.assert_allclose(decibels(prepare_radar())[0, 0, :, 0], [-10, -13, -16], atol=0.06)
    assert "1 of 3 dates have no value anywhere" in listener.warnings[0]
    assert "2018-03-07" in listener.warnings[0]
    listener.warnings.clear()
    prepare_radar("steps.tif", step=4)
    assert not listener.warnings


@pytest.mark.parametrize("output", ["reference.tif", "in/S1_20180301.tif"])
def test_no_input_is_replaced_by_the_series(prepare_radar, radar_image, tmp_path, output):
    radar_image("S1_20180301.tif", -10)
    before = (tmp_path / output).read_bytes()
    with pytest.raises(InputError, match="is one of the inputs"):
        prepare_radar(output)
    assert (tmp_path / output).read_bytes() == before
