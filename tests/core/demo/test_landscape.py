import numpy as np
import pytest

from twinns_qgis.demo.classes import OPTICAL_PAIR, ORDER_PAIR, RADAR_PAIR, SURROUNDINGS_PAIR
from twinns_qgis.demo.landscape import draw_landscape
from twinns_qgis.demo.site import site_grid


@pytest.mark.parametrize(("size", "fewest"), [(64, 3), (128, 5), (256, 8)])
def test_every_class_has_enough_polygons_for_a_split(size, fewest):
    for seed in range(8):
        landscape = draw_landscape(site_grid(size), seed)
        labelled = [polygon is not None for polygon in landscape.polygons]
        assert np.bincount(landscape.codes[labelled], minlength=12)[1:].min() >= fewest


def test_polygons_lie_within_their_objects_and_objects_do_not_overlap():
    landscape = draw_landscape(site_grid(128), seed=1)
    for item, polygon in zip(landscape.objects, landscape.polygons, strict=True):
        assert polygon is None or polygon.within(item)
    union = landscape.roads
    total = landscape.roads.area
    for item in landscape.objects:
        union, total = union.union(item), total + item.area
    assert union.area == pytest.approx(total, rel=1e-6)


def test_some_objects_are_not_labelled():
    landscape = draw_landscape(site_grid(128), seed=0)
    share = np.mean([polygon is not None for polygon in landscape.polygons])
    assert 0.5 < share < 0.7


def test_the_classes_of_a_pair_have_equally_many_fields():
    codes = draw_landscape(site_grid(128), seed=2).codes
    for one, other in (RADAR_PAIR, OPTICAL_PAIR, ORDER_PAIR, SURROUNDINGS_PAIR):
        assert (codes == one).sum() == (codes == other).sum()
