"""Days of acquisition in names."""

from datetime import date
from pathlib import PurePath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinns_qgis.series.names.days import days_in, days_of

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
WRITTEN = st.sampled_from(
    [
        "{:%Y%m%d}", "{:%Y-%m-%d}", "{:%Y_%m_%d}", "{:%Y.%m.%d}", "{:%d%b%Y}", "{:%Y%m%d}T104629",
        "{:%Y-%m-%d}T10:46:29Z", "{:%Y%m%d}-105421-464", "{:%Y%j}", "{:%Y%j}T104629",
    ]
)  # fmt: skip
FOLDERS = st.sampled_from(
    ["{0.year}/{0.month}/{0.day}", "{:%Y/%m/%d}", "year={0.year}/month={0.month}/day={0.day}", "{:%Y/%j}"]
)
AROUND = st.sampled_from(["", "T31UES_", "S2A_MSIL2A_", "s1a_31UES_vv_DES_110_", "site.", "HLS.S30.T31UES."])


@settings(max_examples=100, deadline=None)
@given(DAYS, WRITTEN, AROUND, st.sampled_from(["", "_B04_10m", ".v2.0.B8A", "_R051"]))
def test_a_day_is_read_as_it_was_written(day, written, before, after):
    assert days_in(f"{before}{written.format(day)}{after}") == (day,)


@settings(max_examples=50, deadline=None)
@given(DAYS, FOLDERS, st.sampled_from(["B04.tif", "0/R10m/B04.jp2", "T31UES/red.tif"]))
def test_folders_tell_the_day(day, folders, file):
    assert days_of(PurePath("31/U/ES") / folders.format(day) / file) == (day,)


@settings(max_examples=50, deadline=None)
@given(DAYS, DAYS, st.sampled_from(["{:%Y%m%d}T105421_{:%Y%m%d}T150000", "LC08_L2SP_199026_{:%Y%m%d}_{:%Y%m%d}_02_T1"]))
def test_of_two_days_in_an_archive_s_name_the_first_is_that_of_acquisition(first, second, name):
    assert days_in(name.format(first, second)) == (first,)


@settings(max_examples=50, deadline=None)
@given(st.lists(DAYS, min_size=2, max_size=2, unique=True))
def test_two_days_without_times_are_both_possible(days):
    assert days_in("_".join(f"{day:%Y%m%d}" for day in days)) == tuple(days)


@pytest.mark.parametrize("word", ["export", "processed", "created_", "downloaded-", "run "])
def test_a_day_behind_a_word_of_making_is_none_of_acquisition(word):
    assert days_in(f"{word}20240101") == ()
    assert days_of(PurePath(f"{word}20240101/20180305_B04.tif")) == (date(2018, 3, 5),)


@pytest.mark.parametrize("name", ["120180103", "20181303", "1234", "2018-0103", "20180001", "2018367", "tile_2018"])
def test_other_numbers_are_no_days(name):
    assert days_in(name) == ()


@pytest.mark.parametrize(
    "name",
    [
        "S1A_20180305_VV_20240101T101010",
        "20240101_S2A_MSIL2A_20180305T105421_N0206_R051_T31UES_20190507T150000",
        "20240101T101010_T31UES_20180305T105421_B04",
        "T31UES_20180305_v20240101_B04",
        "2024-01-01 LC08_L2SP_199026_20180305_20210528_02_T1_SR_B4",
    ],
)
def test_a_day_before_or_behind_the_name_of_a_product_is_not_that_of_acquisition(name):
    assert days_in(name) == (date(2018, 3, 5),)
