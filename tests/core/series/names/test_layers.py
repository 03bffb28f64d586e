"""Bands and masks in names."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinns_qgis.series.names.layers import is_of_no_series, layer_described, layers_in
from twinns_qgis.series.series import SENTINEL2_BANDS

BANDS = st.sampled_from(SENTINEL2_BANDS)
CODES = st.sampled_from(["{}", "B0{1}", "band{1}", "Band_{1}", "BAND {1}", "sr_band{1}", "SR_{}", "fre_{}"])
NAMES = st.sampled_from(
    ["{}", "T31UES_20180305T104629_{}_10m", "S2A_20180305.{}", "20180305-{}", "{}_20180305", "a b {}"]
)


@settings(max_examples=150, deadline=None)
@given(BANDS, CODES, NAMES, st.sampled_from([str, str.lower, str.upper]))
def test_a_band_is_read_as_it_was_written(band, code, name, change):
    written = code.format(band, band[1:])
    if written.startswith("B0") and len(band) == 3 and band[-1] != "A":
        return  # B011 is no band
    assert layers_in(change(name.format(written))) == (band,)


@settings(max_examples=100, deadline=None)
@given(BANDS, BANDS, st.sampled_from(["{}_{}", "20180305_{}-{}_10m", "{}/{}"]))
def test_two_bands_are_both_possible(first, second, name):
    assert layers_in(name.format(first, second)) == tuple(dict.fromkeys((first, second)))


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("red_river_20180305", ()),
        ("20180305_red_river_green", ("B3",)),
        ("green_red", ("B3", "B4")),
        ("B05_NIR", ("B5", "B8")),
        ("B8A_NIR", ("B8A",)),
        ("B04_red", ("B4",)),
        ("B02_mask", ()),
        ("Clipped (mask) T31UES_20180305_B02", ("B2",)),
        ("B02_SCL", ("B2", "SCL")),
        ("MSK_CLDPRB_20m", ("CLDPRB",)),
        ("cloud_probability", ("CLDPRB",)),
        ("cloudmask_20180305", ("CLM",)),
        ("NDVI_B8_B4", ()),
        ("B04_std", ()),
        ("B011", ()),
        ("B00", ()),
        ("B13", ()),
    ],
)
def test_words_count_where_they_can_mean_nothing_else(name, layers):
    assert layers_in(name) == layers


@pytest.mark.parametrize("text", ["B02 noise", "B04-B08", "my B02", "B02 in summer", "", "red river"])
def test_a_description_that_says_more_names_no_band(text):
    assert layer_described(text) is None


@pytest.mark.parametrize("text", ["B01", "20180305_B9", "NDVI", "T31UES_TCI_10m", "MSK_DETFOO_B02"])
def test_what_no_series_has_is_known_too(text):
    assert is_of_no_series(text)
    assert layers_in(text) == ()
