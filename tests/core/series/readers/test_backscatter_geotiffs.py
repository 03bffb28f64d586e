"""Finding Sentinel-1 in GeoTIFFs."""

import shutil
from datetime import date

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS

from twinns_qgis.errors import InputError
from twinns_qgis.series.band_names import BandNames
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.readers.finding import find_products
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.sentinel1.preparation import READERS

ONE, TWO = np.ones((1, 4, 4), "float32"), np.ones((2, 4, 4), "float32")


@pytest.fixture
def find_in(listener):
    def find_in(**given):
        inputs = Inputs(**given)
        dates = AcquisitionDates(inputs.dates, listener)
        search = Search(dates, listener, bands=inputs.bands, chosen=bool(inputs.layers))
        return find_products(READERS, inputs, Period(None, None), search)

    return find_in


def test_polarisations_are_known_by_description_or_by_name(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "S1_20180301.tif", TWO, names=("VV_dB", "VH_dB"))
    write_raster(tmp_path / "20180302.tif", TWO, names=("Gamma0_VH", "angle"))
    write_raster(tmp_path / "s1a_31UES_vv_DES_110_20180303txxxxxx.tif", ONE)
    write_raster(tmp_path / "S1A__IW___A_20180304T173017_VH_grd_mli_geo_norm_db.tif", ONE)
    found = [{name: source.index for name, source in product.bands.items()} for product in find_in(folder=tmp_path)]
    assert found == [{"VV": 1, "VH": 2}, {"VH": 1}, {"VV": 1}, {"VH": 1}]


def test_other_rasters_below_the_folder_are_passed_over(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "s1a_31UES_vv_DES_110_20180303txxxxxx.tif", ONE)
    write_raster(tmp_path / "s1a_31UES_vv_DES_110_20180303txxxxxx_BorderMask.tif", ONE)
    write_raster(tmp_path / "S2_20180303_10m.tif", ONE, names=("B02",))
    write_raster(tmp_path / "series.tif", ONE.astype("uint8"), names=("2018-03-03 VV",))
    (product,) = find_in(folder=tmp_path)
    assert product.date == date(2018, 3, 3)


HYP3 = "S1A_IW_20180103T055812_DVP_RTC10_G_gpuned_1234"
PRODUCTS = {
    "S1 Tiling": {
        "31UES/s1a_31UES_vv_DES_110_20180103txxxxxx.tif": ("VV", 2018),
        "31UES/s1a_31UES_vh_DES_110_20180103txxxxxx.tif": ("VH", 2018),
        "31UES/s1a_31UES_vv_DES_110_20180103txxxxxx_BorderMask.tif": None,
        "31UES/LIA_s1a_31UES_DES_110.tif": None,
    },
    "HyP3": {
        f"{HYP3}/{HYP3}_VV.tif": ("VV", 2018),
        f"{HYP3}/{HYP3}_ls_map.tif": None,
    },
    "OPERA": {
        "OPERA_L2_RTC-S1_T034-071092-IW3_20230611T002900Z_20230928T203216Z_S1A_30_v1.0_VH.tif": ("VH", 2023),
        "OPERA_L2_RTC-S1_T034-071093-IW3_20230611T002902Z_20230928T203216Z_S1A_30_v1.0_VH.tif": ("VH", 2023),
        "OPERA_L2_RTC-S1_T034-071092-IW3_20230611T002900Z_20230928T203216Z_S1A_30_v1.0_mask.tif": None,
    },
    "pyroSAR": {"S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif": ("VV", 2015)},
    "SNAP": {
        "S1A_IW_GRDH_1SDV_20180103T055812_20180103T055837_019987_0220B4_8DB5_Orb_Cal_TC_Gamma0_VV_db.tif": ("VV", 2018)
    },
    "Sinergise": {
        "S1A_20200103_17RMJ_ASC/Gamma0_VV.tif": ("VV", 2020),
        "S1A_20200103_17RMJ_ASC/Gamma0_VH.tif": ("VH", 2020),
        "S1A_20200103_17RMJ_ASC/local_incident_angle.tif": None,
    },
    "Planetary Computer": {
        "S1A_IW_GRDH_1SDV_20200103T233621_20200103T233646_030643_0382F7_rtc/measurement/iw-vv.rtc.tiff": ("VV", 2020)
    },
    "WorldCereal": {
        "S1B_20190902T032024_DES_TODO_01785302198EF35A_36MXB/"
        "S1B_20190902T032024_DES_TODO_01785302198EF35A_36MXB_SIGMA0_VH.tif": ("VH", 2019)
    },
}


@pytest.mark.parametrize("program", PRODUCTS)
def test_products_are_found_and_dated_as_each_program_names_them(tmp_path, write_raster, find_in, listener, program):
    files = PRODUCTS[program]
    for name in files:
        write_raster(tmp_path / name, ONE, tags={"TIFFTAG_DATETIME": "2026:01:02 03:04:05"})
    found = find_in(folder=tmp_path)
    images = {name: expected for name, expected in files.items() if expected}
    assert sorted((*product.bands, product.date.year) for product in found) == sorted(images.values())
    assert len({product.name for product in found}) == len(found)
    assert not listener.warnings


def test_products_are_read_from_archives_but_not_if_they_are_unpacked_as_well(
    tmp_path, tmp_path_factory, write_raster, find_in
):
    for name in (f"{HYP3}_VV.tif", f"{HYP3}_VH.tif", f"{HYP3}_inc_map.tif"):
        write_raster(tmp_path / HYP3 / name, ONE)
    shutil.make_archive(tmp_path / HYP3, "zip", tmp_path, HYP3)
    shutil.move(tmp_path / HYP3, kept := tmp_path_factory.mktemp("unpacked"))
    vh, vv = find_in(folder=tmp_path)
    assert (vh.date, *vh.bands, *vv.bands) == (date(2018, 1, 3), "VH", "VV")
    assert vh.bands["VH"].units == "power"
    assert vh.paths == {tmp_path / f"{HYP3}.zip"}
    shutil.move(kept / HYP3, tmp_path)
    unpacked = find_in(folder=tmp_path)
    assert [product.paths for product in unpacked] == [
        {tmp_path / HYP3 / f"{HYP3}_{band}.tif"} for band in ("VH", "VV")
    ]


def test_a_layer_without_polarisation_is_refused(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "S1_20180301.tif", TWO)
    with pytest.raises(InputError, match=r"S1_20180301\.tif.*VV or VH"):
        find_in(layers=(tmp_path / "S1_20180301.tif",))


MADE_FROM_IMAGES = (
    "S1_20180301_VV_coh.tif",
    "S1A_20180301T055812_20180313T055812_vv_coherence.tif",
    "S1_20180301_VV_VH_ratio.tif",
    "S1_20180301_VV-VH.tif",
    "VH_VV_20180301.tif",
    "S1_20180301_VV_minus_VH.tif",
    "S1_20180301_diff_VH.tif",
    "S1_20180301_VV_stdDev.tif",
    "VV_20180301_incidenceAngle.tif",
    "S1_20180301_VH_entropy.tif",
    "S1_20180301_alpha_VV.tif",
    "S1_20180301_VV_GLCM_contrast.tif",
    "i_VV_20180301.tif",
)


@pytest.mark.parametrize("name", MADE_FROM_IMAGES)
def test_what_was_made_from_images_is_told_and_left_out(tmp_path, write_raster, find_in, listener, name):
    write_raster(tmp_path / "S1_20180301_VV.tif", ONE)
    write_raster(tmp_path / name, ONE)
    (product,) = find_in(folder=tmp_path)
    assert product.paths == {tmp_path / "S1_20180301_VV.tif"}
    (warning,) = listener.warnings
    assert f"{name}): no image of backscatter" in warning
    with pytest.raises(InputError, match=r"no image of backscatter.*\s.*Leave them out of LAYERS"):
        find_in(layers=tuple(tmp_path.iterdir()))


@pytest.mark.parametrize("description", ["VV/VH", "VV coherence", "VV_ratio", "std(VV)", "VV_angle", "VH-VV", "i_VV"])
def test_bands_that_were_made_from_images_are_none(tmp_path, write_raster, find_in, listener, description):
    three = np.ones((3, 4, 4), "float32")
    write_raster(tmp_path / "S1_20180301.tif", three, names=("VV", description, "VH"))
    write_raster(tmp_path / "S1_vv_20180313.tif", ONE, names=(description,))
    (product,) = find_in(folder=tmp_path)
    assert {name: source.index for name, source in product.bands.items()} == {"VV": 1, "VH": 3}
    (warning,) = listener.warnings
    assert "S1_vv_20180313.tif" in warning


def test_both_polarisations_in_the_name_of_a_file_are_no_harm_where_its_bands_tell_them(
    tmp_path, write_raster, find_in, listener
):
    write_raster(tmp_path / "S1_VV_VH_20180301.tif", TWO, names=("VV", "VH"))
    write_raster(tmp_path / "S1_VV_VH_20180313.tif", ONE, names=("Gamma0_VV",))
    assert [set(product.bands) for product in find_in(folder=tmp_path)] == [{"VV", "VH"}, {"VV"}]
    assert not listener.warnings


def test_undated_files_are_listed(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "vv.tif", ONE)
    write_raster(tmp_path / "VH.tif", ONE)
    with pytest.raises(InputError, match=r"2 of 2 files.*VH\.tif.*vv\.tif"):
        find_in(folder=tmp_path)


def test_one_polarisation_twice_in_a_file_is_refused(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "S1_20180301.tif", TWO, names=("VV asc", "VV desc"))
    with pytest.raises(InputError, match="bands 1 and 2 are both VV"):
        find_in(folder=tmp_path)


def test_products_of_level_1_are_refused_with_what_to_do(tmp_path, find_in):
    path = tmp_path / "s1a-iw-grd-vv-20180103t055812-20180103t055837-019987-0220b4-001.tiff"
    corners = [GroundControlPoint(row, column, 3 + column / 100, 50 - row / 100) for row in (0, 4) for column in (0, 4)]
    with rasterio.open(path, "w", driver="GTiff", count=1, height=4, width=4, dtype="uint16") as dataset:
        dataset.write(np.ones((1, 4, 4), "uint16"))
        dataset.gcps = corners, CRS.from_epsg(4326)
    with pytest.raises(InputError, match=r"grd-vv-.*\.tiff lies in the geometry of the radar.*SNAP"):
        find_in(folder=tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "S1A_20180301_VV_coherence.tif", "coh_vv_20180301.tif", "20180301_VV_VH_ratio.tif", "VV-VH_20180301.tif",
        "20180301_VVdivVH.tif", "diff_VV_20180301.tif", "std_vv_20180301.tif", "entropy_VV_20180301.tif",
        "20180301_VV_localIncidenceAngle.tif", "glcm_contrast_VV_20180301.tif", "20180301_VV_noise.tif",
    ],
)  # fmt: skip
def test_what_is_made_from_images_is_none(tmp_path, write_raster, find_in, name):
    """They were averaged into the images of their date."""
    write_raster(tmp_path / "S1_20180301.tif", TWO, names=("VV_dB", "VH_dB"))
    write_raster(tmp_path / name, ONE)
    (product,) = find_in(folder=tmp_path)
    assert product.name == "S1_20180301.tif"
    with pytest.raises(InputError, match=rf"{name}\): no (image of backscatter|polarisation)"):
        find_in(layers=(tmp_path / "S1_20180301.tif", tmp_path / name))


def test_bands_beside_the_polarisations_that_are_none_are_passed_over(tmp_path, write_raster, find_in):
    names = ("Gamma0_VV", "Gamma0_VH", "VV_VH_ratio", "VV/VH", "coherence_VV", "angle")
    write_raster(tmp_path / "VVVH_20180301.tif", np.ones((6, 4, 4), "float32"), names=names)
    write_raster(tmp_path / "S1_VV_VH_20180313.tif", TWO, names=("VV", "VH"))
    found = [{name: source.index for name, source in product.bands.items()} for product in find_in(folder=tmp_path)]
    assert found == [{"VV": 1, "VH": 2}] * 2


def test_bands_that_are_not_described_are_named_by_the_user(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "radar_20180302.tif", TWO)
    with pytest.raises(InputError, match="name the bands in their order as BANDS, such as VV,VH"):
        find_in(layers=(tmp_path / "radar_20180302.tif",))
    (product,) = find_in(folder=tmp_path, bands=BandNames.parse("VH_dB,VV_dB"))
    assert {name: (band.index, band.units) for name, band in product.bands.items()} == {
        "VH": (1, "dB"),
        "VV": (2, "dB"),
    }
    with pytest.raises(InputError, match="BANDS names 'HV'"):
        find_in(folder=tmp_path, bands=BandNames.parse("VH,HV"))


def test_two_bands_of_one_polarisation_are_told_apart_by_a_table(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "radar_20180302.tif", TWO, names=("VV", "VV raw"))
    with pytest.raises(InputError, match=r"the bands 1 and 2 are both VV.*in a table of bands, as BANDS"):
        find_in(folder=tmp_path)
    (tmp_path / "bands.csv").write_text("file,band,name\nradar_20180302.tif,2,VV\n")
    (product,) = find_in(folder=tmp_path, bands=BandNames.parse(str(tmp_path / "bands.csv")))
    assert product.bands["VV"].index == 2


def bands_by_day(products):
    return {product.date: {name: source.index for name, source in product.bands.items()} for product in products}


@pytest.mark.parametrize(
    "name",
    [
        "{:%Y%m%d}_{}",
        "{1}_{0:%Y-%m-%d}",
        "{:%Y-%m-%d} {}",
        "Sigma0_{1}_slv1_{0:%d%b%Y}",
        "S1A_IW_GRDH_1SDV_{:%Y%m%d}T055000_{:%Y%m%d}T055025_021000_0240F0_ABCD_{}",
    ],
)
def test_a_stack_with_a_date_beside_each_band_is_an_image_a_date(tmp_path, write_raster, find_in, name):
    days = [date(2018, 3, 15), date(2018, 4, 14), date(2018, 5, 14)]
    fields = name.count("{:%")
    names = [name.format(*[day] * max(fields, 1), band) for day in days for band in ("VV", "VH")]
    write_raster(tmp_path / "site_2020.tif", np.ones((6, 4, 4), "float32"), names=names)
    found = find_in(folder=tmp_path)
    assert bands_by_day(found) == {day: {"VV": 2 * n + 1, "VH": 2 * n + 2} for n, day in enumerate(days)}
    assert len({product.name for product in found}) == 3


def test_the_name_of_an_image_in_a_stack_tells_its_orbit(tmp_path, write_raster, find_in):
    name = "S1A_IW_GRDH_1SDV_{}T173953_{}T174018_039156_049F13_6FF8_VV"
    names = [name.format(day, day) for day in ("20210809", "20210821")]
    write_raster(tmp_path / "stack.tif", TWO, names=names)
    assert [product.orbit.relative for product in find_in(folder=tmp_path)] == [59, 59]


def test_one_polarisation_twice_at_a_date_of_a_stack_is_refused(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "stack.tif", TWO, names=("20180315_VV", "VV_20180315"))
    with pytest.raises(InputError, match=r"bands 1 and 2 are both VV of 2018-03-15"):
        find_in(folder=tmp_path)


def test_a_band_of_a_stack_that_may_be_of_two_days_is_refused_with_both(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "stack.tif", TWO, names=("20180315_20180327_VV", "20180327_VH"))
    with pytest.raises(InputError, match=r"band 1.*may be of 2018-03-15 or 2018-03-27"):
        find_in(folder=tmp_path)


@pytest.mark.parametrize(
    "path", ["VV/20180315.tif", "2018/3/15/S1_vv.tif", "S1_20180315/gamma0-vv.tif", "2018-03-15/S1A_VV_clip.tif"]
)
def test_date_and_polarisation_are_found_anywhere_in_the_path(tmp_path, write_raster, find_in, path):
    write_raster(tmp_path / path, ONE)
    assert bands_by_day(find_in(folder=tmp_path)) == {date(2018, 3, 15): {"VV": 1}}


@pytest.mark.parametrize(("dtype", "scale"), [("uint16", 1 / 65535), ("float32", 1)])
def test_raw_bands_of_browsers_are_power(tmp_path, write_raster, find_in, dtype, scale):
    name = "2025-03-31-00_00_2025-03-31-23_59_Sentinel-1_IW_VV+VH_{}_(Raw).tiff"
    for band in ("VV", "VH"):
        write_raster(tmp_path / name.format(band), ONE.astype(dtype))
    found = find_in(folder=tmp_path)
    assert sorted(band for product in found for band in product.bands) == ["VH", "VV"]
    sources = [source for product in found for source in product.bands.values()]
    assert {(source.units, source.scale) for source in sources} == {("power", scale)}


def test_the_newest_version_of_an_image_is_used(tmp_path, write_raster, find_in, listener):
    name = "OPERA_L2_RTC-S1_T034-071092-IW3_20230611T002900Z_{}T203216Z_S1A_30_v1.0_{}.tif"
    for band in ("VV", "VH"):
        for made in ("20230928", "20240228"):
            write_raster(tmp_path / name.format(made, band), ONE)
    found = find_in(folder=tmp_path)
    assert {file.name for product in found for file in product.files} == {
        name.format("20240228", band) for band in ("VV", "VH")
    }
    (warning,) = listener.warnings
    assert warning.startswith("Several versions of one image")


def test_images_of_a_corrected_archive_are_power_by_their_names(prepare_radar, write_raster, tmp_path, decibels):
    power = np.random.default_rng(0).uniform(0.01, 0.2, (1, 16, 16)).astype("float32")
    power[:, 0] = -32768
    for day in ("20220315", "20220327"):
        folder = tmp_path / "in" / f"S1A_IW_GRDH_1SDV_{day}T055000_{day}T055025_042345_050C93_rtc"
        for name in ("vv", "vh"):
            write_raster(folder / f"iw-{name}.rtc.tiff", power, nodata=-32768)
    series = prepare_radar(db_range="VV=-30:0,VH=-30:0")
    assert (series.bands, series.dates) == (("VV", "VH"), (date(2022, 3, 15), date(2022, 3, 27)))
    found = decibels(series)
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1:, :, 1, 0], 10 * np.log10(power[0, 1:]), atol=15 / 254 + 1e-6)
