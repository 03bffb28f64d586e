"""Choosing images by their orbit, and the images of one day."""

import numpy as np
import pytest

from twinns_qgis.errors import InputError

HALF_A_STEP = 15 / 254 + 1e-6
"""What rounding to the 8 bits' values may change, in decibels."""


def _both_directions(radar_image):
    radar_image("s1a_31UES_DES_110_20180301.tif", -10)
    radar_image("s1a_31UES_ASC_132_20180301.tif", -16)
    radar_image("s1a_31UES_ASC_030_20180307.tif", -13)
    radar_image("s1a_31UES_DES_110_20180313.tif", -11)


@pytest.mark.parametrize(
    ("orbit", "expected"),
    [
        ("ascending", {"2018-03-01": -16, "2018-03-07": -13}),
        ("Descending", {"2018-03-01": -10, "2018-03-13": -11}),
        ("132", {"2018-03-01": -16}),
        (" 030", {"2018-03-07": -13}),
    ],
)
def test_only_the_images_of_the_orbit_are_used(prepare_radar, radar_image, orbit, expected, decibels):
    _both_directions(radar_image)
    series = prepare_radar(orbit=orbit)
    assert [str(day) for day in series.dates] == list(expected)
    np.testing.assert_allclose(decibels(series)[3, 3, :, 0], list(expected.values()), atol=HALF_A_STEP)


def test_several_orbits_are_told(prepare_radar, radar_image, listener):
    _both_directions(radar_image)
    prepare_radar()
    told = "several orbits: ascending 132 (1), ascending 30 (1), descending 110 (2)"
    assert any(told in message for message in listener.messages)


def test_without_images_of_the_orbit_those_that_are_there_are_told(prepare_radar, radar_image):
    _both_directions(radar_image)
    with pytest.raises(InputError, match=r"ORBIT 8; there are ascending 132 \(1\), ascending 30 \(1\), descending 110"):
        prepare_radar(orbit="8")


def test_images_of_unknown_orbit_are_listed_where_one_is_asked_for(prepare_radar, radar_image):
    _both_directions(radar_image)
    radar_image("s1_20180302.tif", -10)
    radar_image("s1_20180303_DES.tif", -10)
    with pytest.raises(InputError, match=r"of 2 of 6 images: s1_20180302\.tif, s1_20180303_DES\.tif"):
        prepare_radar(orbit="110")
    with pytest.raises(InputError, match=r"of 1 of 6 images: s1_20180302\.tif"):
        prepare_radar(orbit="descending")
    assert len(prepare_radar(orbit="any").dates) == 5


@pytest.mark.parametrize("orbit", ["", "north", "0", "176", "-3", "1.5"])
def test_what_is_no_orbit_is_refused(prepare_radar, radar_image, orbit):
    radar_image("S1_20180301.tif", -10)
    with pytest.raises(InputError, match=f"ORBIT is '{orbit}'"):
        prepare_radar(orbit=orbit)
