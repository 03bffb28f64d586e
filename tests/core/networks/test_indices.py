"""Spectral indices against the formulas of METHOD section 1 in plain numpy."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from twinns_qgis.networks.indices import BRIGHTNESS, INDICES, NORMALISED_DIFFERENCES, indices_for, spectral_indices
from twinns_qgis.series.series import SENTINEL2_BANDS


@pytest.fixture
def reflectance():
    return np.random.default_rng(0).uniform(0.01, 0.6, (7, 10)).astype("float32")


def test_indices_follow_their_formulas(reflectance):
    b = {name: reflectance[:, position].astype(float) for position, name in enumerate(SENTINEL2_BANDS)}
    expected = {
        "NDVI": (b["B8"] - b["B4"]) / (b["B8"] + b["B4"]),
        "NDWI": (b["B3"] - b["B8"]) / (b["B3"] + b["B8"]),
        "BI": np.sqrt((reflectance.astype(float) ** 2).sum(axis=1)),
        "MNDVI": (b["B8"] - b["B11"]) / (b["B8"] + b["B11"]),
        "MNDWI": (b["B3"] - b["B11"]) / (b["B3"] + b["B11"]),
        "RNDVI": (b["B8"] - b["B5"]) / (b["B8"] + b["B5"]),
    }
    for name, index in zip(INDICES, spectral_indices(reflectance, SENTINEL2_BANDS), strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(index), expected[name], atol=1e-6, err_msg=name)


BANDS = hnp.arrays("float32", 10, elements=st.integers(-2000, 20000).map(lambda raw: np.float32(raw * 1e-4)))


@given(BANDS)
@settings(deadline=None)
def test_normalised_differences_stay_what_they_are_for_reflectance_that_is_not_negative(reflectance):
    """Dark water has slightly negative reflectance, and the bare quotient then runs to hundreds."""
    for name, index in zip(INDICES, spectral_indices(reflectance, SENTINEL2_BANDS), strict=True):
        if name != BRIGHTNESS:
            a, b = (reflectance[SENTINEL2_BANDS.index(band)] for band in NORMALISED_DIFFERENCES[name])
            total = np.float32(a + b)
            expected = np.clip(np.float32(a - b) / total, -1, 1) if total else 0
            assert float(index) == pytest.approx(expected, abs=1e-6)


def test_water_does_not_press_vegetation_together():
    reflectance = np.full((3, 10), 0.05, "float32")
    reflectance[0] = -0.0149  # against 0.0151 the quotient would be -150
    reflectance[0, SENTINEL2_BANDS.index("B4")] = 0.0151
    reflectance[2, SENTINEL2_BANDS.index("B8")] = 0.45
    ndvi = ops.convert_to_numpy(spectral_indices(reflectance, SENTINEL2_BANDS)[INDICES.index("NDVI")])
    np.testing.assert_allclose(ndvi, [-1, 0, 0.8], atol=1e-6)


def test_zero_denominator_gives_zero():
    values = np.zeros((1, 10), "float32")
    assert [float(index[0]) for index in spectral_indices(values, SENTINEL2_BANDS)] == [0.0] * 6


def test_indices_that_need_a_missing_band_are_left_out():
    assert indices_for(("B3", "B4", "B8")) == ("NDVI", "NDWI")
    assert indices_for(("VV", "VH")) == ()
