"""The rasters that mapping writes: block by block, then as cloud-optimised GeoTIFFs with their style beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from twinns_qgis.files import scratch_file, whole_file
from twinns_qgis.mapping.styles import paletted_qml, pam_aux_xml, percent_qml, rgb
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import disk_errors
from twinns_qgis.samples.classes import LandCoverClass

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


@contextmanager
def cover_map(
    path: Path, grid: Grid, classes: Sequence[LandCoverClass], tags: Mapping[str, str]
) -> Iterator[BlockWriter]:
    """Writes a land cover map; it appears at `path` when the last block is written.

    The GeoTIFF holds class codes with 0 for no data, the colour table, and the classes' names as tags of the band
    (``CLASS_12`` for code 12). Beside it lie ``.aux.xml``, with category names and a raster attribute table, and the
    QGIS style ``.qml``.

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
    sidecars = {_pam_path(path): pam_aux_xml(classes), _style_path(path): paletted_qml(classes)}
    with _raster(path, grid, 1, MAP_NODATA, Resampling.mode, sidecars) as dataset:
        dataset.descriptions = ("land cover",)
        # 0 is listed too: GDAL paints codes that have no colour black.
        dataset.write_colormap(
            1, {MAP_NODATA: (0, 0, 0, 0), **{item.code: (*rgb(item.color), 255) for item in classes}}
        )
        dataset.update_tags(**tags)
        dataset.update_tags(1, **{f"{_NAME_TAG}{item.code}": item.name for item in classes})
        yield BlockWriter(path, dataset)


def class_names(dataset: rasterio.DatasetReader) -> dict[int, str]:
    """Returns the classes' names by code that `cover_map` left in a map; of another raster, none."""
    tags = dataset.tags(1).items()
    names = {key.removeprefix(_NAME_TAG): name for key, name in tags if key.startswith(_NAME_TAG)}
    return {int(code): name for code, name in names.items() if code.isdecimal()}


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
    sidecars = {_style_path(path): percent_qml()}
    with _raster(path, grid, len(descriptions), PERCENT_NODATA, Resampling.average, sidecars) as dataset:
        dataset.descriptions = tuple(descriptions)
        dataset.units = ("%",) * len(descriptions)
        dataset.update_tags(**tags)
        yield BlockWriter(path, dataset)


@contextmanager
def _raster(
    path: Path, grid: Grid, bands: int, nodata: int, resampling: Resampling, sidecars: Mapping[Path, str]
) -> Iterator[DatasetWriter]:
    """Yields a raster for blocks, and moves it to `path` as a cloud-optimised GeoTIFF, with its sidecars.

    The names are taken in an order that never leaves a map beside another map's style, wherever a kill falls: the old
    sidecars go, then the map comes, then its own sidecars.
    """
    with ExitStack() as stack:
        # Left in the reverse order: the map takes its name before its sidecars do.
        for name, text in sidecars.items():
            stack.enter_context(whole_file(name)).write_text(text, encoding="utf-8")
        optimised = stack.enter_context(whole_file(path))
        with scratch_file(path, "blocks") as blocks:
            with rasterio.open(
                blocks,
                "w",
                driver="GTiff",
                crs=grid.crs,
                transform=grid.transform,
                width=grid.width,
                height=grid.height,
                count=bands,
                dtype="uint8",
                nodata=nodata,
                photometric="minisblack",  # three bands are classes, not red, green and blue
                tiled=True,
                blockxsize=_TILE,
                blockysize=_TILE,
                interleave="band",
                compress="deflate",
                zlevel=1,
                bigtiff="if_safer",
            ) as dataset:
                yield dataset
                # Here rather than by the COG driver, which would keep them in one more file of its own naming.
                with disk_errors(path):
                    dataset.build_overviews(_overview_factors(grid), resampling)
            with disk_errors(path):
                _optimise(blocks, optimised)
                _check_equal(blocks, optimised, grid)
        for old in _sidecars_of(path):
            old.unlink(missing_ok=True)


def _optimise(blocks: Path, optimised: Path) -> None:
    rasterio.shutil.copy(
        blocks,
        optimised,
        driver="COG",
        blocksize=_TILE,
        compress="deflate",
        bigtiff="if_safer",
        num_threads="all_cpus",
    )


def _check_equal(blocks: Path, optimised: Path, grid: Grid) -> None:
    """Reads both rasters and compares them: GDAL keeps silent if the disk is full when it writes a file's last part."""
    with rasterio.open(blocks) as expected, rasterio.open(optimised) as found:
        for window in grid.blocks(_TILE):
            if not np.array_equal(expected.read(window=window), found.read(window=window)):
                raise RasterioIOError("what was written can't be read again")


def _overview_factors(grid: Grid) -> list[int]:
    """Returns 2, 4, 8 ... until an overview fits a tile."""
    factors = [1]
    while max(grid.width, grid.height) > _TILE * factors[-1]:
        factors.append(2 * factors[-1])
    return factors[1:]


def _pam_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.aux.xml")


def _style_path(path: Path) -> Path:
    return path.with_suffix(".qml")


def _sidecars_of(path: Path) -> list[Path]:
    """Returns what GDAL and QGIS read beside a raster, and would take for the new one's: style, names, pyramids."""
    return [_pam_path(path), _style_path(path), path.with_name(f"{path.name}.ovr"), path.with_name(f"{path.name}.msk")]
