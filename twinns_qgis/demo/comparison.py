"""A map compared with the true one: both as pictures, where they differ, and the share of pixels that agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from twinns_qgis.errors import InputError
from twinns_qgis.files import whole_file
from twinns_qgis.mapping.layouts import MAP_NODATA, class_names
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import open_raster, read_bands

_BLOCK = 1024
_DRAWN = 1000
"""Larger maps are drawn thinned out to so many pixels a side."""

_SAME, _DIFFERENT, _NO_DATA = (0.93, 0.93, 0.93), (0.8, 0.2, 0.07), (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class _ClassRaster:
    """A raster of class codes, open for reading.

    Raises:
        InputError: It is of another kind.
    """

    path: Path
    dataset: rasterio.DatasetReader

    def __post_init__(self) -> None:
        kinds, count = self.dataset.dtypes, self.dataset.count
        if count != 1 or kinds[0] != "uint8":
            raise InputError(
                f"{self.path} has {count} bands of type {kinds[0]}, one of type uint8 was expected.",
                "Choose a map of class codes.",
            )

    def read(self, **options: object) -> NDArray[np.uint8]:
        """Reads class codes of shape (h, w), no data as 0."""
        codes = read_bands(self.dataset, indexes=1, **options).astype(np.uint8)
        nodata = self.dataset.nodata
        if nodata is not None:
            codes[codes == nodata] = MAP_NODATA
        return codes

    @property
    def colors(self) -> NDArray[np.float64]:
        """Red, green and blue of each code, shape (256, 3), 0 to 1; black where the colour table has none.

        Raises:
            InputError: The raster has no colour table.
        """
        try:
            table = self.dataset.colormap(1)
        except ValueError as error:
            raise InputError(f"{self.path} has no colour table.", "Choose a map of classes, made by TWINNS.") from error
        return np.array([table.get(code, (0, 0, 0, 0))[:3] for code in range(256)]) / 255


def write_map_beside_truth(path: Path, map_path: Path, truth_path: Path) -> float:
    """Writes a PNG of a map, the true map and where they differ; returns the share of pixels that agree.

    Args:
        path: The PNG to write.
        map_path: The map: class codes with a colour table, 0 for no data.
        truth_path: The truth: the same codes, on the same grid, with a colour table too.

    Returns:
        The share of the pixels with a class in both whose classes agree, 0 to 1.

    Raises:
        InputError: A file is no such raster, the grids differ, or no pixel has a class in both.
    """
    with open_raster(map_path) as first, open_raster(truth_path) as second:
        land_cover, truth = _ClassRaster(map_path, first), _ClassRaster(truth_path, second)
        agreement = _agreement(land_cover, truth)
        figure = _draw(land_cover, truth, agreement)
    with whole_file(path) as partial:
        FigureCanvasAgg(figure).print_figure(partial, dpi=150, format="png", facecolor="white")
    return agreement


def _agreement(land_cover: _ClassRaster, truth: _ClassRaster) -> float:
    grid, other = Grid.of(land_cover.dataset), Grid.of(truth.dataset)
    if not grid.same_as(other):
        raise InputError(
            f"{land_cover.path} and {truth.path} are not on one grid: {grid}, and {other}.",
            "Warp one to the grid of the other, by nearest neighbour.",
        )
    equal = compared = 0
    for window in grid.blocks(_BLOCK):
        found, expected = land_cover.read(window=window), truth.read(window=window)
        both = (found != MAP_NODATA) & (expected != MAP_NODATA)
        equal += int((found == expected)[both].sum())
        compared += int(both.sum())
    if not compared:
        raise InputError(
            f"No pixel has a class in both {land_cover.path} and {truth.path}.", "Choose maps that overlap."
        )
    return equal / compared


def _draw(land_cover: _ClassRaster, truth: _ClassRaster, agreement: float) -> Figure:
    height, width = land_cover.dataset.shape
    thinning = max(1.0, max(height, width) / _DRAWN)
    shape = (max(1, round(height / thinning)), max(1, round(width / thinning)))
    found, expected = land_cover.read(out_shape=shape), truth.read(out_shape=shape)

    codes = np.setdiff1d(np.union1d(found, expected), [MAP_NODATA])
    names = class_names(land_cover.dataset) | class_names(truth.dataset)
    # One colour a class in both panels: the truth's, if it has one.
    known = truth.colors.any(axis=1, keepdims=True)
    colors = np.where(known, truth.colors, land_cover.colors)
    columns = min(5, len(codes))
    # A panel is 4.2 inch wide; the legend's rows come below.
    figure = Figure(
        figsize=(13.2, 4.2 * np.clip(height / width, 0.3, 3) + 1.1 + 0.25 * -(-len(codes) // columns)),
        layout="constrained",
    )
    panels = figure.subplots(1, 3)
    _panel(panels[0], "Map", _painted(found, colors))
    _panel(panels[1], "Truth", _painted(expected, colors))
    _panel(panels[2], "Where they differ", _differences(found, expected))
    figure.suptitle(f"{100 * agreement:.2f} % of the pixels agree", fontsize=14)
    figure.legend(
        handles=[
            Patch(facecolor=colors[code], edgecolor="#666666", linewidth=0.5, label=names.get(code, str(code)))
            for code in codes.tolist()
        ],
        loc="outside lower center",
        ncols=columns,
        frameon=False,
    )
    return figure


def _panel(axes: Axes, title: str, image: NDArray[np.float64]) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set_title(title, fontsize=11)
    axes.set(xticks=[], yticks=[])


def _painted(codes: NDArray[np.uint8], colors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where((codes == MAP_NODATA)[..., None], _NO_DATA, colors[codes])


def _differences(found: NDArray[np.uint8], expected: NDArray[np.uint8]) -> NDArray[np.float64]:
    image = np.where((found == expected)[..., None], _SAME, _DIFFERENT)
    image[(found == MAP_NODATA) | (expected == MAP_NODATA)] = _NO_DATA
    return image
