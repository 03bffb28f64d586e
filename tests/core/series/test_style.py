"""How QGIS shows a series."""

from datetime import date
from xml.etree import ElementTree

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.series.series import series_layout
from twinns_qgis.series.style import write_series_style

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 20, 10)
DATES = (date(2018, 3, 1), date(2018, 6, 1), date(2018, 9, 1))


@pytest.fixture
def shown(tmp_path):
    """Writes a series of random values, 0 of which is missing, and its style; returns the values and the renderer."""

    def make(bands, day, values=None, scale=0.0001):
        layout = series_layout(
            GRID, DATES, bands, dtype="int16", nodata=0, scale=[scale] * len(bands), offset=[1.0] * len(bands), tags={}
        )
        if values is None:
            values = np.random.default_rng(0).integers(0, 3000, (3 * len(bands), 10, 20)).astype("int16")
        with layout.create(tmp_path / "series.tif") as dataset:
            dataset.write(values)
        write_series_style(tmp_path / "series.tif", day)
        return values, ElementTree.parse(tmp_path / "series.qml").find("pipe/rasterrenderer")

    return make


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        (("B2", "B3", "B4", "B8"), ("B4", "B3", "B2")),
        (("B3", "B4", "B8"), ("B8", "B4", "B3")),
        (("VV", "VH"), ("VV", "VH", "VV")),
    ],
)
@pytest.mark.parametrize(("day", "order"), [(date(2018, 6, 1), 1), (date(2018, 12, 31), 2), (date(2018, 3, 10), 0)])
def test_the_date_that_is_nearest_is_shown_in_colours(shown, bands, expected, day, order):
    _, renderer = shown(bands, day)
    assert renderer.get("type") == "multibandcolor"
    numbers = [int(renderer.get(f"{color}Band")) for color in ("red", "green", "blue")]
    assert numbers == [order * len(bands) + bands.index(name) + 1 for name in expected]


def test_bands_are_stretched_between_percentiles_of_what_they_show_in_their_units(shown):
    values, renderer = shown(("B2", "B3", "B4"), DATES[1])
    for color, band in (("red", values[5]), ("green", values[4]), ("blue", values[3])):
        ends = [float(renderer.findtext(f"{color}ContrastEnhancement/{name}")) for name in ("minValue", "maxValue")]
        np.testing.assert_allclose(ends, np.percentile(band[band != 0], [2, 98]) * 0.0001 + 1, rtol=1e-6)


@pytest.mark.parametrize("bands", [("B8",), ("VH",), ("B11", "B12")])
def test_a_series_without_these_bands_is_grey(shown, bands):
    _, renderer = shown(bands, DATES[0])
    assert (renderer.get("type"), renderer.get("grayBand")) == ("singlebandgray", "1")


def test_a_date_that_shows_nothing_has_a_style_too(shown):
    _, renderer = shown(("VV", "VH"), DATES[0], np.zeros((6, 10, 20), "int16"))
    assert renderer.findtext("redContrastEnhancement/maxValue") == "1"
