"""The view of a Sentinel-1 series as VV, VH and VV - VH."""

from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.series.ratio_view import view_path
from twinns_qgis.series.series import Series, series_layout
from twinns_qgis.series.style import write_series_style

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 20, 10)
DATES = (date(2018, 3, 1), date(2018, 6, 1))


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Writes a series of random values and its style; returns its path and its decibels by band, NaN where missing."""

    def make(bands=("VV", "VH"), scale=(0.1, 0.2), offset=(-25.0, -32.0), nodata=0, dtype="uint8", name="s1.tif"):
        path = tmp_path_factory.mktemp("series") / name if isinstance(name, str) else name
        layout = series_layout(GRID, DATES, bands, dtype=dtype, nodata=nodata, scale=scale, offset=offset, tags={})
        raw = np.random.default_rng(0).integers(0, 9, (len(bands) * 2, 10, 20)).astype(dtype)
        raw[raw == 0] = nodata
        with layout.create(path) as dataset:
            dataset.write(raw)
        write_series_style(path, DATES[1])
        missing = np.isnan(raw) if dtype == "float32" else raw == nodata
        decibels = np.where(missing, np.nan, raw * np.tile(scale, 2)[:, None, None] + np.tile(offset, 2)[:, None, None])
        return path, {f"{day} {band}": decibels[number] for number, (day, band) in enumerate(_pairs(bands))}

    return make


def _pairs(bands):
    return [(day, band) for day in DATES for band in bands]


@settings(max_examples=8, deadline=None)
@given(
    bands=st.sampled_from([("VV", "VH"), ("VH", "VV"), ("VH", "HH", "VV")]),
    scale=st.floats(0.001, 1),
    offset=st.floats(-60, 0),
    kind=st.sampled_from([("uint8", 0), ("int16", -32768), ("float32", np.nan)]),
)
def test_the_view_holds_decibels_and_their_difference(write, bands, scale, offset, kind):
    dtype, nodata = kind
    scales, offsets = (scale, scale / 2, scale * 2)[: len(bands)], (offset, offset - 1, offset + 2)[: len(bands)]
    path, decibels = write(bands, scales, offsets, nodata, dtype)
    with rasterio.open(view_path(path)) as view:
        assert Grid.of(view).same_as(GRID)
        seen = dict(zip(view.descriptions, view.read(), strict=True))
        assert all(np.isnan(value) for value in view.nodatavals)
    assert list(seen) == [f"{day} {band}" for day in DATES for band in ("VV", "VH", "VV-VH")]
    for day in DATES:
        vv, vh = decibels[f"{day} VV"], decibels[f"{day} VH"]
        for name, expected in (("VV", vv), ("VH", vh), ("VV-VH", vv - vh)):
            np.testing.assert_allclose(seen[f"{day} {name}"], expected, rtol=1e-5, atol=1e-4)


def test_the_view_is_shown_as_vv_vh_and_their_difference(write):
    path, decibels = write()
    renderer = ElementTree.parse(path.with_name("s1.tif.qml")).find("pipe/rasterrenderer")
    assert [renderer.get(f"{color}Band") for color in ("red", "green", "blue")] == ["4", "5", "6"]
    ratio = decibels["2018-06-01 VV"] - decibels["2018-06-01 VH"]
    for name, share in (("minValue", 2), ("maxValue", 98)):
        shown = float(renderer.findtext(f"blueContrastEnhancement/{name}"))
        assert shown == pytest.approx(np.nanpercentile(ratio, share), abs=1e-6)


def test_the_view_moves_with_its_folder(write, tmp_path):
    path, decibels = write(name="a #é%20 <b>.tif")
    moved = path.parent.rename(tmp_path / "moved")
    with rasterio.open(moved / view_path(path).name) as view:
        np.testing.assert_allclose(view.read(1), decibels["2018-03-01 VV"], rtol=1e-5)


def test_the_view_is_no_series_and_says_which_is(write):
    path, _ = write()
    with pytest.raises(InputError, match="is a view of a series") as refusal:
        Series.open(view_path(path))
    assert str(path) in refusal.value.hint
    assert str(view_path(path)) not in refusal.value.hint


@pytest.mark.parametrize("bands", [("VV",), ("B2", "B3", "B4")])
def test_a_series_of_another_kind_takes_the_view_of_the_former_one_away(write, bands):
    path, _ = write()
    (path.parent / "s1.tif.vrt.aux.xml").write_text("<PAMDataset/>")
    write(bands, (0.1,) * len(bands), (0.0,) * len(bands), name=path)
    assert sorted(file.name for file in path.parent.iterdir()) == ["s1.qml", "s1.tif"]


@pytest.mark.parametrize("bands", [("VV", "VH"), ("VV",)])
def test_a_file_of_the_users_that_has_the_name_of_a_view_stays(write, tmp_path, bands):
    view = Path(tmp_path / "s1.tif.vrt")
    view.write_text("<VRTDataset/>")
    write(bands, (0.1,) * len(bands), (0.0,) * len(bands), name=tmp_path / "s1.tif")
    assert view.read_text() == "<VRTDataset/>"
    assert not (tmp_path / "s1.tif.qml").exists()
