"""Finding Sentinel-2 in rasters whose bands are named, by descriptions or by the names of files."""

import shutil
from datetime import date

import numpy as np
import pytest
import rasterio

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import files_below
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.band_names import BandNames
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.masks import mask_source
from twinns_qgis.series.products.offset import parse_offset
from twinns_qgis.series.readers.search import Sentinel2Options
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2
from twinns_qgis.series.series import SENTINEL2_BANDS, Series

DAY = date(2018, 3, 5)
NAME = "S2B_L2A_20190904T074619_N9999R135T36MXB_36MXB"


@pytest.fixture
def archive(shared):
    """The real images of Sentinel-2 and Landsat 8, in a folder each."""
    return shared / "fixtures/ewoc/OPTICAL"


@pytest.fixture
def make_bands(write_raster):
    def make(folder, name=NAME, layers=("B02", "B03", "MASK")):
        for layer in layers:
            write_raster(folder / f"{name}_{layer}.tif", np.ones((1, 4, 4), "uint16"))

    return make


def test_files_that_begin_alike_are_a_product(tmp_path, make_bands, find_in):
    make_bands(tmp_path / "a" / NAME)
    make_bands(tmp_path, "S2A_36MXB_20190910_L2A_x", ("B02_10m", "B8A_20m", "SCL_20m"))
    first, second = find_in(folder=tmp_path)
    assert (first.name, first.date, sorted(first.bands)) == (NAME, date(2019, 9, 4), ["B2", "B3"])
    assert [(mask.name, mask.clear, mask.spreads) for mask in first.masks] == [("MASK", {1}, {0})]
    assert (second.date, sorted(second.bands), second.masks[0].name) == (date(2019, 9, 10), ["B2", "B8A"], "SCL")
    assert (first.bands["B2"].scale, first.bands["B2"].nodata) == (1e-4, 0)


def test_bands_of_other_sensors_are_passed_over_with_a_warning(tmp_path, make_bands, find_in, listener):
    make_bands(tmp_path / NAME)
    make_bands(tmp_path / "LC08", "LC08_L2SP_20190904_16906202T1_36MXB")
    assert [product.name for product in find_in(folder=tmp_path)] == [NAME]
    (warning,) = listener.warnings
    assert "LC08_L2SP_20190904_16906202T1_36MXB_B02.tif" in warning
    assert "named like a band" in warning


def test_a_band_twice_is_refused_with_both_files(tmp_path, make_bands, find_in):
    make_bands(tmp_path, layers=("B02", "B02_10m"))
    with pytest.raises(InputError, match=r"Two files hold B2 .*_B02\.tif and .*_B02_10m\.tif"):
        find_in(folder=tmp_path)


def test_the_real_mask_is_1_on_land_and_0_on_clouds(archive):
    blue = {0: [], 1: []}
    for path in archive.rglob("S2*_MASK.tif"):
        with rasterio.open(path) as mask, rasterio.open(str(path).replace("MASK", "B02")) as band:
            flags = np.kron(mask.read(1), np.ones((2, 2), int))
            for flag in blue:
                blue[flag].extend(band.read(1)[flags == flag] * 1e-4)
    assert len(blue[0]) > 50
    assert np.median(blue[1]) == pytest.approx(0.04, abs=0.01)
    assert min(blue[0]) > 0.1


def test_a_real_archive_becomes_a_series(archive, tmp_path, listener):
    for folder in [path for day in ("20190830", "20190904") for path in archive.rglob(f"{day}/S2*")]:
        shutil.copytree(folder, tmp_path / "in" / folder.name)
    landsat = next(archive.rglob("LC08_*"))
    shutil.copytree(landsat, tmp_path / "in" / landsat.name)
    output, inputs = tmp_path / "s2.tif", Inputs(folder=tmp_path / "in")
    prepare_sentinel2(Outputs(output), inputs, Period(), machine=Machine(64), reporter=listener)
    series = Series.open(output)
    assert series.dates == (date(2019, 8, 30), date(2019, 9, 4))
    assert series.bands == ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B11", "B12")
    assert "LC08" in listener.warnings[0]

    def read(day, layer):
        (path,) = (tmp_path / "in").rglob(f"S2*_{day}*_{layer}.tif")
        with rasterio.open(path) as dataset:
            return dataset.read(1)

    clear = np.kron(read("20190830", "MASK"), np.ones((2, 2), int)) == 1
    assert not clear.all()
    for order, layer in ((0, "B02"), (6, "B08")):
        own = [read(day, layer) for day in ("20190830", "20190904")]
        np.testing.assert_array_equal(series.read()[:, :, 0, order], np.where(clear, *own))
        np.testing.assert_array_equal(series.read()[:, :, 1, order], own[1])


def test_bands_are_found_in_archives(tmp_path, make_bands, find_in, pack):
    make_bands(tmp_path / NAME)
    pack(tmp_path / NAME, tmp_path / "a.zip")
    assert len(files_below(tmp_path)) == 3
    assert [product.name for product in find_in(folder=tmp_path)] == [NAME]


def test_the_files_of_a_date_are_one_product(tmp_path, make_dated, find_in):
    make_dated(tmp_path / "S2_10m", DAY, 1000)
    coarse = make_dated(tmp_path / "S2_20m", DAY, 1000, 4, name="S2_{}_20m.tif", bands=("B05", "B8A"), resolution=20)
    make_dated(tmp_path / "S2_10m", date(2018, 3, 1), 1000)
    first, second = find_in(folder=tmp_path)
    assert (first.date, second.date) == (date(2018, 3, 1), DAY)
    assert set(second.bands) == {"B2", "B3", "B4", "B8", "B5", "B8A"}
    assert (second.bands["B8A"].path, second.bands["B8A"].index) == (coarse, 2)
    assert second.masks == (mask_source(coarse, 3, "SCL"),)
    assert first.masks == ()


def test_other_rasters_below_the_folder_are_passed_over(tmp_path, make_dated, write_raster, find_in):
    make_dated(tmp_path, DAY, 1000)
    write_raster(tmp_path / "undated_labels.tif", np.ones((1, 4, 4), "uint8"))
    write_raster(tmp_path / "S1_20180306.tif", np.ones((2, 4, 4), "float32"), names=("VV_dB", "VH_dB"))
    write_raster(tmp_path / "series.tif", np.ones((1, 4, 4), "int16"), names=("2018-03-05 B2",))
    assert len(find_in(folder=tmp_path)) == 1


def test_a_layer_without_known_bands_is_refused(tmp_path, make_dated, write_raster, find_in):
    good = make_dated(tmp_path, DAY, 1000)
    write_raster(tmp_path / "bad_20180306.tif", np.ones((1, 4, 4), "uint8"))
    with pytest.raises(InputError, match=r"bad_20180306\.tif.*B02"):
        find_in(layers=(good, tmp_path / "bad_20180306.tif"))


def test_whole_numbers_are_ten_thousandths_and_a_declared_scale_counts(tmp_path, make_dated, write_raster, find_in):
    plain = make_dated(tmp_path, DAY, 1000)
    declared = make_dated(tmp_path, date(2018, 3, 6), 1000)
    with rasterio.open(declared, "r+") as dataset:
        dataset.scales, dataset.offsets = (1e-4,) * 4, (-0.1,) * 4
    write_raster(tmp_path / "20180307.tif", np.ones((1, 4, 4), "float32"), names=("B2",))
    found = find_in(layers=(plain, declared, tmp_path / "20180307.tif"))
    scaling = [(product.bands["B2"].scale, product.bands["B2"].offset) for product in found]
    assert scaling == [(1e-4, 0), (1e-4, -0.1), (1, 0)]


def test_several_tiles_of_a_date_are_products_each(tmp_path, make_dated, write_raster, find_in, listener):
    for tile, x in (("a", 500000), ("b", 500160)):
        make_dated(tmp_path / tile, DAY, 1000, origin=(x, 5600000))
        path, coarse = tmp_path / tile / "S2_20180305_20m.tif", np.ones((2, 8, 8), "uint16")
        write_raster(path, coarse, names=("B05", "SCL"), resolution=20, origin=(x, 5600000))
    products = find_in(folder=tmp_path)
    assert [{file.parent.name for file in product.files} for product in products] == [{"a"}, {"b"}]
    assert [sorted(product.bands) for product in products] == [["B2", "B3", "B4", "B5", "B8"]] * 2
    assert not listener.warnings


def test_the_same_bands_twice_at_a_date_and_place_are_products_each_with_a_warning(
    tmp_path, make_dated, find_in, listener
):
    files = [make_dated(tmp_path / name, DAY, 1000, 4) for name in "ab"]
    assert [product.files for product in find_in(folder=tmp_path)] == [{file} for file in files]
    (warning,) = listener.warnings
    assert warning.startswith(f"The same date and place twice, 2018-03-05: {files[0]}, {files[1]}.")


def test_a_band_twice_in_files_that_are_not_whole_is_refused_with_both(tmp_path, make_dated, find_in):
    make_dated(tmp_path / "a", DAY, 1000, 4)
    make_dated(tmp_path / "b", DAY, 1000)
    with pytest.raises(InputError, match=r"B2 of 2018-03-05.*: .*a/S2_20180305_10m\.tif and .*b/S2_20180305_10m\.tif"):
        find_in(folder=tmp_path)


def test_dated_files_are_found_in_archives(tmp_path, make_dated, find_in, pack):
    make_dated(tmp_path / "export", DAY, 1000)
    pack(tmp_path / "export", tmp_path / "export.zip")
    (product,) = find_in(folder=tmp_path)
    assert product.date == DAY
    assert product.paths == {tmp_path / "export.zip"}


def test_zero_is_missing_where_unsigned_numbers_declare_nothing(tmp_path, write_raster, find_in):
    for number, dtype in enumerate(("uint16", "int16", "float32"), start=1):
        write_raster(tmp_path / f"2018030{number}.tif", np.ones((1, 4, 4), dtype), names=("B2",))
    assert [product.bands["B2"].nodata for product in find_in(folder=tmp_path)] == [0, None, None]


def test_undated_files_are_listed(tmp_path, make_dated, find_in):
    make_dated(tmp_path, DAY, 1000, name="one.tif")
    make_dated(tmp_path, DAY, 1000, name="two.tif")
    with pytest.raises(InputError, match=r"2 of 2 files.*one\.tif.*two\.tif"):
        find_in(folder=tmp_path)


def test_a_band_twice_in_one_file_is_refused(tmp_path, write_raster, find_in):
    """Three dates side by side, none of them told: the last one counted for all."""
    write_raster(tmp_path / "20180305.tif", np.ones((6, 4, 4), "uint16"), names=("B02", "B04", "B08") * 2)
    with pytest.raises(InputError, match=r"20180305\.tif: the bands 1 and 4 are both described B2\..*20180305_B02"):
        find_in(folder=tmp_path)


@pytest.mark.parametrize("name", ["{}_B02", "{}T105021_{}T105021_T31UES_B2", "B02_{}", "{} b02"])
def test_a_stack_with_a_date_beside_each_band_is_one_product_a_date(tmp_path, write_raster, find_in, name):
    names = [name.format(day, day).replace("02", band) for day in ("20180305", "20180308") for band in ("02", "04")]
    names = [name.replace("B2", f"B{4 if place % 2 else 2}") for place, name in enumerate(names)]
    write_raster(tmp_path / "stack_2020.tif", np.ones((4, 4, 4), "uint16"), names=names)
    first, second = find_in(folder=tmp_path)
    assert (first.date, second.date) == (DAY, date(2018, 3, 8))
    assert {band: source.index for band, source in second.bands.items()} == {"B2": 3, "B4": 4}


def test_a_band_twice_at_a_date_of_a_stack_is_refused(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "a.tif", np.ones((2, 4, 4), "uint16"), names=("20180305_B02", "20180305_B2"))
    with pytest.raises(InputError, match="both described B2 of 2018-03-05"):
        find_in(folder=tmp_path)


def test_words_beside_a_band_without_a_date_make_no_band(tmp_path, make_dated, write_raster, find_in):
    make_dated(tmp_path, DAY, 1000)
    write_raster(tmp_path / "20180306.tif", np.ones((2, 4, 4), "uint16"), names=("B02 quality", "B04-B08"))
    assert len(find_in(folder=tmp_path)) == 1


def test_a_finished_series_is_no_product_and_told_as_such(tmp_path, make_dated, make_series, find_in, listener):
    series = make_series("series.tif", np.ones((4, 4, 2, 1), "int16"))
    with pytest.raises(InputError, match=r"No Sentinel-2 products.*\n.*series\.tif\): finished series"):
        find_in(folder=tmp_path)
    with pytest.raises(InputError, match=r"series\.tif\): finished series"):
        find_in(layers=(series,))
    make_dated(tmp_path, DAY, 1000)
    assert len(find_in(folder=tmp_path)) == 1
    assert any("finished series" in message and "series.tif" in message for message in listener.messages)
    assert not any("series.tif" in warning for warning in listener.warnings)


@pytest.mark.parametrize(("bands", "dtype"), [(("B02", "B04"), "int16"), (("B2", "B12"), "uint16")])
def test_a_stack_that_is_described_almost_like_a_series_is_read(tmp_path, write_raster, find_in, bands, dtype):
    names = [f"2018-03-0{day} {band}" for day in (5, 8) for band in bands]
    write_raster(tmp_path / "stack.tif", np.ones((4, 4, 4), dtype), names=names)
    assert [product.date for product in find_in(folder=tmp_path)] == [DAY, date(2018, 3, 8)]


def test_a_file_that_lost_its_descriptions_is_told(tmp_path, make_dated, find_in, listener):
    make_dated(tmp_path, DAY, 1000)
    cut = make_dated(tmp_path, date(2018, 3, 6), 1000)
    with cut.open("r+b") as stream:
        stream.truncate(cut.stat().st_size - 20)
    assert len(find_in(folder=tmp_path)) == 1
    assert str(cut) in listener.warnings[0]


def test_bands_that_are_not_described_are_named_by_the_user(tmp_path, make_dated, write_raster, find_in):
    write_raster(tmp_path / "a_20180306.tif", np.ones((3, 4, 4), "int16"))
    write_raster(tmp_path / "b_20180307.tif", np.ones((2, 4, 4), "int16"), names=("upper", "lower"))
    make_dated(tmp_path, DAY, 1000)
    with pytest.raises(InputError, match=r"name the bands in their order as BANDS"):
        find_in(layers=tuple(tmp_path.glob("[ab]*.tif")))
    (tmp_path / "bands.csv").write_text("file,band,name\na_20180306.tif,2,SCL\na_20180306.tif,3,B3\n")
    described, first = find_in(folder=tmp_path, bands=BandNames.parse(str(tmp_path / "bands.csv")))
    assert {name: band.index for name, band in first.bands.items()} == {"B3": 3}
    assert [mask.name for mask in first.masks] == ["SCL"]
    assert set(described.bands) == {"B2", "B3", "B4", "B8"}
    assert [set(product.bands) for product in find_in(folder=tmp_path, bands=BandNames.parse("B01,B4,b09"))][1] == {
        "B4"
    }
    _, second = find_in(folder=tmp_path, bands=BandNames.parse("B8,B4"))
    assert {name: band.index for name, band in second.bands.items()} == {"B8": 1, "B4": 2}


@pytest.fixture
def make_files(write_raster):
    """Returns a function that writes rasters of one band of 8 x 8 pixels and one number, by their names."""

    def make(folder, names, number=2000, *, dtype="uint16", **how):
        for name in names:
            resolution = 20 if "20m" in name else 10
            side = 80 // resolution
            values = np.full((1, side, side), 4 if "scl" in name.lower() else number, dtype)
            write_raster(folder / name, values, resolution=resolution, **how)

    return make


@pytest.fixture
def prepare(tmp_path, listener):
    """Returns a function that prepares what lies below `in`, and returns the series."""

    def run(**options):
        output = tmp_path / "series.tif"
        inputs = Inputs(folder=tmp_path / "in")
        prepare_sentinel2(
            Outputs(output),
            inputs,
            Period(),
            options=Sentinel2Options(**options),
            machine=Machine(64),
            reporter=listener,
        )
        return Series.open(output)

    return run


TEN, TWENTY = ("B02", "B03", "B04", "B08"), ("B05", "B06", "B07", "B8A", "B11", "B12")


def granule(day, ending="tif"):
    names = [(band, 10) for band in TEN] + [(band, 20) for band in (*TWENTY, "SCL")]
    return [f"T31UES_{day}T104629_{band}_{resolution}m.{ending}" for band, resolution in names]


def test_files_of_granules_without_metadata_are_a_series(tmp_path, write_raster, prepare):
    days = ("20210520", "20210620", "20210720")
    rng = np.random.default_rng(0)
    blue = rng.integers(1400, 1700, (3, 8, 8)).astype("uint16")
    for number, day in enumerate(days):
        for name in granule(day):
            side = 4 if "20m" in name else 8
            values = (
                np.full((side, side), 4 if "SCL" in name else 1500, "uint16") if "B02" not in name else blue[number]
            )
            values[0] = 0
            write_raster(tmp_path / "in" / name, values[None], resolution=80 // side)
    series = prepare()
    assert series.dates == tuple(date(2021, month, 20) for month in (5, 6, 7))
    assert series.bands == SENTINEL2_BANDS
    values = series.read()[..., 0]  # height, width, dates
    assert (values[0] == -32768).all()
    expected = np.moveaxis(blue, 0, -1)[2:]  # the mask of 20 m hides two rows
    np.testing.assert_array_equal(values[2:], expected)


def test_jpeg_2000_of_granules_are_read(tmp_path, write_jp2, find_in):
    for name in granule("20210520", "jp2")[:2]:
        write_jp2(tmp_path / name, np.full((16, 16), 1500, "uint16"), 10)
    (product,) = find_in(folder=tmp_path)
    assert (product.name, sorted(product.bands)) == ("T31UES_20210520T104629", ["B2", "B3"])
    assert (product.bands["B2"].scale, product.bands["B2"].offset, product.bands["B2"].nodata) == (1e-4, 0, 0)


def test_an_offset_that_nothing_tells_is_refused_and_given_by_the_user(tmp_path, make_files, find_in, prepare):
    make_files(tmp_path / "in", granule("20210520") + granule("20220125"), 3000)
    with pytest.raises(InputError, match=r"10 files are of 25 January 2022 or later.*20220125T104629_B02") as raised:
        find_in(folder=tmp_path / "in")
    assert "OFFSET -1000" in raised.value.hint
    series = prepare(offset=parse_offset("-1000"), clear={"SCL": frozenset({4, 5, 7})})
    assert series.read()[0, 0, :, 0].tolist() == [3000, 2000]
    with rasterio.open(tmp_path / "series.tif") as dataset:
        told = [dataset.tags()[tag] for tag in ("OFFSET", "CLEAR", "REFLECTANCE")]
    assert told == ["-1000", "SCL=4-5,7", "FRE"]
    for given, expected in (("-1000 all", [-0.1, -0.1]), ("0", [0, 0])):
        products = find_in(folder=tmp_path / "in", offset=given)
        assert [product.bands["B2"].offset for product in products] == expected


@pytest.mark.parametrize(("baseline", "offset"), [("N0301", 0), ("N0400", -0.1), ("N0511", -0.1)])
def test_the_baseline_in_the_name_of_a_folder_tells_the_offset(tmp_path, make_files, find_in, baseline, offset):
    folder = f"S2A_MSIL2A_20220301T104629_{baseline}_R051_T31UES_20230301T150000"
    make_files(tmp_path, [f"{folder}/T31UES_20220301T104629_{band}_10m.tif" for band in TEN])
    (product,) = find_in(folder=tmp_path)
    assert {source.offset for source in product.bands.values()} == {offset}


@pytest.mark.parametrize(
    ("name", "band"),
    [
        ("31/U/ES/2018/3/5/0/R10m/B02.jp2.tif", "B2"),
        ("31/U/ES/2018/3/5/0/R20m/B8A.TIF", "B8A"),
        ("S2A_31UES_20180305_0_L2A/rededge1.tif", "B5"),
        ("t31ues_20180305t104629_b4.tiff", "B4"),
        ("B12/2018-03-05.tif", "B12"),
        ("site_20180305_red.img", "B4"),
        ("red_river/20180305_nir.tif", "B8"),
        ("2018064_B11_20m.tif", "B11"),
        ("export_20240101/S2_2018_03_05_swir22.tif", "B12"),
        ("BigEarthNet-v1.0/S2A_MSIL2A_20180305T101031_61_39/S2A_MSIL2A_20180305T101031_61_39_B08.tif", "B8"),
    ],
)
def test_date_and_band_are_found_anywhere_in_the_path(tmp_path, make_files, find_in, name, band):
    make_files(tmp_path, [name])
    (product,) = find_in(folder=tmp_path)
    assert (product.date, list(product.bands)) == (DAY, [band])


def test_the_folder_to_search_is_the_user_s_own_and_tells_nothing(tmp_path, make_files, find_in):
    folder = tmp_path / "red_20240101" / "data"
    make_files(folder, ["B04.tif", "image_20180305.tif"])
    with pytest.raises(InputError, match=r"No date was found for 1 of 1 files.*B04\.tif"):
        find_in(folder=tmp_path / "red_20240101" / "data")


def test_names_that_may_mean_two_things_are_refused_with_both(tmp_path, make_files, find_in):
    make_files(tmp_path / "bands", ["plot_B4_20180305_B08.tif"])
    make_files(tmp_path / "days", ["20180305_20180315_B04.tif"])
    with pytest.raises(InputError, match="either B4 or B8 by its name"):
        find_in(folder=tmp_path / "bands")
    with pytest.raises(InputError, match=r"several dates.*_B04\.tif \(2018-03-05 or 2018-03-15\)"):
        find_in(folder=tmp_path / "days")
    (tmp_path / "dates.csv").write_text("file,date\n20180305_20180315_B04.tif,2018-03-15\n")
    (product,) = find_in(folder=tmp_path / "days", dates=tmp_path / "dates.csv")
    assert product.date.day == 15


def test_a_band_described_otherwise_than_it_is_named_is_refused_with_both(tmp_path, write_raster, find_in):
    path = tmp_path / "20180305_B03.tif"
    write_raster(path, np.ones((1, 4, 4), "uint16"), names=("B02",))
    with pytest.raises(InputError, match="B2 by its description, B3 by its name"):
        find_in(layers=(path,))


@pytest.mark.parametrize(("dtype", "number"), [("uint16", 13107), ("uint8", 51), ("float32", 0.2)])
def test_raw_bands_of_browsers_are_parts_of_the_largest_number(tmp_path, make_files, prepare, dtype, number):
    name = "2022-04-16-00:00_2022-04-16-23:59_Sentinel-2_L2A_{}_(Raw).tiff"
    make_files(tmp_path / "in", [name.format(band) for band in TEN], number, dtype=dtype)
    series = prepare()
    assert series.dates == (date(2022, 4, 16),)
    assert (series.read() == 2000).all()


def test_hls_is_read_with_its_mask_and_without_an_offset(tmp_path, make_files, write_raster, prepare):
    name = "HLS.S30.T31UES.2022026T104629.v2.0.{}.tif"
    make_files(tmp_path / "in", [name.format(band) for band in (*TEN, "B8A")], 1234, dtype="int16", nodata=-9999)
    flags = np.array([0, 1, 2, 4, 8, 16, 32, 64, 192, 255, 6, 10, 48, 96, 224, 128], "uint8").reshape(1, 4, 4)
    write_raster(tmp_path / "in" / name.format("Fmask"), flags, resolution=20)
    series = prepare()
    assert series.dates == (date(2022, 1, 26),)
    clear = np.array([1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1], bool).reshape(4, 4)
    expected = np.where(np.kron(clear, np.ones((2, 2), bool)), 1234, -32768)
    np.testing.assert_array_equal(series.read()[:, :, 0, 0], expected)


def test_landsat_alone_is_a_series_of_its_bands(tmp_path, make_files, write_raster, prepare):
    name = "LC08_L2SP_199026_20210520_20210528_02_T1_{}.TIF"
    numbers = {"SR_B2": 9000, "SR_B4": 10000, "SR_B5": 18000, "SR_B6": 14000, "SR_B10": 1}
    for band, number in numbers.items():
        make_files(tmp_path / "in", [name.format(band)], number, nodata=0)
    flags = np.full((1, 8, 8), 21824, "uint16")
    flags[0, 0] = 22280
    write_raster(tmp_path / "in" / name.format("QA_PIXEL"), flags)
    series = prepare()
    assert (series.dates, series.bands) == ((date(2021, 5, 20),), ("B2", "B4", "B8", "B11"))
    expected = np.rint((np.array([9000, 10000, 18000, 14000]) * 0.0000275 - 0.2) * 1e4)
    np.testing.assert_array_equal(series.read()[1, 0, 0], expected)
    assert (series.read()[0] == -32768).all()


def test_landsat_with_other_names_is_told_and_passed_over(tmp_path, make_files, find_in):
    """WorldCereal's archives name its bands as Sentinel-2's."""
    make_files(tmp_path, [f"LC08_L2SP_20181010T235959_17006202T1_36MXB_{band}.tif" for band in ("B02", "B08", "B11")])
    with pytest.raises(InputError, match=r"_B02\.tif\): named like a band, but of another sensor"):
        find_in(folder=tmp_path)


def test_collection_1_of_landsat_is_in_ten_thousandths(tmp_path, make_files, find_in):
    name = "LC08_L1TP_012031_20160424_20170223_01_T1_sr_band{}.tif"
    make_files(tmp_path, [name.format(number) for number in (4, 5)], dtype="int16", nodata=-9999)
    (product,) = find_in(folder=tmp_path)
    assert {band: (source.scale, source.offset) for band, source in product.bands.items()} == {
        "B4": (1e-4, 0), "B8": (1e-4, 0),
    }  # fmt: skip


def test_what_is_made_from_bands_in_a_folder_of_a_band_is_none(tmp_path, make_files, find_in):
    make_files(tmp_path / "B04", ["20180305.tif", "NDVI_20180305.tif", "20180305_std.tif"])
    (product,) = find_in(folder=tmp_path)
    assert [path.name for path in product.paths] == ["20180305.tif"]


def test_names_of_level_1c_are_passed_over_unless_a_mask_or_a_folder_tells_level_2a(
    tmp_path, make_files, find_in, listener
):
    names = [f"T31UES_20180305T104629_{band}.tif" for band in TEN]
    for folder, more in (("a", []), ("b_L2A", []), ("c", ["T31UES_20180305T104629_SCL.tif"])):
        make_files(tmp_path / folder, names + more)
    with pytest.raises(InputError, match=r"4 \.tif .*named as level 1C.*a folder with L2A in its name"):
        find_in(folder=tmp_path / "a")
    assert [len(product.bands) for product in find_in(folder=tmp_path / "b_L2A")] == [4]
    assert [len(product.bands) for product in find_in(folder=tmp_path / "c")] == [4]


def test_a_mask_of_which_nothing_tells_what_it_means_is_refused_until_the_user_says_it(tmp_path, make_files, find_in):
    make_files(tmp_path, ["T31UES_20180305_B02.tif", "T31UES_20180305_mask.tif", "area_mask.tif"], 1)
    with pytest.raises(InputError, match=r"20180305_mask\.tif is a mask, and nothing tells") as raised:
        find_in(folder=tmp_path)
    assert "MASK=0" in raised.value.hint
    (product,) = find_in(folder=tmp_path, clear={"MASK": frozenset({0})})
    assert [mask.clear for mask in product.masks] == [{0}]


@pytest.mark.parametrize(
    ("names", "used"),
    [
        (("SCL_20m", "MSK_CLDPRB_20m"), "SCL"),
        (("MSK_CLDPRB_20m",), "CLDPRB"),
        (("CLD_20m",), "CLDPRB"),
        (("QA60",), "QA60"),
        (("QA60", "cloud_mask"), "CLM"),
        (("oa_fmask",), "OA_FMASK"),
    ],
)
def test_masks_are_known_by_name_and_weak_ones_count_where_there_is_no_other(
    tmp_path, make_files, find_in, names, used
):
    make_files(tmp_path, [f"T31UES_20180305T104629_{name}.tif" for name in ("B02_10m", *names)])
    (product,) = find_in(folder=tmp_path)
    assert [mask.name for mask in product.masks] == [used]


def test_reflectance_of_theia_s_files_is_chosen_by_name(tmp_path, make_files, find_in):
    name = "SENTINEL2A_20220305-105421-464_L2A_T31UES_C_V3-0_{}.tif"
    make_files(tmp_path, [name.format(f"{kind}_B{band}") for kind in ("FRE", "SRE") for band in (2, 4)])
    make_files(tmp_path, [name.format("CLM_R1")], 0, dtype="uint8")
    for kind in ("FRE", "SRE"):
        (product,) = find_in(folder=tmp_path, reflectance=kind)
        assert {kind in source.path.name for source in product.bands.values()} == {True}
        assert {source.offset for source in product.bands.values()} == {0}
        assert [mask.name for mask in product.masks] == ["CLM"]


@pytest.mark.parametrize(
    "description", ["B2, central wavelength 490 nm", "Blue", "blue (490 nm)", "BAND_2", "S2 B02 10m"]
)
def test_a_description_may_tell_what_a_band_is_in_words(tmp_path, write_raster, find_in, description):
    write_raster(tmp_path / "20180305.tif", np.ones((2, 4, 4), "uint16"), names=(description, "NDVI"))
    (product,) = find_in(folder=tmp_path)
    assert list(product.bands) == ["B2"]


def test_a_stack_of_images_as_earth_engine_names_its_bands_is_read(tmp_path, write_raster, find_in):
    ids = ("20180305T105021_20180305T105437_T31UES", "20180310T105311_20180412T105437_T31UES")
    names = [f"{name}_{band}" for name in ids for band in ("B2", "B8A", "QA60", "AOT")]
    write_raster(tmp_path / "stack.tif", np.ones((8, 4, 4), "uint16"), names=names)
    products = find_in(folder=tmp_path)
    assert [product.date for product in products] == [DAY, date(2018, 3, 10)]
    assert [{name: band.index for name, band in product.bands.items()} for product in products] == [
        {"B2": 1, "B8A": 2}, {"B2": 5, "B8A": 6},
    ]  # fmt: skip
    assert [[(mask.name, mask.index) for mask in product.masks] for product in products] == [
        [("QA60", 3)],
        [("QA60", 7)],
    ]


def test_a_band_of_a_stack_that_may_be_of_two_days_is_refused_with_both(tmp_path, write_raster, find_in):
    write_raster(tmp_path / "a.tif", np.ones((1, 4, 4), "uint16"), names=("20180305_20180310_B2",))
    with pytest.raises(InputError, match=r"band 1.*may be of 2018-03-05 or 2018-03-10"):
        find_in(folder=tmp_path)


def test_exports_of_many_bands_that_do_not_tell_their_offset_are_refused_too(tmp_path, make_dated, find_in):
    make_dated(tmp_path, date(2022, 1, 25), 3000)
    make_dated(tmp_path, DAY, 3000)
    with pytest.raises(InputError, match=r"1 files are of 25 January 2022 or later.*S2_20220125_10m"):
        find_in(folder=tmp_path)
    products = find_in(folder=tmp_path, offset="-1000")
    assert [product.bands["B2"].offset for product in products] == [0, -0.1]


@pytest.mark.parametrize(
    "name",
    ["openEO_2022-05-03Z.tif", "S2A2A_20220503_022_site_BOA_10.tif", "20220503_LEVEL2_SEN2A_BOA.tif"],
)
def test_programs_that_take_the_offset_off_are_known_by_name(tmp_path, write_raster, find_in, name):
    write_raster(tmp_path / name, np.ones((2, 4, 4), "int16"), names=("B02", "B03"))
    (product,) = find_in(folder=tmp_path)
    assert {source.offset for source in product.bands.values()} == {0}


def test_force_calls_b8a_the_near_infrared(tmp_path, write_raster, find_in):
    names = ("BLUE", "RED", "REDEDGE1", "BROADNIR", "NIR", "SWIR1", "SWIR2")
    write_raster(tmp_path / "20180305_LEVEL2_SEN2A_BOA.tif", np.ones((7, 4, 4), "int16"), names=names, nodata=-9999)
    (product,) = find_in(folder=tmp_path)
    assert list(product.bands) == ["B2", "B4", "B5", "B8", "B8A", "B11", "B12"]
    assert [source.index for source in product.bands.values()] == [1, 2, 3, 4, 5, 6, 7]


def test_it_is_told_where_the_date_alone_tells_the_offset(tmp_path, make_files, find_in, listener):
    make_files(tmp_path, granule("20210520"))
    find_in(folder=tmp_path)
    assert any("10 files of before 25 January 2022" in message for message in listener.messages)


def test_files_that_were_unpacked_beside_their_archive_are_read_once(tmp_path, make_files, find_in, listener):
    make_files(tmp_path / "granules", granule("20210520"))
    shutil.make_archive(tmp_path / "granules", "zip", tmp_path, "granules")
    (product,) = find_in(folder=tmp_path)
    assert not [path for path in product.paths if path.suffix == ".zip"]
    assert not listener.warnings


def test_bands_that_no_series_has_and_indices_are_not_worth_a_warning(tmp_path, make_files, find_in, listener):
    names = [f"S2_20180305_{name}.tif" for name in ("B02", "SCL", "B01", "B09", "B10", "NDVI", "TCI", "AOT", "WVP")]
    make_files(tmp_path, names)
    (product,) = find_in(folder=tmp_path)
    assert list(product.bands) == ["B2"]
    assert not listener.warnings
    with pytest.raises(InputError, match=r"7 of the 9 layers can't be used"):
        find_in(layers=tuple(sorted(tmp_path.iterdir())))


def test_layers_in_folders_of_dates_are_dated_by_them(tmp_path, make_files, find_in):
    make_files(tmp_path, [f"2018/{month}/5/0/R10m/{band}.tif" for month in (3, 4) for band in TEN])
    products = find_in(layers=tuple(sorted(tmp_path.rglob("*.tif"))))
    assert [product.date for product in products] == [DAY, date(2018, 4, 5)]
