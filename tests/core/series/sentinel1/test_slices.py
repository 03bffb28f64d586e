"""Images that are averaged: slices of one pass, and no versions of one image."""

import numpy as np
import pytest

from twinns_qgis.errors import InputError

WEST = np.where(np.arange(16) < 10, -10.0, np.nan) * np.ones((16, 1))
EAST = WEST[:, ::-1]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("S1_20180301_VV.tif", "S1_20180301_VV_despeckled.tif"),
        ("S1_DES_110_20180301_VV.tif", "S1_DES_110_20180301_VV_2.tif"),
        ("a/Gamma0_VV_20180301.tif", "a/Sigma0_VV_20180301.tif"),
        ("s1a_31UES_vv_DES_110_20180301txxxxxx.tif", "filtered/s1a_31UES_vv_DES_110_20180301txxxxxx_filtered.tif"),
        ("S1A_20180301T055812_VV.tif", "S1A_20180301T055813_VV_lee.tif"),
        ("S1_20180301_VV.tif", "S1_20180301T055812_VV.tif"),
        ("S1A_20180301_VV_20240101T101010.tif", "S1A_20180301_VV_filtered_20240101T101015.tif"),
    ],
)
def test_a_version_beside_the_image_is_refused_with_both_names(prepare_radar, tmp_path, write_raster, first, second):
    for name, value in ((first, -10), (second, -7)):
        write_raster(tmp_path / "in" / name, np.full((1, 16, 16), value, "float32"))
    with pytest.raises(InputError) as error:
        prepare_radar(units="dB")
    assert all(name in str(error.value) for name in (first, second))
    assert "both are VV of 2018-03-01, orbit" in str(error.value)


def test_a_part_of_the_image_is_a_version_too(prepare_radar, tmp_path, write_raster):
    write_raster(tmp_path / "in/S1_20180301_VV.tif", np.full((1, 16, 16), -10, "float32"))
    write_raster(tmp_path / "in/S1_20180301_VV_lee.tif", np.full((1, 5, 5), -7, "float32"))
    with pytest.raises(InputError, match="they show the same place, 100% of it"):
        prepare_radar(units="dB")


def test_another_resolution_or_program_is_no_slice(prepare_radar, tmp_path, write_raster):
    image = np.full((1, 8, 8), -10, "float32")
    write_raster(tmp_path / "in/S1_20180301_VV.tif", image)
    write_raster(tmp_path / "in/S1_20180301_VV_east.tif", image[:, ::2, ::2], resolution=20, origin=(500080, 5600000))
    with pytest.raises(InputError, match="of different resolution, 10 and 20"):
        prepare_radar(units="dB")
    write_raster(
        tmp_path / "in/S1_20180301_VV_east.tif", image, origin=(500080, 5600000), tags={"TIFFTAG_SOFTWARE": "SNAP 9"}
    )
    with pytest.raises(InputError, match="one is written by an unknown program, one by SNAP"):
        prepare_radar(units="dB")


@pytest.mark.parametrize(
    "names",
    [
        ("s1a_31UES_vv_DES_110_20180301t055812.tif", "s1a_31UES_vv_DES_110_20180301t055837.tif"),
        (
            "OPERA_L2_RTC-S1_T034-071092-IW2_20180301T002900Z_20230928T203216Z_S1A_30_v1.0_VV.tif",
            "OPERA_L2_RTC-S1_T034-071092-IW3_20180301T002900Z_20230928T203216Z_S1A_30_v1.0_VV.tif",
        ),
        ("S1_20180301_VV_0.tif", "S1_20180301_VV_1.tif"),
    ],
)
def test_slices_that_overlap_a_little_are_one_image(prepare_radar, tmp_path, write_raster, decibels, names):
    for name, values in zip(names, (WEST, EAST), strict=True):
        write_raster(tmp_path / "in" / name, values[None].astype("float32"), nodata=np.nan)
    np.testing.assert_allclose(decibels(prepare_radar(units="dB"))[:, :, 0, 0], -10, atol=0.06)


def test_neighbouring_tiles_of_one_date_are_slices(prepare_radar, tmp_path, write_raster, decibels):
    image = np.full((1, 16, 9), -10, "float32")
    for tile, x in (("31UES", 500000), ("31UFS", 500070)):
        path = tmp_path / "in" / tile / f"s1a_{tile}_vv_DES_110_20180301txxxxxx.tif"
        write_raster(path, image, origin=(x, 5600000))
    np.testing.assert_allclose(decibels(prepare_radar(units="dB"))[:, :, 0, 0], -10, atol=0.06)
