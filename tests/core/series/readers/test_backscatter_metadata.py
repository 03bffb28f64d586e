"""What names and metadata of Sentinel-1 images say."""

from pathlib import Path

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.readers.backscatter_metadata import (
    is_companion,
    orbit_of,
    units_of,
    with_acquisition,
    writer_of,
)

S1TILING = {"TIFFTAG_SOFTWARE": "S1 Tiling v1.1.0", "CALIBRATION": "sigma"}
OPERA = "OPERA_L2_RTC-S1_T034-071092-IW3_20230611T002900Z_20230928T203216Z_S1A_30_v1.0_VV.tif"
EXPRESSION = "PROCESSING_INFORMATION_OUTPUT_BACKSCATTER_EXPRESSION_CONVENTION"
HYP3 = "S1A_IW_20180103T055812_DVP_RTC10_G_g{}uned_1234_VV.tif"
PLANETARY = "S1A_IW_GRDH_1SDV_20220315T055000_20220315T055025_042345_050C93_rtc"
AFRICA = "s1_rtc_0101B0_N13E025_2018_01_04_VV.tif"
AUSTRALIA = "ga_s1_nrb_v0.1.0_T070-149815-IW3_20220101T124752Z_VV_gamma0.tif"
ARD = "s1a-iw-nrb-20220103t165848-035636-0432c5-32tps-vv-g-{}.tif"
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
        ("S1B_IW_20180103T055812_SVR_RTC30_G_spwfcm_DB3F_VV.tif", "", "", "float32", {}, "power"),
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
        (f"{PLANETARY}/measurement/iw-vv.rtc.tiff", "", "", "float32", {}, "power"),
        (f"{PLANETARY}/iw-vh.rtc.tiff", "", "", "float32", {}, "power"),
        ("iw-vv.rtc.tiff", "", "", "float32", {}, "power"),
        (f"{PLANETARY}_vv.tif", "", "", "float32", {}, "power"),
        (f"{PLANETARY}_vv_db.tif", "", "", "float32", {}, "dB"),
        (f"{PLANETARY}_vv.tif", "", "", "int16", {}, None),
        ("S1A_20200103_17RMJ_ASC/Gamma0_VV.tif", "", "", "float32", {}, "power"),
        ("S1A_20210110_13SBD_DSC/Gamma0_VH.tif", "", "", "float32", {}, "power"),
        (AFRICA, "", "", "float32", {}, "power"),
        (AUSTRALIA, "", "", "float32", {}, "power"),
        (ARD.format("lin"), "", "", "float32", {}, "power"),
        (ARD.format("log"), "", "", "float32", {}, "dB"),
        ("S1A_IW_RT10_20180103T055812_G_gpn_VV.tif", "", "", "float32", {}, "power"),
        ("S1A_IW_RT30_20180103T055812_G_gaf_VV.tif", "", "", "float32", {}, "amplitude"),
    ],
)
def test_units_are_read_as_each_program_writes_them(name, description, unit, dtype, tags, units):
    assert units_of(Path("folder_dB") / name, description, unit, dtype, tags) == units


@pytest.mark.parametrize(
    ("path", "tags", "orbit"),
    [
        ("s1a_31UES_vv_DES_110_20180103txxxxxx.tif", {}, "descending 110"),
        ("s1a_31UES_vv_ASC_008_20180103txxxxxx_NormLim.tif", {}, "ascending 8"),
        (
            "vv.tif",
            {"ORBIT_DIRECTION": "DES", "ORBIT_NUMBER": "19987", "RELATIVE_ORBIT_NUMBER": "110"},
            "descending 110",
        ),
        (EWOC, {}, "descending"),
        (EWOC, {"ORBIT_DIRECTION": "DES", "ORBIT": "152", "FLYING_UNIT_CODE": "s1b"}, "descending 152"),
        ("vv.tif", {"ORBIT": "19987"}, "unknown"),
        (OPERA, {}, "34"),
        (OPERA, {"ORBIT_PASS_DIRECTION": "ascending", "TRACK_NUMBER": "34"}, "ascending 34"),
        (HYP3.format("p"), {}, "unknown"),
        ("S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif", {}, "ascending"),
        ("S1B__IW___D_20150309T173017_VV_grd_mli_geo_norm_db.tif", {}, "descending"),
        ("S1A_20200103_17RMJ_ASC/Gamma0_VV.tif", {}, "ascending"),
        ("S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8_VV_db.tif", {}, "59"),
        ("S1B_IW_GRDH_1SDV_20161121T010939_20161121T011004_003050_0052FC_3426_rtc/measurement/iw-vv.tiff", {}, "49"),
        ("S1C_IW_GRDH_1SDV_20250809T173953_20250809T174018_003050_049F13_6FF8_VV_db.tif", {}, "unknown"),
        ("desert_vv_20180103.tif", {}, "unknown"),
        ("S1A_20210110_13SBD_DSC/Gamma0_VV.tif", {}, "descending"),
        (AUSTRALIA, {}, "70"),
        (ARD.format("lin"), {}, "39"),
    ],
)
def test_the_orbit_is_read_as_each_program_writes_it(path, tags, orbit):
    assert str(orbit_of(Path("data") / path, tags)) == orbit


@pytest.mark.parametrize(
    ("path", "tags", "day"),
    [
        ("s1a_31UES_vv_DES_110_20180103txxxxxx.tif", {"TIFFTAG_DATETIME": "2024:01:02 03:04:05"}, "2018-01-03"),
        (EWOC, {"ACQUISITION_DATETIME": "2019:09:02", "TIFFTAG_DATETIME": "2021-09-08 23:38:05"}, "2019-09-02"),
        (HYP3.format("p"), {"TIFFTAG_DATETIME": "2024:01:02 03:04:05"}, "2018-01-03"),
        (OPERA, {"ZERO_DOPPLER_START_TIME": "2023-06-11T00:29:02.123456Z", "ACQUISITION_MODE": "IW"}, "2023-06-11"),
        (OPERA, {}, "2023-06-11"),
        ("S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif", {}, "2015-03-09"),
        ("Gamma0_VV.tif", {"DATE": "2020-01-03", "MISSION_ID": "S1A"}, "2020-01-03"),
        ("Gamma0_VV.tif", {"DATE": "2024-01-02"}, "None"),
        ("S1A_20200103_17RMJ_ASC/Gamma0_VV.tif", {"TIFFTAG_DATETIME": "2024:01:02 03:04:05"}, "2020-01-03"),
        ("S1A_IW_GRDH_1SDV_20200103T233621_20200103T233646_030643_0382F7_rtc/measurement/iw-vv.tiff", {}, "2020-01-03"),
        ("openEO_2023-04-03Z.tif", {"TIFFTAG_DATETIME": "2023:04:03 00:00:00"}, "2023-04-03"),
        ("S1A_20200103/export/of/vv.tif", {}, "2020-01-03"),
        ("export_20240101/vv.tif", {}, "None"),
    ],
)
def test_the_day_of_acquisition_is_that_of_the_product(path, tags, day, listener):
    file = Path("data") / path
    files = {file: with_acquisition(file, tags)}
    if day == "None":
        with pytest.raises(InputError, match="No date was found"):
            AcquisitionDates(None, listener).of(files)
    else:
        assert str(AcquisitionDates(None, listener).of(files)[file]) == day


@pytest.mark.parametrize(
    "name",
    [
        "s1a_31UES_vv_DES_110_20180303txxxxxx_BorderMask.tif",
        "sin_LIA_s1a_33NWB_DES_007.tif",
        "LIA_s1a_33NWB_DES_007.tif",
        "S1A_IW_20180103T055812_DVP_RTC10_G_gpuned_1234_ls_map.tif",
        "S1A_IW_20180103T055812_DVP_RTC10_G_gpuned_1234_inc_map.tif",
        "S1A_IW_20180103T055812_DVP_RTC10_G_gpuned_1234_dem.tif",
        "S1A_IW_20180103T055812_DVP_RTC10_G_gpuned_1234_area.tif",
        "S1A_IW_20180103T055812_DVP_RTC10_G_gpuned_1234_rgb.tif",
        "OPERA_L2_RTC-S1_T034-071092-IW3_20230611T002900Z_20230928T203216Z_S1A_30_v1.0_mask.tif",
        "OPERA_L2_RTC-S1-STATIC_T034-071092-IW3_20140403_S1A_30_v1.0_rtc_anf_gamma0_to_beta0.tif",
        "OPERA_L2_RTC-S1-STATIC_T034-071092-IW3_20140403_S1A_30_v1.0_local_incidence_angle.tif",
        "OPERA_L2_RTC-S1-STATIC_T034-071092-IW3_20140403_S1A_30_v1.0_number_of_looks.tif",
        "local_incident_angle.tif",
    ],
)
def test_companions_of_images_are_known_by_name(name):
    assert is_companion(Path(name))


@pytest.mark.parametrize(
    "name",
    [OPERA, EWOC, HYP3.format("p"), "Gamma0_VV.tif", "S1_20180301.tif", "italia_vv.tif", "S1_20180301_VV_masked.tif"],
)
def test_images_are_no_companions(name):
    assert not is_companion(Path("mask_dem") / name)


@pytest.mark.parametrize(
    ("path", "tags", "writer"),
    [
        (OPERA, {}, "OPERA"),
        (EWOC, {"TIFFTAG_SOFTWARE": "Orfeo"}, "WorldCereal"),
        (HYP3.format("p"), {}, "HyP3"),
        ("S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif", {}, "pyroSAR"),
        ("s1a_31UES_vv_DES_110_20180103txxxxxx_filtered.tif", S1TILING, "S1 Tiling"),
        ("vv.tif", S1TILING, "S1 Tiling"),
        ("vv.tif", {"TIFFTAG_SOFTWARE": "S1 Tiling v1.2.0"}, "S1 Tiling"),
        ("vv.tif", {}, ""),
    ],
)
def test_the_program_is_known_by_names_or_metadata_without_its_version(path, tags, writer):
    assert writer_of(Path(path), tags) == writer
