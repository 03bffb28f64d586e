"""The split by blocks of the ground."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twinns_qgis.samples.split_by_blocks import draw_split_by_blocks

WATER, CROP, WOOD = 1, 2, 3


def test_all_objects_of_a_block_go_into_one_part():
    random = np.random.default_rng(0)
    classes = [(WOOD, CROP, WATER)[index] for index in random.integers(0, 3, 400)]
    blocks = random.integers(0, 40, 400)
    parts = draw_split_by_blocks(classes, blocks, 0.3, 0.2, seed=0)
    for block in np.unique(blocks):
        assert len(set(parts[blocks == block])) == 1
    for land_cover in (WOOD, CROP, WATER):
        own = parts[[item == land_cover for item in classes]]
        for part, share in (("train", 0.3), ("validation", 0.2), ("test", 0.5)):
            assert abs((own == part).mean() - share) < 0.08


def test_a_class_in_three_blocks_is_in_all_parts():
    classes = [WATER] * 3 + [WOOD] * 60
    blocks = np.array([0, 1, 2, *np.arange(60) % 20])
    parts = draw_split_by_blocks(classes, blocks, 0.3, 0.2, seed=0)
    assert set(parts[:3]) == {"train", "validation", "test"}


def test_the_seed_fixes_the_blocks():
    classes, blocks = [WOOD] * 60, np.arange(60) // 3
    first, again, other = (draw_split_by_blocks(classes, blocks, 0.3, 0.2, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def could_fill(blocks_of_class, number):
    """Whether some assignment of parts to blocks gives each class a block in each part, by trying all."""
    return any(
        all(len({parts[block] for block in blocks}) == 3 for blocks in blocks_of_class)
        for parts in itertools.product(range(3), repeat=number)
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sets(st.integers(0, 6), min_size=3, max_size=5), min_size=1, max_size=4), st.integers(0, 5))
def test_each_class_gets_each_part_where_blocks_allow_it(blocks_of_class, seed):
    codes = [code for code, blocks in enumerate(blocks_of_class) for _ in blocks]
    blocks = np.array([block for own in blocks_of_class for block in sorted(own)])
    parts = draw_split_by_blocks(codes, blocks, 0.3, 0.2, seed)
    full = all(len(set(parts[np.equal(codes, code)])) == 3 for code in set(codes))
    assert full == could_fill(blocks_of_class, 7)


def test_a_class_in_two_blocks_gets_the_parts_that_it_can():
    codes = [WATER] * 2 + [WOOD] * 12
    parts = draw_split_by_blocks(codes, np.array([0, 1, *range(12)]), 0.3, 0.2, seed=0)
    assert len(set(parts[:2])) == 2
