from datetime import timedelta
from itertools import pairwise

import pytest

from twinns_qgis.demo.acquisitions import day_of_year, midpoint, sentinel1_dates, sentinel2_overpasses


def test_dates_and_clouds_are_the_same_read_backwards():
    overpasses = sentinel2_overpasses()
    assert [2 * (midpoint() - item.day) for item in overpasses] == [
        item.day - mirror.day for item, mirror in zip(overpasses[::-1], overpasses, strict=True)
    ]
    covers = [item.cloud_cover for item in overpasses]
    assert covers == covers[::-1]
    assert [midpoint() + (midpoint() - day) for day in sentinel1_dates()] == list(sentinel1_dates())[::-1]


def test_the_sensors_never_look_on_the_same_day():
    assert not {item.day for item in sentinel2_overpasses()} & set(sentinel1_dates())


def test_each_satellite_returns_on_its_own_cycle():
    for platform in "AB":
        days = [item.day for item in sentinel2_overpasses() if item.platform == platform]
        assert all((day - days[0]) % timedelta(10) == timedelta(0) for day in days)
    radar = sentinel1_dates()
    assert {later - earlier for earlier, later in pairwise(radar)} == {timedelta(12)}
    assert len({item.day.year for item in sentinel2_overpasses()} | {day.year for day in radar}) == 1


@pytest.mark.parametrize("year", [2019, 2020, 2021])
def test_another_year_has_as_many_dates_and_clouds_on_other_days(year):
    usual, other = sentinel2_overpasses(), sentinel2_overpasses(year)
    assert {item.day.year for item in other} | {day.year for day in sentinel1_dates(year)} == {year}
    assert sorted(item.cloud_cover for item in other) == sorted(item.cloud_cover for item in usual)
    assert [day_of_year(item.day) for item in other] != [day_of_year(item.day) for item in usual]
    assert not {item.day for item in other} & set(sentinel1_dates(year))
    assert [2 * (midpoint(year) - item.day) for item in other] == [
        item.day - mirror.day for item, mirror in zip(other[::-1], other, strict=True)
    ]
