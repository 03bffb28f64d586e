"""From the assembled rasters of a map to cloud-optimised GeoTIFFs with their style beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

from twinns_qgis.files import give_name, scratch_file
from twinns_qgis.mapping.layouts import AGREE, COVER, DISAGREE, SENSOR_CLASSES, TILE, UNCERTAINTY
from twinns_qgis.mapping.styles import AGAINST, FOR, agreement_qml, paletted_qml, pam_aux_xml, percent_qml
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import Layout, disk_errors
from twinns_qgis.rasters.qgis_style import style_path
from twinns_qgis.rasters.replacing import check_raster_output, give_raster_name
from twinns_qgis.samples.classes import LandCoverClass

_OF_CODES = {COVER: 1, SENSOR_CLASSES: 2}
"""Rasters whose values are no amounts, and how many of their first bands hold classes."""


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


class CloudOptimised:
    """Makes cloud-optimised GeoTIFFs of the rasters of a map, with their sidecars; a `Finish`.

    Beside a map, and the sensors' classes, lie ``.aux.xml``, with category names and a raster attribute table, and the
    QGIS style ``.qml``; beside percentages a style.

    Args:
        classes: The map's classes.
    """

    copies = 8 / 3
    """The raster and its optimised copy, each with overviews, which take a third of it."""

    def __init__(self, classes: Sequence[LandCoverClass]) -> None:
        self._classes = classes

    @contextmanager
    def __call__(self, name: str, path: Path, assembled: Path) -> Iterator[None]:
        """Writes the cloud-optimised file with its sidecars, and moves them to their names when the context is left.

        The names are taken in an order that never leaves a map beside another map's style, wherever a kill falls: the
        old sidecars go, then the map comes, then its own sidecars.
        """
        contents = {style_path: self._style(name)}
        if name in _OF_CODES:
            contents[_pam_path] = pam_aux_xml(self._classes, _OF_CODES[name])
        with ExitStack() as stack:
            sidecars = {place: stack.enter_context(scratch_file(place(path), "partial")) for place in contents}
            for place, partial in sidecars.items():
                with disk_errors(place(path)):
                    partial.write_text(contents[place], encoding="utf-8")
            optimised = stack.enter_context(scratch_file(path, "partial"))
            with disk_errors(path):
                _build_overviews(assembled, Resampling.mode if name in _OF_CODES else Resampling.average)
                _optimise(assembled, optimised)
                _check_equal(assembled, optimised)
            assembled.unlink()
            yield
            found = give_raster_name(optimised, path, [style_path(path)])
            for place, partial in sidecars.items():
                give_name(partial, place(found))

    def _style(self, name: str) -> str:
        if name == COVER:
            return paletted_qml(self._classes)
        if name == SENSOR_CLASSES:
            return agreement_qml(AGREE, DISAGREE)
        return percent_qml(AGAINST if name == UNCERTAINTY else FOR)


@contextmanager
def map_raster(name: str, path: Path, layout: Layout, classes: Sequence[LandCoverClass]) -> Iterator[BlockWriter]:
    """Writes one raster of a map in this process; it appears at `path` when the last block is written.

    Args:
        name: Which one, such as `layouts.COVER`.
        path: The GeoTIFF to write.
        layout: Its layout.
        classes: The map's classes.

    Yields:
        A writer of class codes, or percentages.

    Raises:
        InputError: The file can't be written.
    """
    check_raster_output(path)
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
        blocksize=TILE,
        compress="deflate",
        bigtiff="if_safer",
        num_threads=str(cpu_count()),
    )


def _check_equal(assembled: Path, optimised: Path) -> None:
    """Reads both rasters and compares them: GDAL keeps silent if the disk is full when it writes a file's last part."""
    with rasterio.open(assembled) as expected, rasterio.open(optimised) as found:
        for window in Grid.of(expected).blocks(TILE):
            if not np.array_equal(expected.read(window=window), found.read(window=window)):
                raise RasterioIOError("what was written can't be read again")


def _overview_factors(width: int, height: int) -> list[int]:
    """Returns 2, 4, 8 ... until an overview fits a tile."""
    factors = [1]
    while max(width, height) > TILE * factors[-1]:
        factors.append(2 * factors[-1])
    return factors[1:]


def _pam_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.aux.xml")
