"""Finding THEIA products."""

import shutil
from datetime import date
from xml.etree import ElementTree

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import ZipMember
from twinns_qgis.series.series import SENTINEL2_BANDS

DAY = date(2018, 3, 5)


@pytest.fixture
def real_metadata(shared):
    (path,) = (shared / "fixtures/theia/sen2agri_GPL3/MAJA").glob("*_MTD_ALL.xml")
    return path


@pytest.fixture
def around_real_metadata(tmp_path, real_metadata, write_raster):
    """A product of one pixel that holds just what its real metadata list; returns its folder and the metadata."""
    root = ElementTree.parse(real_metadata).getroot()
    folder = tmp_path / root.findtext(".//PRODUCT_ID")
    for item in [*root.iter("IMAGE_FILE"), *root.iter("MASK_FILE")]:
        write_raster(folder / item.text, np.zeros((1, 1, 1), "int16"))
    shutil.copy(real_metadata, folder)
    return folder, root


def test_products_are_found_anywhere_below_the_folder(tmp_path, make_theia, find_in):
    make_theia(tmp_path / "b" / "deep", DAY, 1000)
    make_theia(tmp_path / "a", date(2018, 3, 10), 1000, edge=np.zeros((16, 16), "uint8"))
    first, second = find_in(folder=tmp_path)
    assert (first.date, second.date) == (DAY, date(2018, 3, 10))
    assert tuple(first.bands) == SENTINEL2_BANDS
    assert [[mask.name for mask in product.masks] for product in (first, second)] == [["CLM"], ["CLM", "EDG"]]
    assert first.bands["B8A"].path.name.endswith("_FRE_B8A.tif")
    assert (first.bands["B8A"].scale, first.bands["B8A"].nodata) == (1e-4, -10000)


def test_the_folder_may_be_the_product_itself_or_lie_in_an_archive(tmp_path, make_theia, find_in, pack):
    folder = make_theia(tmp_path, DAY, 1000)
    assert [product.name for product in find_in(folder=folder)] == [folder.name]
    pack(folder, tmp_path / "download.zip")
    (product,) = find_in(folder=tmp_path)
    assert product.name == folder.name
    assert all(isinstance(file, ZipMember) for file in product.files)
    assert product.paths == {tmp_path / "download.zip"}


@pytest.mark.parametrize(
    "name",
    [
        "SENTINEL2A_20180305-105421-464_L2A_T31UES_D_V1-4",
        "SENTINEL2B_20180305-105421-464_L2A_T31UES_C_V2-2",
        "SENTINEL2C_20250305-105421-464_L2A_T31UES_C_V3-0-1",
        "SENTINEL2A_20180305-105421-464_L2A_T31UES_C_V1-0_unpacked",
    ],
)
def test_names_of_all_versions_are_known(tmp_path, make_theia, find_in, name):
    make_theia(tmp_path, DAY, 1000).rename(tmp_path / name)
    assert [product.name for product in find_in(folder=tmp_path)] == [name.removesuffix("_unpacked")]


def test_the_newest_version_of_an_acquisition_is_used(tmp_path, make_theia, find_in, listener):
    for version in ("V2-2", "V10-0", "V1-0"):
        folder = make_theia(tmp_path, DAY, 1000)
        folder.rename(folder.with_name(folder.name.replace("V1-0", version)))
    assert [product.name[-5:] for product in find_in(folder=tmp_path)] == ["V10-0"]
    (warning,) = listener.warnings
    assert "Several versions of one acquisition" in warning
    assert "V1-0" in warning
    assert "V2-2" in warning


def test_reflectance_of_a_flat_surface_is_a_choice(tmp_path, make_theia, find_in):
    folder = make_theia(tmp_path, DAY, 1000)
    for path in folder.glob("*_FRE_*"):
        path.rename(path.with_name(path.name.replace("_FRE_", "_SRE_")))
    (product,) = find_in(folder=tmp_path, reflectance="SRE")
    assert product.bands["B12"].path.name.endswith("_SRE_B12.tif")
    with pytest.raises(InputError, match=r"has no file \*_FRE_B2\.tif"):
        find_in(folder=tmp_path)


@pytest.mark.parametrize("pattern", ["*_FRE_B8A.tif", "MASKS/*_CLM_R1.tif"])
def test_a_renamed_file_is_told_with_the_product_and_what_was_looked_for(tmp_path, make_theia, find_in, pattern):
    product = make_theia(tmp_path, DAY, 1000)
    file = next(product.glob(pattern))
    file.rename(file.with_name("renamed.tif"))
    with pytest.raises(InputError) as error:
        find_in(folder=tmp_path)
    assert product.name in error.value.message
    assert pattern in error.value.message


def test_the_geophysical_mask_serves_without_the_cloud_mask(tmp_path, make_theia, find_in):
    clouds = next(make_theia(tmp_path, DAY, 1000).glob("MASKS/*_CLM_R1.tif"))
    clouds.rename(clouds.with_name(clouds.name.replace("CLM", "MG2")))
    (product,) = find_in(folder=tmp_path)
    assert [mask.name for mask in product.masks] == ["MG2"]


def test_other_levels_are_passed_over_with_a_warning(tmp_path, make_theia, find_in, listener):
    make_theia(tmp_path, DAY, 1000)
    for name in (
        "SENTINEL2A_20180305-105421-464_L1C_T31UES_C_V1-0",
        "SENTINEL2X_20180315-000000-000_L3A_T31UES_C_V1-1",
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "any.tif").write_text("not read")
    (tmp_path / "SENTINEL2A_20160928-105637-665_L2A_T31UDS_C_V1-0_PVD_ALL").mkdir()
    (tmp_path / "SENTINEL2A_20160928-105637-665_L2A_T31UDS_C_V1-0_PVD_ALL/LTC.xml").write_text("")
    assert len(find_in(folder=tmp_path)) == 1
    (warning,) = listener.warnings
    assert "_L1C_" in warning
    assert "_L3A_" in warning
    assert "Level 2A is expected" in warning


def test_real_metadata_list_the_files_that_are_read(around_real_metadata, find_in):
    folder, root = around_real_metadata
    (product,) = find_in(folder=folder)
    listed = {
        item.get("band_id"): folder / item.text
        for image in root.iter("Image")
        if image.findtext(".//NATURE") == "Flat_Reflectance"
        for item in image.iter("IMAGE_FILE")
    }
    assert {band: source.path for band, source in product.bands.items()} == listed
    assert {(source.scale, source.nodata) for source in product.bands.values()} == {(1e-4, -10000.0)}


def test_real_metadata_tell_the_bits_of_the_masks(around_real_metadata, find_in):
    folder, root = around_real_metadata
    (product,) = find_in(folder=folder)
    masks = {mask.findtext(".//NATURE"): list(mask.iter("MASK_FILE")) for mask in root.iter("Mask")}
    saturation = {next(iter(mask.bands)): mask for mask in product.masks if mask.name == "SAT"}
    assert len(saturation) == len(masks["Saturation"]) == 10
    for item in masks["Saturation"]:
        mask = saturation[item.get("band_id")]
        assert mask.path == folder / item.text
        assert {2**bit in mask.clear for bit in range(8) if bit + 1 != int(item.get("bit_number"))} == {True}
        assert 2 ** (int(item.get("bit_number")) - 1) not in mask.clear
    (geophysical,) = (mask for mask in product.masks if mask.name == "MG2")
    for nature in ("Cloud", "Cloud_Shadow", "Hidden_Surface", "Sun_Too_Low"):
        assert 2 ** (int(masks[nature][0].get("bit_number")) - 1) not in geophysical.clear
    for nature in ("Water", "Snow", "Topography_Shadow", "Tangent_Sun"):
        assert 2 ** (int(masks[nature][0].get("bit_number")) - 1) in geophysical.clear
    assert {mask.name for mask in product.masks if mask.spreads} == {"CLM", "MG2"}


@pytest.mark.parametrize(
    ("old", "new", "scale", "nodata"),
    [(">10000</REFL", ">1000</REFL", 1e-3, -10000), ('"nodata">-10000', '"nodata">-9999', 1e-4, -9999)],
)
def test_metadata_tell_scale_and_missing_pixels(around_real_metadata, find_in, old, new, scale, nodata):
    folder, _ = around_real_metadata
    (path,) = folder.glob("*_MTD_ALL.xml")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    (product,) = find_in(folder=folder)
    assert {(source.scale, source.nodata) for source in product.bands.values()} == {(scale, nodata)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "T31UDS_C_V1-0</PRODUCT_ID>",
            "T31UES_C_V1-0</PRODUCT_ID>",
            "is of the product .*T31UES.*, but lies in .*T31UDS",
        ),
        ("L2A_T31UDS_C_V1-0</PRODUCT_ID>", "L1C_T31UDS_C_V1-0</PRODUCT_ID>", "is of the product .*L1C.*, but lies in"),
        ("REFLECTANCE_QUANTIFICATION_VALUE", "OTHER", "tells no REFLECTANCE_QUANTIFICATION_VALUE"),
        ('name="nodata"', 'name="other"', "SPECIAL_VALUE nodata"),
        ("</Muscate_Metadata_Document>", "", "MTD_ALL.xml can't be read"),
    ],
)
def test_metadata_that_contradict_the_product_are_refused(around_real_metadata, find_in, old, new, message):
    folder, _ = around_real_metadata
    (path,) = folder.glob("*_MTD_ALL.xml")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=message):
        find_in(folder=folder)
