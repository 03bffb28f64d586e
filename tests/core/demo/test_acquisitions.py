from datetime import timedelta
from itertools import pairwise

from twinns_qgis.demo.acquisitions import MIDPOINT, sentinel1_dates, sentinel2_overpasses


def test_dates_and_clouds_are_the_same_read_backwards():
    overpasses = sentinel2_overpasses()
    assert [2 * (MIDPOINT - item.day) for item in overpasses] == [
        item.day - mirror.day for item, mirror in zip(overpasses[::-1], overpasses, strict=True)
    ]
    covers = [item.cloud_cover for item in overpasses]
    assert covers == covers[::-1]
    assert [MIDPOINT + (MIDPOINT - day) for day in sentinel1_dates()] == list(sentinel1_dates())[::-1]


def test_the_sensors_never_look_on_the_same_day():
    assert not {item.day for item in sentinel2_overpasses()} & set(sentinel1_dates())


def test_each_satellite_returns_on_its_own_cycle():
    for platform in "AB":
        days = [item.day for item in sentinel2_overpasses() if item.platform == platform]
        assert all((day - days[0]) % timedelta(10) == timedelta(0) for day in days)
    radar = sentinel1_dates()
    assert {later - earlier for earlier, later in pairwise(radar)} == {timedelta(12)}
    assert len({item.day.year for item in sentinel2_overpasses()} | {day.year for day in radar}) == 1
