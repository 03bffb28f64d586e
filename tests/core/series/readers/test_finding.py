"""Readers of all kinds behind one interface."""

import re
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.readers.finding import Readers, find_products
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.sentinel1.preparation import READERS as SENTINEL1
from twinns_qgis.series.sentinel2.finding import READERS as SENTINEL2

PAGE = Path(__file__).parents[4] / "docs" / "readers.md"


@pytest.fixture
def search(listener):
    return Search(AcquisitionDates(None, listener), listener)


@pytest.fixture
def percent_files():
    """The example of the page on readers."""
    reader = ModuleType("percent_files")
    exec(re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1], reader.__dict__)
    return reader


def test_the_page_s_example_is_a_reader(tmp_path, write_raster, search, percent_files):
    write_raster(tmp_path / "20180305" / "B2.tif", np.full((1, 4, 4), 25, "uint8"))
    write_raster(tmp_path / "20180315" / "B2.tif", np.full((1, 4, 4), 35, "uint8"))
    readers = Readers("images", (percent_files,), lambda text: True, lambda text: True, "B2")
    products = find_products(readers, Inputs(folder=tmp_path), Period(date(2018, 3, 10), None), search)
    assert [(product.date.day, product.bands["B2"].scale) for product in products] == [(15, 0.01)]
    assert [(left.date.day, left.reason) for left in search.left_out] == [(5, "outside the period")]


@pytest.mark.parametrize(("readers", "example"), [(SENTINEL2, "B2,B3,B4,B8"), (SENTINEL1, "VV,VH")])
def test_the_names_of_an_example_are_bands(readers, example):
    assert readers.example == example
    assert all(readers.is_name(name) and readers.is_band(name) for name in example.split(","))


def test_an_error_tells_what_is_there_by_kind(tmp_path, write_raster, search):
    for name in ("a.tif", "b.tif", "three.tif"):
        write_raster(tmp_path / name, np.ones((3 if name == "three.tif" else 1, 4, 4), "uint8"))
    for name in ("x.xml", "y.xml", "notes.txt"):
        (tmp_path / name).touch()
    with pytest.raises(InputError) as raised:
        find_products(SENTINEL2, Inputs(folder=tmp_path), Period(None, None), search)
    ones, threes, others = raised.value.message.splitlines()[1:]
    assert ones.startswith(f"- 2 .tif ({tmp_path / 'a.tif'}, {tmp_path / 'b.tif'}): 1 band, not described")
    assert threes.startswith(f"- 1 .tif ({tmp_path / 'three.tif'}): 3 bands, not described")
    assert others == "- Not looked at: 2 .xml, 1 .txt."
