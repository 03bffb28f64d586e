"""The four pairs: the same but for one cue, by construction."""

import numpy as np
import pytest

from twinns_qgis.demo.acquisitions import day_of_year, sentinel1_dates, sentinel2_overpasses
from twinns_qgis.demo.classes import CLASSES, OPTICAL_PAIR, ORDER_PAIR, RADAR_PAIR, SURROUNDINGS_PAIR, Pattern

DAYS = np.arange(1.0, 366.0)
SENTINEL1_DAYS = np.array([day_of_year(day) for day in sentinel1_dates()], float)
SENTINEL2_DAYS = np.array([day_of_year(item.day) for item in sentinel2_overpasses()], float)


def surface(code):
    return CLASSES[code - 1].surfaces[0]


def of_year(values_on, days=DAYS, vigour=1.0):
    return values_on(days, np.full(len(days), vigour))


def sorted_in_time(values):
    """Returns the dates' values as rows, in an order that does not depend on that of the dates."""
    return values[np.lexsort(values.round(9).T)]


def test_codes_count_the_classes():
    assert [item.land_cover.code for item in CLASSES] == list(range(1, 12))


@pytest.mark.parametrize("vigour", [0.8, 1.0, 1.2])
def test_the_radar_pair_looks_the_same_to_sentinel2_but_not_to_sentinel1(vigour):
    dry, flooded = (surface(code) for code in RADAR_PAIR)
    np.testing.assert_array_equal(of_year(dry.reflectance, vigour=vigour), of_year(flooded.reflectance, vigour=vigour))
    difference = of_year(flooded.backscatter_db) - of_year(dry.backscatter_db)
    assert np.ptp(difference[:, 0]) > 3


@pytest.mark.parametrize("vigour", [0.8, 1.0, 1.2])
def test_the_optical_pair_looks_the_same_to_sentinel1_but_not_to_sentinel2(vigour):
    rapeseed, pea = (surface(code) for code in OPTICAL_PAIR)
    np.testing.assert_array_equal(
        of_year(rapeseed.backscatter_db, vigour=vigour), of_year(pea.backscatter_db, vigour=vigour)
    )
    assert np.abs(of_year(rapeseed.reflectance) - of_year(pea.reflectance)).max() > 0.03


@pytest.mark.parametrize(("sensor", "days"), [("reflectance", SENTINEL2_DAYS), ("backscatter_db", SENTINEL1_DAYS)])
def test_the_order_pair_has_the_same_values_at_its_dates_in_another_order(sensor, days):
    early, late = (of_year(getattr(surface(code), sensor), days) for code in ORDER_PAIR)
    np.testing.assert_allclose(sorted_in_time(early), sorted_in_time(late), atol=1e-9)
    assert np.abs(early - late).max() > 0.05


def test_an_early_crop_is_as_late_as_a_late_crop_is_early():
    early, late = (surface(code) for code in ORDER_PAIR)
    for shift in (3.0, -7.0):
        np.testing.assert_allclose(
            sorted_in_time(of_year(early.reflectance, SENTINEL2_DAYS - shift)),
            sorted_in_time(of_year(late.reflectance, SENTINEL2_DAYS + shift)),
            atol=1e-9,
        )


def test_the_surroundings_pair_has_the_same_surfaces_in_another_pattern():
    orchard, scrub = (CLASSES[code - 1] for code in SURROUNDINGS_PAIR)
    assert orchard.surfaces == scrub.surfaces
    assert (orchard.pattern, scrub.pattern) == (Pattern.ROWS, Pattern.SCATTERED)


def test_reflectance_is_that_of_real_ground():
    for item in CLASSES:
        for one in item.surfaces:
            values = of_year(one.reflectance, vigour=1.2)
            assert values.min() > 0
            assert values.max() < 0.6
