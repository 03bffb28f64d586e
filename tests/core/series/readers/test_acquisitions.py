"""Which files are one acquisition, and which acquisitions of a day are one product."""

import numpy as np
import pytest

from twinns_qgis.errors import InputError

BANDS = ("B02", "B04")


@pytest.fixture
def make_bands(write_raster):
    """Returns a function that writes the bands of an acquisition, by the pattern of their names."""

    def make(folder, name, number=2000, *, layers=BANDS, origin=(500000, 5600000), size=8, resolution=10):
        for layer in layers:
            values = np.full((1, size, size), 4 if layer == "SCL" else number, "uint16")
            write_raster(folder / name.format(layer), values, origin=origin, resolution=resolution)

    return make


def test_bands_in_several_resolutions_are_read_from_the_finest(tmp_path, make_bands, find_in):
    make_bands(tmp_path, "IMG_DATA/R10m/T31UES_20180305T104629_{}_10m.tif")
    make_bands(tmp_path, "IMG_DATA/R20m/T31UES_20180305T104629_{}_20m.tif", layers=("B02", "B05", "SCL"))
    (product,) = find_in(folder=tmp_path)
    assert {name: band.path.stem[-3:] for name, band in product.bands.items()} == {
        "B2": "10m", "B4": "10m", "B5": "20m",
    }  # fmt: skip
    assert product.name == "T31UES_20180305T104629"


def test_data_takes_of_one_day_are_products_each_without_a_word(tmp_path, make_bands, find_in, listener):
    for time in ("104629", "105629"):
        make_bands(tmp_path, f"T31UES_20180305T{time}_{{}}_10m.tif", layers=(*BANDS, "SCL"))
    products = find_in(folder=tmp_path)
    assert [product.name for product in products] == ["T31UES_20180305T104629", "T31UES_20180305T105629"]
    assert not listener.warnings


def test_data_takes_whose_bands_and_mask_lie_apart_keep_to_themselves(tmp_path, make_bands, find_in):
    for time in ("104629", "105629"):
        make_bands(tmp_path / "images", f"S2A_20180305T{time}_{{}}_10m.tif")
        make_bands(tmp_path / "clouds", f"S2A_20180305T{time}_{{}}_20m.tif", layers=("SCL",))
    products = find_in(folder=tmp_path)
    assert [len({path.stem.split("_")[1] for path in product.paths}) for product in products] == [1, 1]
    assert [len(product.masks) for product in products] == [1, 1]


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (
            "S2A_MSIL2A_20180305T105421_N0206_R051_T31UES_20180305T150000",
            "S2A_MSIL2A_20180305T105421_N0500_R051_T31UES_20230401T150000",
        ),
        ("20180305T105421_20180305T150000_T31UES", "20180305T105421_20190401T150000_T31UES"),
        (
            "SENTINEL2A_20180305-105421-464_L2A_T31UES_C_V1-0/FRE",
            "SENTINEL2A_20180305-105421-464_L2A_T31UES_C_V2-2/FRE",
        ),
    ],
)
def test_the_newest_version_of_an_acquisition_is_used(tmp_path, make_bands, find_in, listener, older, newer):
    for name in (older, newer):
        make_bands(tmp_path / "clipped" / name, "T31UES_{}.tif")
    (product,) = find_in(folder=tmp_path)
    assert {newer.split("/")[0] in str(path) for path in product.paths} == {True}
    assert any(warning.startswith("Several versions of one acquisition") for warning in listener.warnings)


def test_the_same_acquisition_twice_is_told_and_merged(tmp_path, make_bands, find_in, listener):
    for number in (0, 1):
        make_bands(tmp_path, f"S2A_31UES_20180305_{number}_L2A/{{}}.tif")
    assert len(find_in(folder=tmp_path)) == 2
    (warning,) = (warning for warning in listener.warnings if "twice" in warning)
    assert "The same date and place twice, 2018-03-05" in warning


def test_tiles_of_a_day_are_products_each(tmp_path, make_bands, find_in, listener):
    make_bands(tmp_path, "T31UES_20180305T104629_{}_10m.tif", layers=("B02",))
    make_bands(tmp_path, "T31UFS_20180305T104629_{}_10m.tif", layers=("B02",), origin=(600000, 5600000))
    assert [product.name[:6] for product in find_in(folder=tmp_path)] == ["T31UES", "T31UFS"]
    assert not [warning for warning in listener.warnings if "twice" in warning]


def test_patches_of_one_scene_are_products_each(tmp_path, make_bands, find_in, listener):
    for number in range(3):
        name = f"S2A_MSIL2A_20180305T101031_61_{number}"
        make_bands(tmp_path / name, f"{name}_{{}}.tif", origin=(500000 + 80 * number, 5600000))
    assert len(find_in(folder=tmp_path)) == 3
    assert not [warning for warning in listener.warnings if "twice" in warning]


def test_a_band_in_two_formats_is_refused_with_both_files(tmp_path, make_bands, find_in):
    make_bands(tmp_path, "T31UES_20180305T104629_{}_10m.tif")
    make_bands(tmp_path, "T31UES_20180305T104629_{}_10m.img")
    with pytest.raises(InputError, match=r"Two files hold B2 .*_B02_10m\.img and .*_B02_10m\.tif"):
        find_in(folder=tmp_path)
