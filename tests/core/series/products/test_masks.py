"""Which values of a mask count as clear."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinns_qgis.errors import InputError
from twinns_qgis.series.products.masks import MASKS, clear_text, mask_source, parse_clear


def test_masks_are_separated_by_semicolons_and_values_are_lists_of_ranges():
    chosen = parse_clear(" SCL = 4-7, 11;CLM=0 ; ")
    assert chosen == {"SCL": {4, 5, 6, 7, 11}, "CLM": {0}}
    assert parse_clear("") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CLOUDS=0", "'CLOUDS=0' is not understood"),
        ("SCL", "'SCL' is not understood"),
        ("SCL=4; SCL=5", "'SCL=5' is named twice"),
        ("SCL=", "'' is no value of a mask"),
        ("SCL=4,x", "'x' is no value"),
        ("SCL=7-4", "'7-4' is no value"),
        ("SCL=65536", "'65536' is no value"),
    ],
)
def test_what_is_not_understood_is_told(text, message):
    with pytest.raises(InputError, match=message):
        parse_clear(text)


def test_water_and_snow_are_clear_in_mg2_and_clouds_are_not(tmp_path):
    bits = {"water": 1, "cloud": 2, "snow": 4, "cloud shadow": 8, "slope": 16, "hidden": 32, "low": 64, "tangent": 128}
    mask = mask_source(tmp_path, 1, "MG2")
    assert {name for name, value in bits.items() if value in mask.clear} == {"water", "snow", "slope", "tangent"}
    assert {name for name, value in bits.items() if value in mask.spreads} == {"cloud", "cloud shadow"}
    assert 0 in mask.clear
    assert 1 + 2 in mask.spreads - mask.clear


def test_clouds_and_shadows_spread_and_nothing_that_is_clear_does(tmp_path):
    masks = {name: mask_source(tmp_path, 1, name) for name in ("SCL", "CLM", "MG2", "EDG", "MASK")}
    assert all(not mask.clear & mask.spreads for mask in masks.values())
    assert masks["SCL"].spreads == {3, 8, 9, 10}
    assert not masks["EDG"].spreads


@pytest.mark.parametrize(
    ("name", "clear", "cloudy"),
    [
        ("CLDPRB", [0, 39], [40, 100]),
        ("CLP", [0, 101], [102, 255]),
        ("QA60", [0], [1024, 2048, 3072]),
        ("FMASK", [0, 16, 32, 64, 1 | 64], [2, 8, 10, 2 | 32]),
        ("OA_FMASK", [1, 4, 5], [2, 3]),
        ("QA_PIXEL", [21824, 21952, 30048, 5440, 5504], [22280, 23888, 5896, 7440]),
    ],
)
def test_masks_mean_what_their_makers_say(name, clear, cloudy):
    mask = mask_source(Path("mask.tif"), 1, name)
    assert mask.clear.issuperset(clear)
    assert mask.clear.isdisjoint(cloudy)
    assert mask.spreads.issuperset(cloudy)
    assert mask.spreads.isdisjoint(mask.clear)


def test_nothing_seen_is_not_clear_and_no_cloud():
    for name, value in (("FMASK", 255), ("OA_FMASK", 0), ("QA_PIXEL", 1)):
        mask = mask_source(Path("mask.tif"), 1, name)
        assert value not in mask.clear | mask.spreads


@given(st.dictionaries(st.sampled_from(MASKS), st.frozensets(st.integers(0, 255), min_size=1)))
@settings(max_examples=50, deadline=None)
def test_clear_values_are_read_as_they_were_written(clear):
    assert parse_clear(clear_text(clear)) == clear
