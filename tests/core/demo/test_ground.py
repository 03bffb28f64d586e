import numpy as np
import pytest
from rasterio.features import rasterize

from twinns_qgis.demo.classes import CODES, SURROUNDINGS_PAIR
from twinns_qgis.demo.ground import PIXEL_BRIGHTNESS, Ground
from twinns_qgis.demo.landscape import draw_landscape
from twinns_qgis.demo.site import site_grid

SIZE = 128
MIDSUMMER = 184.0


@pytest.fixture(scope="module")
def scene():
    grid = site_grid(SIZE)
    landscape = draw_landscape(grid, seed=0)
    return grid, landscape, Ground(landscape, grid, seed=0)


def object_pixels(scene, inset):
    """Returns the number of the object, from 1, that each pixel lies in, at least `inset` metres from its border."""
    grid, landscape, _ = scene
    shapes = [(item.buffer(-inset), index) for index, item in enumerate(landscape.objects, start=1)]
    shapes = [(item, index) for item, index in shapes if not item.is_empty]
    return rasterize(shapes, out_shape=(SIZE, SIZE), transform=grid.transform, dtype="int32")


def test_the_true_map_has_the_class_of_the_object_round_a_pixel(scene):
    _, landscape, ground = scene
    objects = object_pixels(scene, inset=8)
    inside = objects > 0
    assert inside.mean() > 0.5
    np.testing.assert_array_equal(ground.truth[inside], landscape.codes[objects[inside] - 1])


def test_every_pixel_of_the_true_map_has_a_class(scene):
    assert set(np.unique(scene[2].truth)) == set(range(1, 12))


def test_between_the_objects_lie_grass_strips_and_roads(scene):
    _, _, ground = scene
    between = object_pixels(scene, inset=-8) == 0
    assert between.sum() > 20
    assert set(np.unique(ground.truth[between])) <= {CODES["meadow"], CODES["built-up"]}


def test_pixels_on_a_border_are_mixed(scene):
    _, landscape, ground = scene
    water = np.flatnonzero(landscape.codes == CODES["water"]) + 1
    near_infrared = ground.reflectance(MIDSUMMER)[..., 6]
    river = near_infrared[np.isin(object_pixels(scene, inset=8), water)]
    bank = near_infrared[np.isin(object_pixels(scene, inset=0), water)]
    assert river.max() < 0.03
    assert bank.max() > 3 * river.max()


def texture(scene, code, values):
    """Returns the values of a class in the aligned 2 x 2 blocks that lie within an object, and their objects."""
    objects = object_pixels(scene, inset=15)
    blocks = objects.reshape(SIZE // 2, 2, SIZE // 2, 2)
    whole = (blocks == blocks[:, :1, :, :1]).all(axis=(1, 3)) & (blocks[:, 0, :, 0] > 0)
    own = whole & (np.append(0, scene[1].codes)[blocks[:, 0, :, 0]] == code)
    return values.reshape(SIZE // 2, 2, SIZE // 2, 2).transpose(0, 2, 1, 3)[own], blocks[:, 0, :, 0][own]


@pytest.fixture(scope="module")
def tree_cover(scene):
    """1 where a pixel of an orchard or of scrub is trees, 0 where it is grass, from what Sentinel-2 sees in red."""
    red = scene[2].reflectance(MIDSUMMER)[..., 2]
    return red < 0.055


def test_every_20_m_of_orchards_and_scrub_are_trees_by_half(scene, tree_cover):
    for code in SURROUNDINGS_PAIR:
        blocks, _ = texture(scene, code, tree_cover)
        assert len(blocks) > 50
        np.testing.assert_array_equal(blocks.sum(axis=(1, 2)), 2)


def test_trees_stand_in_rows_in_orchards_and_anyhow_in_scrub(scene, tree_cover):
    arrangements = {}
    for code in SURROUNDINGS_PAIR:
        blocks, objects = texture(scene, code, tree_cover)
        large = [item for item, count in zip(*np.unique(objects, return_counts=True), strict=True) if count > 10]
        arrangements[code] = [len(np.unique(blocks[objects == item], axis=0)) for item in large]
    assert set(arrangements[SURROUNDINGS_PAIR[0]]) == {1}
    assert min(arrangements[SURROUNDINGS_PAIR[1]]) > 3


def test_a_field_varies_smoothly_and_not_in_time(scene):
    _, landscape, ground = scene
    objects = object_pixels(scene, inset=10)
    largest = np.argmax(
        np.bincount(objects[np.isin(objects, np.flatnonzero(landscape.codes == CODES["early crop"]) + 1)])
    )
    own = objects == largest
    spring, summer = (ground.reflectance(day)[own] for day in (110.0, MIDSUMMER))
    ratio = spring / spring.mean(axis=0) / (summer / summer.mean(axis=0))
    np.testing.assert_allclose(ratio, 1, atol=1e-6)
    assert 0.3 * PIXEL_BRIGHTNESS < (spring / spring.mean(axis=0)).std() < 1.5 * PIXEL_BRIGHTNESS
