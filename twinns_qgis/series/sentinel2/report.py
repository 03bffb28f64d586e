"""The report of a Sentinel-2 series: where it was measured, and where it is made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import rasterio
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reports.drawing import BLUE, QUIET, RED, plain_axes, to_svg
from twinns_qgis.reports.page import write_page
from twinns_qgis.series.products.product import LeftOut

_TEMPLATE = Path(__file__).with_name("templates") / "series_report.html.j2"
_DRAWN = 700
"""Pixels along the longer side of the map that is drawn."""
_COLORS = 8
"""Steps of the map's colours."""


@dataclass(frozen=True)
class Acquisition:
    """A date of acquisition that the series is made from.

    Args:
        date: The day.
        products: Names of its products.
        clear: Share of the area that they show, 0 to 1.
        ndvi: Mean NDVI of what they show; None where they show nothing, or lack B4 or B8.
    """

    date: date
    products: tuple[str, ...]
    clear: float
    ndvi: float | None


@dataclass(frozen=True)
class SeriesReport:
    """What the report of a series says.

    Args:
        grid: The grid of the series.
        dates: Its dates.
        bands: Its bands.
        acquisitions: What it was made from, dates ascending.
        left_out: What was not used.
    """

    grid: Grid
    dates: Sequence[date]
    bands: Sequence[str]
    acquisitions: Sequence[Acquisition]
    left_out: Sequence[LeftOut]


def write_series_report(path: Path, report: SeriesReport, validity: Path) -> None:
    """Writes the report of a series as one HTML file.

    Args:
        path: The file to write.
        report: What it says.
        validity: Raster of the number of clear dates of each pixel.

    Raises:
        InputError: The file can't be written.
    """
    counts = _thinned(validity)
    write_page(
        path,
        _TEMPLATE,
        report=report,
        pixels=report.grid.width * report.grid.height,
        quartiles=[int(value) for value in np.percentile(counts, [0, 25, 50, 75, 100], method="nearest")],
        never=float((counts == 0).mean()),
        timeline=_timeline(report),
        validity=_map(counts, len(report.acquisitions)),
    )


def _thinned(validity: Path) -> NDArray[np.uint16]:
    with rasterio.open(validity) as dataset:
        step = max(1, -(-max(dataset.shape) // _DRAWN))
        shape = (1, -(-dataset.height // step), -(-dataset.width // step))
        return dataset.read(out_shape=shape)[0]


def _timeline(report: SeriesReport) -> str:
    """Draws the clear share of each date, the products left out and the mean NDVI, against time."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    clear, ndvi = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    days = [one.date for one in report.acquisitions]
    clear.vlines(days, 0, [100 * one.clear for one in report.acquisitions], color=BLUE, linewidth=2)
    clear.plot(days, [100 * one.clear for one in report.acquisitions], "o", color=BLUE, markersize=4, label="used")
    shown = [*report.dates, *days]
    left_out = sorted({one.date for one in report.left_out if one.date and min(shown) <= one.date <= max(shown)})
    if left_out:
        clear.plot(left_out, [0] * len(left_out), "x", color=RED, markersize=6, label="left out", clip_on=False)
    if set(report.dates) != set(days):
        clear.plot(
            list(report.dates),
            [104] * len(report.dates),
            "|",
            color=QUIET,
            markersize=7,
            label="dates of the series",
            clip_on=False,
        )
    clear.set_title("Clear share of the area (%)", loc="left", fontsize=11)
    clear.set_ylim(0, 104)
    clear.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, fontsize=9, borderaxespad=0.1)
    measured = [one for one in report.acquisitions if one.ndvi is not None]
    ndvi.plot(
        [one.date for one in measured], [one.ndvi for one in measured], "o-", color=BLUE, linewidth=1, markersize=4
    )
    ndvi.set_title("Mean NDVI of the clear pixels", loc="left", fontsize=11)
    for axes in (clear, ndvi):
        plain_axes(axes)
        _date_axis(axes)
    return to_svg(figure)


def _date_axis(axes: Axes) -> None:
    locator = AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _map(counts: NDArray[np.uint16], most: int) -> str:
    """Draws the number of clear dates of each pixel; pixels without any stand out."""
    height, width = counts.shape
    figure = Figure(figsize=(9.6, 8.2 * float(np.clip(height / width, 0.25, 1.3))), layout="constrained")
    axes = figure.subplots()
    edges = np.unique(np.linspace(1, max(2, most + 1), min(_COLORS, most) + 1).round().astype(int))
    greens = ["#f7fcb9", "#d9f0a3", "#addd8e", "#78c679", "#41ab5d", "#238443", "#006837", "#004529"]
    colors = ListedColormap(greens[: len(edges) - 1]).with_extremes(under=RED)
    image = axes.imshow(counts, cmap=colors, norm=BoundaryNorm(edges, len(edges) - 1), interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    bar = figure.colorbar(image, ax=axes, extend="min", shrink=0.7, aspect=30)
    bar.set_label("clear dates (red: none)", color=QUIET, fontsize=9)
    bar.ax.tick_params(colors=QUIET, labelsize=9)
    return to_svg(figure)
