import numpy as np
import pytest

from twinns_qgis.demo.atmosphere import MISSED_SHARE, draw_sky

CLOUD_OR_SHADOW, CLOUD, SHADOW, SHADOW_FROM_OUTSIDE = 1, 2, 32, 64


@pytest.fixture(scope="module")
def sky():
    return draw_sky(np.random.default_rng(0), 128, 0.3)


def test_clouds_cover_the_share_that_was_asked_for(sky):
    assert (sky.opacity > 0).mean() == pytest.approx(0.3, abs=0.001)


def test_the_mask_misses_the_stated_share_and_errs_nowhere_else(sky):
    affected = (sky.opacity > 0) | (sky.shade > 0)
    missed = affected & (sky.mask == 0)
    assert missed.sum() == round(MISSED_SHARE * affected.sum())
    assert not sky.mask[~affected].any()


def test_the_bits_of_the_mask_are_those_of_maja(sky):
    seen = sky.mask > 0
    np.testing.assert_array_equal(sky.mask & CLOUD_OR_SHADOW > 0, seen)
    np.testing.assert_array_equal(sky.mask & CLOUD > 0, seen & (sky.opacity > 0))
    np.testing.assert_array_equal(sky.mask & (SHADOW | SHADOW_FROM_OUTSIDE) > 0, seen & (sky.shade > 0))


def test_shadows_are_clouds_moved_to_the_north_west(sky):
    shaded = sky.shade > 0
    hits = {
        (down, right): np.mean((sky.opacity > 0)[down:, right:][shaded[:-down, :-right]])
        for down in range(1, 14)
        for right in range(1, 14)
    }
    assert max(hits.values()) == 1


def test_clear_ground_is_seen_as_it_is_and_clouds_are_brighter_than_it(sky):
    ground = np.full((128, 128, 10), 0.1)
    seen = sky.seen_through(ground)
    clear = (sky.opacity == 0) & (sky.shade == 0)
    np.testing.assert_array_equal(seen[clear], 0.1)
    assert seen[sky.opacity > 0].min() > 0.1
    assert seen[sky.shade > 0].max() < 0.1
