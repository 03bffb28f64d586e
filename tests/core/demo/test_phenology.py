import numpy as np
import pytest

from twinns_qgis.demo.phenology import Curve, Season


def test_a_season_is_half_its_height_at_its_rise_and_at_its_fall():
    season = Season(rise=100, fall=250, height=0.8, pace=5)
    np.testing.assert_allclose(season.at([100, 250]), 0.4, atol=1e-6)
    assert season.at(175) == pytest.approx(0.8, abs=1e-5)
    assert season.at(20) == pytest.approx(0, abs=1e-5)


def test_vigour_scales_the_seasons_and_leaves_the_base():
    curve = Curve(-10.0, (Season(100, 250, 4.0, 5),))
    np.testing.assert_allclose(curve.at([175.0, 175.0, 0.0], [1.0, 0.5, 0.5]), [-6, -8, -10], atol=1e-4)


def test_a_mirrored_curve_is_the_curve_read_backwards():
    curve = Curve(0.1, (Season(80, 150, 0.7, 7), Season(210, 400, -0.3, 12)))
    days = np.arange(1, 366)
    np.testing.assert_allclose(curve.mirrored(184).at(days), curve.at(2 * 184 - days), rtol=1e-12, atol=1e-12)
