import numpy as np
import pytest
import rasterio
from matplotlib.image import imread
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.demo.comparison import write_map_beside_truth
from twinns_qgis.errors import InputError
from twinns_qgis.mapping.layouts import COVER, cover_layout
from twinns_qgis.mapping.outputs import map_raster
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.samples.classes import classes_of

CLASSES = list(classes_of(["maize", "water", "wheat", "wood"]).values())


@pytest.fixture
def make_map(tmp_path):
    def make(name, codes, left=500000):
        grid = Grid(CRS.from_epsg(32631), from_origin(left, 5600000, 10, 10), codes.shape[1], codes.shape[0])
        path = tmp_path / name
        with map_raster(COVER, path, cover_layout(grid, CLASSES, {}), CLASSES) as writer:
            writer.write(codes, next(grid.blocks(10000)))
        return path

    return make


@pytest.fixture
def codes():
    return np.random.default_rng(0).integers(1, 5, (40, 30), dtype=np.uint8)


def test_agreement_is_the_share_of_equal_pixels_with_a_class_in_both(make_map, codes, tmp_path):
    found = np.where(np.random.default_rng(1).random(codes.shape) < 0.8, codes, 2).astype(np.uint8)
    found[:5] = 0
    truth = codes.copy()
    truth[:, :5] = 0
    agreement = write_map_beside_truth(tmp_path / "a.png", make_map("map.tif", found), make_map("truth.tif", truth))
    assert agreement == pytest.approx(np.mean(found[5:, 5:] == truth[5:, 5:]))


def test_the_picture_shows_the_colors_of_the_classes_and_red_where_the_maps_differ(make_map, codes, tmp_path):
    found = codes.copy()
    found[20:, :] = codes[20:, :] % 4 + 1
    write_map_beside_truth(tmp_path / "a.png", make_map("map.tif", found), make_map("truth.tif", codes))
    image = np.rint(255 * imread(tmp_path / "a.png")[..., :3]).astype(int)
    shown = {tuple(color) for color in np.unique(image.reshape(-1, 3), axis=0)}
    assert {tuple(bytes.fromhex(item.color[1:])) for item in CLASSES} <= shown
    red = np.abs(image - (204, 51, 18)).max(axis=-1) <= 1
    right = red[:, 2 * red.shape[1] // 3 :]
    assert right.mean() > 0.2


def test_maps_larger_than_the_picture_are_compared_whole(make_map, tmp_path):
    codes = np.ones((1100, 1300), np.uint8)
    found = codes.copy()
    found[1050, 1250] = 2
    agreement = write_map_beside_truth(tmp_path / "a.png", make_map("map.tif", found), make_map("truth.tif", codes))
    assert agreement == pytest.approx(1 - 1 / codes.size, abs=1e-12)


def test_a_truth_without_names_is_shown_with_its_codes(make_map, codes, tmp_path):
    found = make_map("map.tif", codes)
    with rasterio.open(found) as dataset:
        profile, colors = dataset.profile, dataset.colormap(1)
    with rasterio.open(tmp_path / "truth.tif", "w", **{**profile, "driver": "GTiff"}) as dataset:
        dataset.write(codes, 1)
        dataset.write_colormap(1, colors)
    assert write_map_beside_truth(tmp_path / "a.png", tmp_path / "truth.tif", tmp_path / "truth.tif") == 1


def test_maps_on_two_grids_are_refused(make_map, codes, tmp_path):
    with pytest.raises(InputError, match="not on one grid"):
        write_map_beside_truth(
            tmp_path / "a.png", make_map("map.tif", codes), make_map("truth.tif", codes, left=500100)
        )


def test_maps_without_a_common_pixel_are_refused_and_no_picture_is_left(make_map, codes, tmp_path):
    with pytest.raises(InputError, match="No pixel has a class in both"):
        write_map_beside_truth(tmp_path / "a.png", make_map("map.tif", codes), make_map("truth.tif", 0 * codes))
    assert not (tmp_path / "a.png").exists()


def test_a_raster_of_several_bands_is_refused(make_map, codes, site, tmp_path):
    with pytest.raises(InputError, match="one of type uint8 was expected"):
        write_map_beside_truth(tmp_path / "a.png", site.sentinel2, make_map("truth.tif", codes))
