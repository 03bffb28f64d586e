"""The rasters that mapping writes: block by block, then as cloud-optimised GeoTIFFs with their style beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from joblib import cpu_count
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from twinns_qgis.files import check_output, kept_beside, scratch_file, whole_file
from twinns_qgis.mapping.styles import paletted_qml, pam_aux_xml, percent_qml, rgb, style_path
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import Layout, disk_errors
from twinns_qgis.samples.classes import LandCoverClass

COVER, CONFIDENCE, PROBABILITIES = "map", "confidence", "probabilities"
"""The rasters that mapping makes."""
MAP_NODATA = 0
PERCENT_NODATA = 255

_TILE = 512
_NAME_TAG = "CLASS_"


class BlockWriter:
    """Writes blocks to a raster.

    Args:
        path: The output, for messages.
        dataset: The raster that takes the blocks.
    """

    def __init__(self, path: Path, dataset: DatasetWriter) -> None:
        self._path = path
        self._dataset = dataset

    def write(self, values: NDArray[np.uint8], window: Window) -> None:
        """Writes a block.

        Args:
            values: Class codes of shape (h, w), or percentages of shape (C, h, w).
            window: Where they belong.

        Raises:
            InputError: The disk takes no more.
        """
        with disk_errors(self._path):
            self._dataset.write(values.reshape(-1, *values.shape[-2:]), window=window)


def cover_layout(grid: Grid, classes: Sequence[LandCoverClass], tags: Mapping[str, str]) -> Layout:
    """Returns the layout of a land cover map.

    The GeoTIFF holds class codes with 0 for no data, the colour table, and the classes' names as tags of the band
    (``CLASS_12`` for code 12).

    Args:
        grid: Its pixel grid.
        classes: The classes.
        tags: Metadata of the file: how it was made.
    """
    # 0 is listed too: GDAL paints codes that have no colour black.
    colors = {MAP_NODATA: (0, 0, 0, 0), **{item.code: (*rgb(item.color), 255) for item in classes}}
    names = {f"{_NAME_TAG}{item.code}": item.name for item in classes}
    return Layout(grid, "uint8", MAP_NODATA, ("land cover",), tags=tags, tile=_TILE, colors=colors, band_tags=names)


def class_names(dataset: rasterio.DatasetReader) -> dict[int, str]:
    """Returns the classes' names by code that `cover_map` left in a map; of another raster, none."""
    tags = dataset.tags(1).items()
    names = {key.removeprefix(_NAME_TAG): name for key, name in tags if key.startswith(_NAME_TAG)}
    return {int(code): name for code, name in names.items() if code.isdecimal()}


def percent_layout(grid: Grid, descriptions: Sequence[str], tags: Mapping[str, str]) -> Layout:
    """Returns the layout of a raster of percentages, 0 to 100, no data 255.

    Args:
        grid: Its pixel grid.
        descriptions: What each of the C bands holds.
        tags: Metadata of the file: how it was made.
    """
    units = ("%",) * len(descriptions)
    return Layout(grid, "uint8", PERCENT_NODATA, tuple(descriptions), tags=tags, tile=_TILE, units=units)


class CloudOptimised:
    """Makes cloud-optimised GeoTIFFs of the rasters of a map, with their sidecars; a `Finish`.

    Beside a map lie ``.aux.xml``, with category names and a raster attribute table, and the QGIS style ``.qml``; beside
    percentages a style.

    Args:
        classes: The map's classes.
    """

    copies = 8 / 3
    """The raster and its optimised copy, each with overviews, which take a third of it."""

    def __init__(self, classes: Sequence[LandCoverClass]) -> None:
        self._classes = classes

    @contextmanager
    def __call__(self, name: str, path: Path, assembled: Path) -> Iterator[None]:
        """Makes the file, and gives it its name when the context is left; see `Finish`.

        The names are taken in an order that never leaves a map beside another map's style, wherever a kill falls: the
        old sidecars go, then the map comes, then its own sidecars.
        """
        is_map = name == COVER
        sidecars = {style_path(path): paletted_qml(self._classes) if is_map else percent_qml()}
        if is_map:
            sidecars[_pam_path(path)] = pam_aux_xml(self._classes)
        with ExitStack() as stack:
            # Left in the reverse order: the map takes its name before its sidecars do.
            for sidecar, text in sidecars.items():
                partial = stack.enter_context(whole_file(sidecar))
                with disk_errors(sidecar):
                    partial.write_text(text, encoding="utf-8")
            optimised = stack.enter_context(whole_file(path))
            with disk_errors(path):
                _build_overviews(assembled, Resampling.mode if is_map else Resampling.average)
                _optimise(assembled, optimised)
                _check_equal(assembled, optimised)
            assembled.unlink()
            yield
            former = {old: old.read_bytes() for old in _sidecars_of(path) if old.exists()}
            for old in former:
                old.unlink()
        if beside := kept_beside(path):
            # The map that is still open keeps its sidecars, and the new one gets its own beside it.
            for sidecar in sidecars:
                sidecar.replace(sidecar.with_name(sidecar.name.replace(path.stem, beside.stem, 1)))
            for old, content in former.items():
                old.write_bytes(content)


@contextmanager
def cover_map(
    path: Path, grid: Grid, classes: Sequence[LandCoverClass], tags: Mapping[str, str]
) -> Iterator[BlockWriter]:
    """Writes a land cover map; it appears at `path` when the last block is written.

    Args:
        path: The GeoTIFF to write.
        grid: Its pixel grid.
        classes: The classes.
        tags: Metadata of the file: how it was made.

    Yields:
        A writer of class codes.

    Raises:
        InputError: The file can't be written.
    """
    with _writer(COVER, path, cover_layout(grid, classes, tags), classes) as writer:
        yield writer


@contextmanager
def percent_raster(
    path: Path, grid: Grid, descriptions: Sequence[str], tags: Mapping[str, str]
) -> Iterator[BlockWriter]:
    """Writes a raster of percentages, 0 to 100, no data 255; it appears at `path` when the last block is written.

    Args:
        path: The GeoTIFF to write.
        grid: Its pixel grid.
        descriptions: What each of the C bands holds.
        tags: Metadata of the file: how it was made.

    Yields:
        A writer of percentages.

    Raises:
        InputError: The file can't be written.
    """
    with _writer(PROBABILITIES, path, percent_layout(grid, descriptions, tags), ()) as writer:
        yield writer


@contextmanager
def _writer(name: str, path: Path, layout: Layout, classes: Sequence[LandCoverClass]) -> Iterator[BlockWriter]:
    check_output(path)
    with scratch_file(path, "assembled") as assembled:
        with layout.create(assembled) as dataset:
            yield BlockWriter(path, dataset)
        with CloudOptimised(classes)(name, path, assembled):
            pass


def _build_overviews(raster: Path, resampling: Resampling) -> None:
    """Builds overviews here rather than by the COG driver, which would keep them in one more file of its own naming."""
    with rasterio.open(raster, "r+") as dataset:
        dataset.build_overviews(_overview_factors(dataset.width, dataset.height), resampling)


def _optimise(assembled: Path, optimised: Path) -> None:
    rasterio.shutil.copy(
        assembled,
        optimised,
        driver="COG",
        blocksize=_TILE,
        compress="deflate",
        bigtiff="if_safer",
        num_threads=str(cpu_count()),
    )


def _check_equal(assembled: Path, optimised: Path) -> None:
    """Reads both rasters and compares them: GDAL keeps silent if the disk is full when it writes a file's last part."""
    with rasterio.open(assembled) as expected, rasterio.open(optimised) as found:
        for window in Grid.of(expected).blocks(_TILE):
            if not np.array_equal(expected.read(window=window), found.read(window=window)):
                raise RasterioIOError("what was written can't be read again")


def _overview_factors(width: int, height: int) -> list[int]:
    """Returns 2, 4, 8 ... until an overview fits a tile."""
    factors = [1]
    while max(width, height) > _TILE * factors[-1]:
        factors.append(2 * factors[-1])
    return factors[1:]


def _pam_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.aux.xml")


def _sidecars_of(path: Path) -> list[Path]:
    """Returns what GDAL and QGIS read beside a raster, and would take for the new one's: style, names, pyramids."""
    return [_pam_path(path), style_path(path), path.with_name(f"{path.name}.ovr"), path.with_name(f"{path.name}.msk")]
