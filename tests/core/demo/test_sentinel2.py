import re

import numpy as np
import pytest
import rasterio

from twinns_qgis.demo.acquisitions import sentinel2_overpasses
from twinns_qgis.demo.sentinel2 import NODATA, SENSOR_NOISE, write_product
from twinns_qgis.demo.site import site_grid

SIZE = 64
LEVELS = np.linspace(0.05, 0.5, 10)
BANDS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")


class EvenGround:
    """Ground with a reflectance in each band that is the same everywhere."""

    def reflectance(self, day):
        return np.tile(LEVELS, (SIZE, SIZE, 1))


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sentinel2")
    clearest = min(sentinel2_overpasses(), key=lambda item: item.cloud_cover)
    write_product(folder, EvenGround(), clearest, site_grid(SIZE), seed=0)
    (product,) = folder.iterdir()
    return product


def read(path):
    with rasterio.open(path) as dataset:
        return dataset.read(1), dataset.profile, dataset.bounds


def test_the_product_is_named_and_laid_out_as_theia_does(product):
    assert re.fullmatch(r"SENTINEL2[AB]_2018\d{4}-\d{6}-\d{3}_L2A_T31UES_C_V1-0", product.name)
    files = {path.relative_to(product).as_posix() for path in product.rglob("*.tif")}
    masks = {f"MASKS/{product.name}_{mask}_{grid}.tif" for mask in ("CLM", "EDG") for grid in ("R1", "R2")}
    assert files == masks | {f"{product.name}_FRE_{band}.tif" for band in BANDS}


def test_bands_and_masks_of_both_resolutions_cover_the_same_ground(product):
    bounds = set()
    for path in product.rglob("*.tif"):
        values, profile, own = read(path)
        fine = path.stem.split("_")[-1] in {"B2", "B3", "B4", "B8", "R1"}
        assert profile["transform"].a == (10 if fine else 20)
        assert values.shape == (SIZE, SIZE) if fine else (SIZE // 2, SIZE // 2)
        bounds.add(own)
    assert len(bounds) == 1


def test_clear_pixels_hold_reflectance_with_sensor_noise(product):
    clear = {10: read(product / "MASKS" / f"{product.name}_CLM_R1.tif")[0] == 0}
    clear[20] = read(product / "MASKS" / f"{product.name}_CLM_R2.tif")[0] == 0
    for band, level in zip(BANDS, LEVELS, strict=True):
        values, profile, _ = read(product / f"{product.name}_FRE_{band}.tif")
        assert (profile["dtype"], profile["nodata"]) == ("int16", NODATA)
        reflectance = values[clear[int(profile["transform"].a)]] / 10000
        assert np.median(reflectance) == pytest.approx(level, abs=0.0005)
        # Some of the clear pixels are clouds that the mask misses: the spread of the middle half leaves them out.
        assert np.subtract(*np.quantile(reflectance, [0.75, 0.25])) / 1.349 == pytest.approx(SENSOR_NOISE, rel=0.15)


def test_a_20_m_mask_flags_what_any_of_its_four_pixels_flags(product):
    fine, _, _ = read(product / "MASKS" / f"{product.name}_CLM_R1.tif")
    coarse, _, _ = read(product / "MASKS" / f"{product.name}_CLM_R2.tif")
    np.testing.assert_array_equal(coarse, fine[::2, ::2] | fine[1::2, ::2] | fine[::2, 1::2] | fine[1::2, 1::2])
    assert coarse.any()
