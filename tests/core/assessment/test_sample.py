"""Samples of a map: their size against a published example, and every pixel with the same chance."""

import numpy as np
import pytest
from scipy import stats

from twinns_qgis.assessment import sample
from twinns_qgis.assessment.sample import allocate, draw, parse_expected, sample_size
from twinns_qgis.errors import InputError
from twinns_qgis.mapping.classified import ClassifiedMap
from twinns_qgis.reporter import Reporter

CODES = np.random.default_rng(0).choice([0, 1, 2, 7], (37, 53), p=[0.2, 0.5, 0.25, 0.05]).astype("uint8")
PIXELS = {code: int((code == CODES).sum()) for code in (1, 2, 7)}
SHARES = {1: 200_000, 2: 150_000, 3: 3_200_000, 4: 6_450_000}


@pytest.fixture
def cover(tmp_path, write_raster):
    write_raster(tmp_path / "map.tif", CODES[None], nodata=0)
    return ClassifiedMap.open([tmp_path / "map.tif"])


def test_the_size_is_that_of_the_published_example():
    """Olofsson et al. (2014), section 5.1.1: 641 for a standard error of 0.01."""
    assert sample_size(SHARES, {1: 0.7, 2: 0.6, 3: 0.9, 4: 0.95}, 0.01) == 641


def test_the_allocation_is_that_of_the_published_example():
    """Their table 5: equal, by area, and 75 of each rare class with the rest by area (there 165 and 325, rounded)."""
    assert allocate(SHARES, 640, "equal", 50) == {1: 160, 2: 160, 3: 160, 4: 160}
    assert allocate(SHARES, 640, "proportional", 50) == {1: 13, 2: 10, 3: 205, 4: 413}
    found = allocate(SHARES, 640, "olofsson", 75)
    assert (found[1], found[2]) == (75, 75)
    assert found[3] == pytest.approx(165, abs=3)
    assert found[4] == pytest.approx(325, abs=3)


def test_no_class_gets_more_than_it_has_or_none():
    assert allocate({1: 3, 2: 1_000_000}, 100, "equal", 50) == {1: 3, 2: 50}
    assert allocate({1: 3, 2: 1_000_000}, 100, "proportional", 50) == {1: 1, 2: 100}


def test_pixels_are_of_their_classes_and_none_is_drawn_twice(cover):
    wanted = {1: 40, 2: 30, 7: PIXELS[7]}
    drawn = draw(cover, PIXELS, wanted, 3, Reporter())
    codes = CODES[drawn.rows, drawn.columns]
    assert {code: int((codes == code).sum()) for code in wanted} == wanted
    assert len(set(zip(drawn.rows.tolist(), drawn.columns.tolist(), strict=True))) == len(drawn)


def test_every_pixel_of_a_class_has_the_same_chance(cover):
    counts = np.zeros(CODES.shape, int)
    for seed in range(400):
        drawn = draw(cover, PIXELS, {2: 25}, seed, Reporter())
        counts[drawn.rows, drawn.columns] += 1
    assert counts[CODES != 2].sum() == 0
    assert stats.chisquare(counts[CODES == 2]).pvalue > 0.001


def test_the_order_tells_nothing_of_the_class(cover):
    drawn = draw(cover, PIXELS, {1: 200, 2: 200}, 0, Reporter())
    ones = np.flatnonzero(CODES[drawn.rows, drawn.columns] == 1)
    assert stats.ks_1samp(ones / len(drawn), stats.uniform.cdf).pvalue > 0.01


def test_what_is_drawn_depends_on_the_seed_and_not_on_the_strips(cover, monkeypatch):
    first = draw(cover, PIXELS, {1: 20, 7: 5}, 5, Reporter())
    monkeypatch.setattr(sample, "_AT_ONCE", 100)
    again = draw(cover, PIXELS, {1: 20, 7: 5}, 5, Reporter())
    np.testing.assert_array_equal(first.rows, again.rows)
    np.testing.assert_array_equal(first.columns, again.columns)
    other = draw(cover, PIXELS, {1: 20, 7: 5}, 6, Reporter())
    assert first.rows.tolist() != other.rows.tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("high", "'high', which is no number"),
        ("1.2", "holds 1.2"),
        ("0.9,orchard=0.8", "names 'orchard'"),
        ("water=0.9", "nothing of wheat"),
        ("", "nothing of water, wheat"),
    ],
)
def test_an_expected_accuracy_that_means_nothing_is_refused(text, words):
    with pytest.raises(InputError, match=words):
        parse_expected(text, {1: "water", 2: "wheat"})


def test_expected_accuracies_are_by_name_or_code():
    assert parse_expected("0.8,Water=0.95", {1: "water", 2: "wheat"}) == {1: 0.95, 2: 0.8}
    assert parse_expected("1=0.7,2=0.6", {1: "water", 2: "wheat"}) == {1: 0.7, 2: 0.6}
