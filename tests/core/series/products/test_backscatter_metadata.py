"""What names and metadata of Sentinel-1 images say."""

from pathlib import Path

import pytest

from twinns_qgis.series.products.backscatter_metadata import units_of

S1TILING = {"TIFFTAG_SOFTWARE": "S1 Tiling v1.1.0", "CALIBRATION": "sigma"}
OPERA = "OPERA_L2_RTC-S1_T034-071092-IW3_20230611T002900Z_20230928T203216Z_S1A_30_v1.0_VV.tif"
EXPRESSION = "PROCESSING_INFORMATION_OUTPUT_BACKSCATTER_EXPRESSION_CONVENTION"
HYP3 = "S1A_IW_20180103T055812_DVP_RTC10_G_g{}uned_1234_VV.tif"
EWOC = "S1B_20190902T032024_DES_TODO_01785302198EF35A_36MXB_SIGMA0_VH.tif"


@pytest.mark.parametrize(
    ("name", "description", "unit", "dtype", "tags", "units"),
    [
        ("S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif", "", "", "float32", {}, "dB"),
        ("S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm.tif", "", "", "float32", {}, None),
        ("S1_20180301.tif", "VV_dB", "", "float32", {}, "dB"),
        ("S1_20180301.tif", "Sigma0_VV_db", "", "float32", {}, "dB"),
        ("S1_20180301.tif", "VV", "dB", "float32", {}, "dB"),
        ("S1A_IW_GRDH_1SDV_20180103T055812_20180103T055837_019987_0220B4_8DB5_VV.tif", "", "", "float32", {}, None),
        (HYP3.format("p"), "", "", "float32", {}, "power"),
        (HYP3.format("a"), "", "", "float32", {}, "amplitude"),
        (HYP3.format("d"), "", "", "float32", {}, "dB"),
        (OPERA, "", "", "float32", {}, "power"),
        (OPERA, "", "", "float32", {EXPRESSION: "linear backscatter intensity"}, "power"),
        (OPERA, "", "", "float32", {EXPRESSION: "other"}, None),
        ("s1a_31UES_vv_DES_110_20180103txxxxxx.tif", "", "", "float32", S1TILING, "power"),
        ("s1a_31UES_vv_DES_110_20180103txxxxxx.tif", "", "", "uint16", S1TILING, None),
        ("s1a_31UES_vv_DES_110_20180103txxxxxx.tif", "", "", "float32", S1TILING | {"CALIBRATION": "dn"}, None),
        ("s1a_31UES_vv_DES_110_20180103txxxxxx.tif", "", "", "float32", {}, None),
        (EWOC, "", "", "uint16", {}, "DN"),
        (EWOC, "", "", "float32", {}, None),
        ("openEO_2023-04-03Z.tif", "S1-SIGMA0-VV", "", "int16", {}, "DN"),
    ],
)
def test_units_are_read_as_each_program_writes_them(name, description, unit, dtype, tags, units):
    assert units_of(Path("folder_dB") / name, description, unit, dtype, tags) == units
