"""Spectral indices against the formulas of METHOD section 1 in plain numpy."""

import numpy as np
import pytest
from keras import ops

from twinns_qgis.networks.indices import INDICES, indices_for, spectral_indices
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


def test_zero_denominator_gives_zero():
    values = np.zeros((1, 10), "float32")
    assert [float(index[0]) for index in spectral_indices(values, SENTINEL2_BANDS)] == [0.0] * 6


def test_indices_that_need_a_missing_band_are_left_out():
    assert indices_for(("B3", "B4", "B8")) == ("NDVI", "NDWI")
    assert indices_for(("VV", "VH")) == ()
