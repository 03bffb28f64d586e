"""Which pixels are kept of classes with more than enough."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twinns_qgis.samples.thinning import thin


def test_large_objects_are_thinned_first():
    objects = np.repeat([0, 1, 2], [800, 50, 10])
    kept = thin(np.zeros(860, int), objects, most=160, seed=1)
    assert np.bincount(objects[kept]).tolist() == [100, 50, 10]


def test_what_is_kept_is_drawn_by_the_seed_and_spread_over_the_object():
    first, again, other = (thin(np.zeros(1000, int), np.zeros(1000, int), 100, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert 300 < np.flatnonzero(first).mean() < 700


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=80), st.integers(1, 20))
def test_a_class_keeps_all_or_exactly_so_many_shared_evenly(pixels, most):
    labels, objects = np.array(pixels, int).reshape(-1, 2).T
    objects = labels * 10 + objects
    kept = thin(labels, objects, most, seed=0)
    for label in np.unique(labels):
        own = labels == label
        assert kept[own].sum() == min(own.sum(), most)
        counts, left = (np.bincount(objects[mask], minlength=30) for mask in (own, own & kept))
        thinned = left < counts
        assert not thinned.any() or left.max() - left[thinned].min() <= 1
