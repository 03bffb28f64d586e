"""The report of a series holds what was measured."""

from datetime import date

import numpy as np
import pytest
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.series.products.product import LeftOut
from twinns_qgis.series.sentinel2.report import Acquisition, SeriesReport, write_series_report

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 40, 20)
USED = (
    Acquisition(date(2018, 3, 5), ("S2A_first",), 0.75, 0.412),
    Acquisition(date(2018, 4, 4), ("S2B_second", "S2B_<third>"), 0.0, None),
)
LEFT_OUT = (LeftOut(date(2018, 3, 20), "S2A_cloudy", "93% of clouds"),)


@pytest.fixture
def write(tmp_path, write_raster):
    def run(left_out=LEFT_OUT, counts=None):
        counts = np.arange(800).reshape(1, 20, 40) % 3 if counts is None else counts
        write_raster(tmp_path / "validity.tif", counts.astype("uint16"))
        report = SeriesReport(GRID, (date(2018, 3, 5), date(2018, 3, 20)), ("B4", "B8"), USED, left_out)
        write_series_report(tmp_path / "report.html", report, tmp_path / "validity.tif")
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return run


def test_it_tells_of_each_date_and_product(write):
    text = write()
    for expected in ("2018-03-05", "75.0 %", "0.412", "S2A_first", "S2B_second, S2B_&lt;third&gt;", "93% of clouds"):
        assert expected in text


def test_it_counts_clear_dates(write):
    text = write()
    assert "33.4 <small>%</small>" in text  # 267 of 800 pixels are never clear
    assert "Least 0, a quarter of the pixels up to 0, half up to 1, three quarters\nup to 2, most 2" in text


def test_it_needs_no_other_file(write):
    text = write()
    assert text.count("<svg") == 2
    assert "src=" not in text
    assert "<link" not in text


@pytest.mark.parametrize("counts", [np.zeros((1, 20, 40)), np.full((1, 20, 40), 300), np.ones((1, 2000, 3))])
def test_any_count_and_shape_can_be_drawn(write, counts):
    assert "<svg" in write(counts=counts)


def test_nothing_left_out_is_said(write):
    assert "None." in write(left_out=())
