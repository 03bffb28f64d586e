"""Finding Sentinel-2 products of whatever kind."""

import shutil
from datetime import date

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.band_names import BandNames

DAY = date(2018, 3, 5)


def test_all_kinds_are_found_together_in_the_order_of_dates(tmp_path, make_theia, make_safe, make_dated, find_in):
    make_dated(tmp_path / "dated", date(2018, 3, 7), 1000)
    make_safe(date(2018, 3, 6), "02.06")
    make_theia(tmp_path / "theia", DAY, 1000)
    assert [product.date.day for product in find_in(folder=tmp_path)] == [5, 6, 7]


def test_bands_in_the_folder_of_a_product_that_are_no_part_of_it_are_told(
    tmp_path, make_theia, make_safe, write_raster, find_in, listener
):
    others = [folder / "other_20180306.tif" for folder in (make_theia(tmp_path, DAY, 1000), make_safe(DAY, "02.06"))]
    for other in others:
        write_raster(other, np.ones((1, 4, 4), "uint16"), names=("B02",))
        (other.parent / "broken_20180306.tif").write_text("not read")
        write_raster(other.parent / "labels.tif", np.ones((1, 4, 4), "uint8"))
    assert len(find_in(folder=tmp_path)) == 2
    (warning,) = listener.warnings
    assert "no part of the product" in warning
    assert all(str(other) in warning for other in others)


def test_a_geotiff_with_the_name_of_a_product_is_read(tmp_path, make_dated, find_in):
    for name in (
        "S2A_MSIL2A_{}T105441_N0206_R051_T31UES_20190507T124911.tif",
        "SENTINEL2A_{}-105421-464_L2A_T31UES_C_V1-0.tif",
    ):
        (tmp_path / name[:4]).mkdir()
        file = make_dated(tmp_path / name[:4], DAY, 1000, name=name)
        (product,) = find_in(folder=tmp_path / name[:4])
        assert product.date == DAY
        assert product.paths == {file}


@pytest.mark.parametrize(
    "folder",
    [
        "S2A_MSIL2A_20180305T105441_N0206_R051_T31UES_20190507T124911.SAFE",
        "SENTINEL2A_20180305-105421-464_L2A_T31UES_C_V1-0",
    ],
)
@pytest.mark.parametrize("names", [["stack_20180305.tif"], [f"S2A_L2A_20180305_{band}.tif" for band in ("B02", "B03")]])
def test_geotiffs_in_place_of_a_product_in_its_folder_are_read(tmp_path, write_raster, find_in, folder, names):
    for name in names:
        described = ("B02",) if name.startswith("stack") else ()
        write_raster(tmp_path / folder / name, np.ones((1, 4, 4), "uint16"), names=described)
    (product,) = find_in(folder=tmp_path)
    assert {path.name for path in product.paths} == set(names)


def test_bands_of_level_1c_are_told_though_nothing_else_is_there(tmp_path, write_raster, find_in):
    folder = tmp_path / "S2A_MSIL1C_20180305T105441_N0206_R051_T31UES_20190507T124911.SAFE"
    write_raster(folder / "stack_20180305.tif", np.ones((1, 4, 4), "uint16"), names=("B02",))
    with pytest.raises(InputError, match=r"No Sentinel-2 products.*\n.*stack_20180305\.tif\): no part of the product"):
        find_in(folder=tmp_path)


def test_bands_of_formats_that_no_reader_is_for_are_told(tmp_path, make_dated, write_raster, find_in, listener):
    make_dated(tmp_path, DAY, 1000)
    (tmp_path / "T31UES_20180305T105021_B04_10m.hdf").touch()
    write_raster(tmp_path / "export.tif", np.ones((1, 4, 4), "uint16"), names=("B02",))
    (tmp_path / "export.tif").rename(tmp_path / "export.dim")  # GDAL knows formats by their content
    assert len(find_in(folder=tmp_path)) == 1
    (warning,) = (warning for warning in listener.warnings if "that is not read" in warning)
    assert "1 .hdf" in warning
    assert "1 .dim" in warning


def test_clear_values_are_those_that_the_user_chose(tmp_path, make_safe, make_theia, find_in, listener):
    make_safe(date(2018, 3, 6), "02.06")
    make_theia(tmp_path, DAY, 1000)
    theia, safe = find_in(folder=tmp_path, clear={"SCL": frozenset({2, 4, 10}), "MG2": frozenset({0})})
    assert [mask.clear for mask in theia.masks] == [{0}]
    assert [(mask.clear, mask.spreads) for mask in safe.masks] == [({2, 4, 10}, {3, 8, 9})]
    assert listener.warnings == ["CLEAR names MG2, which no product has."]


def test_nothing_found_says_what_was_looked_for(tmp_path, find_in):
    with pytest.raises(InputError, match=r"No Sentinel-2 products.*THEIA.*SAFE.*_B02_10m\.tif.*described B02"):
        find_in(folder=tmp_path)


def test_real_exports_that_do_not_name_their_bands_are_not_guessed(shared, tmp_path, find_in):
    source = next((shared / "fixtures/safe/sen2r_GPL3_barbellino").glob("*BOA*"))
    shutil.copy(source, tmp_path / "renamed_20170703.tif")
    with pytest.raises(InputError, match=r"1 \.tif \(.*renamed_20170703\.tif\): 11 bands, not described.*never"):
        find_in(folder=tmp_path)


def test_real_exports_of_sen2r_are_known_by_their_names(shared, find_in):
    folder = shared / "fixtures/safe/sen2r_GPL3_barbellino"
    products = find_in(folder=folder)
    assert [product.date.year for product in products] == [2017, 2019]
    numbers = (2, 3, 4, 5, 6, 7, 8, 10, 11)
    for product in products:
        assert {name: band.index for name, band in product.bands.items()} == dict(
            zip(("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B11", "B12"), numbers, strict=True)
        )
        assert [mask.name for mask in product.masks] == ["SCL"]


def test_real_exports_whose_bands_the_user_names_are_read(shared, find_in):
    folder, names = shared / "fixtures/safe/sen2r_GPL3_barbellino", "B1,B2,B3,B4,B5,B6,B7,B8,-,B11,B12;SCL"
    products = find_in(folder=folder, bands=BandNames.parse(names))
    assert [len(product.bands) for product in products] == [9, 9]
    assert [mask.name for product in products for mask in product.masks] == ["SCL", "SCL"]


def test_a_period_without_products_tells_the_dates_found(tmp_path, make_theia, find_in):
    make_theia(tmp_path, DAY, 1000)
    with pytest.raises(InputError, match="the dates found are 2018-03-05 to 2018-03-05"):
        find_in(folder=tmp_path, start=date(2019, 1, 1))


def test_a_table_of_dates_that_names_unknown_files_is_told(tmp_path, make_theia, find_in, listener):
    folder = make_theia(tmp_path, DAY, 1000)
    table = tmp_path / "dates.csv"
    table.write_text(f"file,date\n{folder.name},2018-03-07\nmisspelt,2018-03-08\n")
    (product,) = find_in(folder=tmp_path, dates=table)
    assert product.date == date(2018, 3, 7)
    assert listener.warnings == [f"{table} gives dates to files that are not used: misspelt."]
