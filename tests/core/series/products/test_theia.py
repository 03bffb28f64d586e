"""Finding THEIA products."""

from datetime import date

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.products.theia import find
from twinns_qgis.series.series import SENTINEL2_BANDS


@pytest.fixture
def find_below(listener):
    return lambda folder: find(Inputs(folder=folder), AcquisitionDates(None, listener), listener)


def test_products_are_found_anywhere_below_the_folder(tmp_path, make_theia, find_below):
    make_theia(tmp_path / "b" / "deep", date(2018, 3, 5), 1000)
    make_theia(tmp_path / "a", date(2018, 3, 10), 1000, edge=np.zeros((16, 16), "uint8"))
    first, second = find_below(tmp_path)
    assert (first.date, second.date) == (date(2018, 3, 5), date(2018, 3, 10))
    assert tuple(first.bands) == SENTINEL2_BANDS
    assert [len(product.masks) for product in (first, second)] == [1, 2]
    assert first.bands["B8A"].path.name.endswith("_FRE_B8A.tif")


def test_the_folder_may_be_the_product_itself_or_hold_its_own_name(tmp_path, make_theia, find_below):
    inner = make_theia(tmp_path, date(2018, 3, 5), 1000)
    assert [product.name for product in find_below(inner)] == [inner.name]
    outer = tmp_path / "outer" / inner.name
    outer.parent.mkdir()
    outer.mkdir()
    inner.rename(outer / inner.name)
    assert len(find_below(tmp_path)) == 1


@pytest.mark.parametrize("pattern", ["*_FRE_B8A.tif", "MASKS/*_CLM_R1.tif"])
def test_a_renamed_file_is_told_with_the_product_and_what_was_looked_for(tmp_path, make_theia, find_below, pattern):
    product = make_theia(tmp_path, date(2018, 3, 5), 1000)
    file = next(product.glob(pattern))
    file.rename(file.with_name("renamed.tif"))
    with pytest.raises(InputError) as error:
        find_below(tmp_path)
    assert product.name in error.value.message
    assert pattern in error.value.message


def test_other_folders_are_no_products(tmp_path, find_below):
    (tmp_path / "SENTINEL2A_20160928-105637-665_L2A_T31UDS_C_V1-0_PVD_ALL").mkdir()
    (tmp_path / "SENTINEL2A_20160928_L1C").mkdir()
    assert find_below(tmp_path) == []
