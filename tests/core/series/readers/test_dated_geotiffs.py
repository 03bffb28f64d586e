"""Finding Sentinel-2 in GeoTIFFs of one date each."""

from datetime import date

import numpy as np
import pytest
import rasterio

from twinns_qgis.errors import InputError
from twinns_qgis.series.band_names import BandNames
from twinns_qgis.series.products.masks import mask_source

DAY = date(2018, 3, 5)


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
    write_raster(tmp_path / "b_20180307.tif", np.ones((2, 4, 4), "int16"), names=("nir", "red"))
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
