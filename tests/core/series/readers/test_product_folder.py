"""Finding the folders of products, and the files in them."""

import re

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import ZipMember, files_below
from twinns_qgis.series.readers.product_folder import product_folders

NAME = re.compile(r"P_\d+")


@pytest.fixture
def find(tmp_path, listener):
    return lambda: product_folders(files_below(tmp_path), NAME, listener)


def _make(folder):
    (folder / "MASKS").mkdir(parents=True)
    for name in ("one_B2.tif", "one_B3.tif", "MASKS/one_CLM.tif"):
        (folder / name).write_text(name)
    return folder


def test_a_pattern_stays_in_its_folder(tmp_path, find):
    folder = _make(tmp_path / "deep" / "P_1")
    (product,) = find()
    assert (product.name, product.path, product.zipped) == ("P_1", folder, False)
    assert product.find("*.tif") == [folder / "one_B2.tif", folder / "one_B3.tif"]
    assert product.one("MASKS/*.tif") == folder / "MASKS/one_CLM.tif"


@pytest.mark.parametrize(("pattern", "state"), [("*_B4.tif", "has no file"), ("*.tif", "has 2 files")])
def test_one_file_is_expected(tmp_path, find, pattern, state):
    _make(tmp_path / "P_1")
    with pytest.raises(InputError, match=f"The product P_1 {state} {re.escape(pattern)}"):
        find()[0].one(pattern)


@pytest.mark.parametrize(
    ("archive", "below", "path"),
    [
        ("P_1.zip", None, "P_1.zip/P_1"),
        ("download.zip", None, "download.zip/P_1"),
        ("P_1.zip", "", "P_1.zip"),
        ("all.zip", "2018/P_1", "all.zip/2018/P_1"),
    ],
)
def test_products_are_found_in_archives(tmp_path, find, pack, archive, below, path):
    pack(_make(tmp_path / "P_1"), tmp_path / archive, below)
    (product,) = find()
    assert (product.name, product.path, product.zipped) == ("P_1", tmp_path / path, True)
    member = product.one("MASKS/*_CLM.tif")
    assert isinstance(member, ZipMember)
    assert str(member) == str(tmp_path / path / "MASKS/one_CLM.tif")


def test_unpacking_may_wrap_a_folder_or_add_to_its_name(tmp_path, find):
    _make(tmp_path / "P_1" / "P_1")
    _make(tmp_path / "P_2 (1)")
    assert [(product.name, product.path.name) for product in find()] == [("P_1", "P_1"), ("P_2", "P_2 (1)")]
    assert find()[0].path.parent.name == "P_1"


def test_a_folder_is_preferred_to_its_archive(tmp_path, find, pack, listener):
    pack(_make(tmp_path / "P_1"), tmp_path / "a.zip")
    folder = _make(tmp_path / "z" / "P_1")
    (product,) = find()
    assert product.path == folder
    assert listener.messages == [f"P_1 is there twice: {folder} is used, {tmp_path / 'a.zip' / 'P_1'} is not."]
