"""Classified rasters, whoever made them: their codes, names and colours, and how much each class covers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Beside rasters lie such files, which QGIS and GDAL read too. Python's parser guards itself against entities that grow
# without end, and follows none that is external.
from xml.etree import ElementTree  # nosec B405

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.transform import Affine
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.files import file_of
from twinns_qgis.mapping.layouts import class_names
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.qgis_style import style_path
from twinns_qgis.rasters.reading import hidden_pixels, is_alpha, open_raster, read_bands
from twinns_qgis.reporter import Reporter, TimeLeft

_BLOCK = 2048
_SLACK = 0.01
"""Of a pixel, by which the pixels of files may lie apart and still be one lattice."""
_USE_NAME, _USE_VALUES = "2", {"0", "5"}
"""GDAL's names for the use of a column of an attribute table (GDALRATFieldUsage in gdal.h)."""


@dataclass(frozen=True)
class ClassifiedMap:
    """A land cover map in one file, or in several on one lattice.

    Args:
        files: Each file, with the window of the whole grid that it covers.
        grid: The grid of all files together.
        nodata: What each file has where there is no class, or None.
        dtype: Type of the codes.
        names: Names of codes, as far as the files tell them.
        colors: Their colours ``#rrggbb``, likewise.
    """

    files: Mapping[Path, Window]
    grid: Grid
    nodata: Mapping[Path, float | None]
    dtype: str
    names: Mapping[int, str]
    colors: Mapping[int, str]

    @classmethod
    def open(cls, paths: Sequence[Path]) -> ClassifiedMap:
        """Describes the map that some files make together.

        Raises:
            InputError: A file can't be read, is given twice, has several bands or values that are no whole numbers, or
                the pixels of the files don't lie on one lattice.
        """
        grids: dict[Path, Grid] = {}
        nodata: dict[Path, float | None] = {}
        names: dict[int, str] = {}
        colors: dict[int, str] = {}
        dtypes: list[str] = []
        for path, count in Counter(paths).items():
            if count > 1:
                raise InputError(f"The map {path} is given {count} times.", "Give each file once.")
            with open_raster(path) as dataset:
                _check(path, dataset)
                grids[path], nodata[path] = Grid.of(dataset), dataset.nodata
                names |= {code: name for code, name in _names(path, dataset).items() if code not in names}
                colors |= {code: color for code, color in _colors(dataset).items() if code not in colors}
                dtypes.append(dataset.dtypes[0])
        grid, windows = _united(grids)
        return cls(windows, grid, nodata, str(np.result_type(*dtypes)), names, colors)

    def read(self, window: Window) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
        """Reads the codes of some pixels. Where files overlap, the first one that has a class there counts.

        Args:
            window: The pixels, of the grid of all files.

        Returns:
            The codes, and whether there is one, each of shape (height, width).
        """
        shape = int(window.height), int(window.width)
        codes, there = np.zeros(shape, self.dtype), np.zeros(shape, bool)
        for path, place in self.files.items():
            common = _common(window, place)
            if common is None:
                continue
            with open_raster(path) as dataset:
                rows, columns = _slices(common, window)
                own, valid = self._read(path, dataset, _moved(common, place))
            new = valid & ~there[rows, columns]
            codes[rows, columns][new] = own[new]
            there[rows, columns] |= valid
        return codes, there

    def blocks(self) -> Iterator[Window]:
        """Yields blocks of the grid that some file reaches into."""
        for window in self.grid.blocks(_BLOCK):
            if any(_common(window, place) for place in self.files.values()):
                yield window

    def at(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
        """Returns the codes at some pixels, and whether there is one; each of shape (N,)."""
        codes, there = np.zeros(len(rows), self.dtype), np.zeros(len(rows), bool)
        across = -(-self.grid.width // _BLOCK)
        block_of = rows // _BLOCK * across + columns // _BLOCK
        for block in np.unique(block_of):
            own = block_of == block
            first = rows[own].min(), columns[own].min()
            last = rows[own].max(), columns[own].max()
            window = Window(first[1], first[0], last[1] - first[1] + 1, last[0] - first[0] + 1)
            found, valid = self.read(window)
            codes[own] = found[rows[own] - first[0], columns[own] - first[1]]
            there[own] = valid[rows[own] - first[0], columns[own] - first[1]]
        return codes, there

    def extents(self, reporter: Reporter) -> dict[int, Extent]:
        """Counts the pixels of each code, and measures their area, in one pass over the map.

        Counts are exact whatever the size: whole numbers of 64 bits.
        """
        pixels: dict[int, int] = defaultdict(int)
        area: dict[int, float] = defaultdict(float)
        windows = list(self.blocks())
        clock = TimeLeft()
        for number, window in enumerate(windows, start=1):
            reporter.check_cancelled()
            codes, there = self.read(window)
            of_rows = self.grid.crop(window).pixel_areas()
            for code, counts in _counts_by_row(codes, there):
                pixels[code] += int(counts.sum())
                area[code] += float(counts @ of_rows)
            share = number / len(windows)
            reporter.progress(share, f"Counting the map's pixels {clock.after(share)}".rstrip())
        return {code: Extent(pixels[code], area[code]) for code in sorted(pixels)}

    def _read(
        self, path: Path, dataset: DatasetReader, window: Window
    ) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
        codes: NDArray[np.integer] = read_bands(dataset, indexes=1, window=window).astype(self.dtype, copy=False)
        nodata = self.nodata[path]
        valid = np.ones(codes.shape, bool) if nodata is None else np.not_equal(codes, nodata)
        if (hidden := hidden_pixels(dataset, 1, window)) is not None:
            valid &= ~hidden
        return codes, valid


@dataclass(frozen=True)
class Extent:
    """How much of a map a class covers.

    Args:
        pixels: The number of its pixels.
        area: Their area in square metres.
    """

    pixels: int
    area: float


def _check(path: Path, dataset: DatasetReader) -> None:
    bands = [index for index in dataset.indexes if not is_alpha(dataset, index)]
    if bands != [1]:
        raise InputError(
            f"{path} has {len(bands)} bands; a land cover map has one, of class codes.",
            "Choose the map, not its confidence or its probabilities.",
        )
    if np.dtype(dataset.dtypes[0]).kind not in "iu":
        raise InputError(
            f"{path} holds {dataset.dtypes[0]} values; a land cover map holds class codes, which are whole numbers.",
            "Choose the map; or if its values are codes, convert it with gdal_translate -ot Int16.",
        )


def _names(path: Path, dataset: DatasetReader) -> dict[int, str]:
    """Returns the names of codes: TWINNS's own, GDAL's attribute table or category names, or QGIS's style."""
    if own := class_names(dataset):
        return own
    file = file_of(path)
    for beside, read in ((file.with_name(f"{file.name}.aux.xml"), _gdal_names), (style_path(file), _style_names)):
        if beside.is_file():
            try:
                found = read(ElementTree.fromstring(beside.read_bytes()))  # nosec B314
            except (ElementTree.ParseError, ValueError, OSError):
                continue
            if found := {code: name.strip() for code, name in found.items() if name and name.strip()}:
                return found
    return {}


def _gdal_names(document: ElementTree.Element) -> dict[int, str]:
    table = document.find(".//PAMRasterBand[@band='1']/GDALRasterAttributeTable")
    if table is not None:
        uses = [column.findtext("Usage", "") for column in table.findall("FieldDefn")]
        codes = [number for number, use in enumerate(uses) if use in _USE_VALUES]
        names = [number for number, use in enumerate(uses) if use == _USE_NAME]
        if codes and names:
            rows = [[cell.text or "" for cell in row.findall("F")] for row in table.findall("Row")]
            return {int(float(row[codes[0]])): row[names[0]] for row in rows}
    categories = document.findall(".//PAMRasterBand[@band='1']/CategoryNames/Category")
    return {code: category.text or "" for code, category in enumerate(categories)}


def _style_names(document: ElementTree.Element) -> dict[int, str]:
    entries = document.findall(".//rasterrenderer[@type='paletted']/colorPalette/paletteEntry")
    return {int(float(entry.get("value", ""))): entry.get("label", "") for entry in entries}


def _colors(dataset: DatasetReader) -> dict[int, str]:
    try:
        table = dataset.colormap(1)
    except ValueError:  # there is none
        return {}
    return {code: "#{:02x}{:02x}{:02x}".format(*color[:3]) for code, color in table.items()}


def _united(grids: Mapping[Path, Grid]) -> tuple[Grid, dict[Path, Window]]:
    """Returns the grid of all files, and the window of it that each covers."""
    (first_path, first), *others = grids.items()
    step_x, step_y = first.resolution
    offsets = {first_path: (0, 0)}
    for path, grid in others:
        across = (grid.transform.c - first.transform.c) / step_x
        down = (first.transform.f - grid.transform.f) / step_y
        alike = all(
            abs(own - other) * max(grid.width, grid.height) <= _SLACK * other
            for own, other in zip(grid.resolution, first.resolution, strict=True)
        )
        aligned = abs(across - round(across)) <= _SLACK and abs(down - round(down)) <= _SLACK
        if grid.crs != first.crs or not alike or not aligned:
            raise InputError(
                f"The files of the map are not on one lattice of pixels: {first_path} has {first}, {path} has {grid}.",
                "Assess them one by one, or warp them to one CRS and resolution, with gdalwarp -r near -tap.",
            )
        offsets[path] = round(across), round(down)
    left, top = (min(offset[axis] for offset in offsets.values()) for axis in (0, 1))
    windows = {
        path: Window(across - left, down - top, grids[path].width, grids[path].height)
        for path, (across, down) in offsets.items()
    }
    width = max(int(window.col_off + window.width) for window in windows.values())
    height = max(int(window.row_off + window.height) for window in windows.values())
    origin = first.transform
    corner = Affine(origin.a, 0, origin.c + left * origin.a, 0, origin.e, origin.f + top * origin.e)
    return Grid(first.crs, corner, width, height), windows


def _common(one: Window, other: Window) -> Window | None:
    """Returns what two windows have in common, None if nothing."""
    rows = max(one.row_off, other.row_off), min(one.row_off + one.height, other.row_off + other.height)
    columns = max(one.col_off, other.col_off), min(one.col_off + one.width, other.col_off + other.width)
    if rows[0] >= rows[1] or columns[0] >= columns[1]:
        return None
    return Window.from_slices((int(rows[0]), int(rows[1])), (int(columns[0]), int(columns[1])))


def _moved(window: Window, place: Window) -> Window:
    return Window(window.col_off - place.col_off, window.row_off - place.row_off, window.width, window.height)


def _slices(window: Window, place: Window) -> tuple[slice, slice]:
    row, column = int(window.row_off - place.row_off), int(window.col_off - place.col_off)
    return slice(row, row + int(window.height)), slice(column, column + int(window.width))


def _counts_by_row(codes: NDArray[np.integer], there: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yields each code of a block, with its number of pixels in each row, shape (height,)."""
    height = codes.shape[0]
    if not there.any():
        return
    if codes.dtype.itemsize == 1:
        low = int(np.iinfo(codes.dtype).min)
        places = (np.arange(height)[:, None] * 256 + (codes.astype(np.int64) - low))[there]
        counts = np.bincount(places, minlength=height * 256).reshape(height, 256)
        for number in np.flatnonzero(counts.any(axis=0)):
            yield int(number) + low, counts[:, number]
        return
    for code in np.unique(codes[there]):
        yield int(code), np.count_nonzero((codes == code) & there, axis=1)
