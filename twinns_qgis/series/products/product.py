"""What all kinds of products have in common: a date, bands and masks, and where they lie in files.

A reader of a kind of product (a module beside this one) finds products and describes them; nothing beyond it knows
how a kind names its files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from rasterio.io import DatasetReader

from twinns_qgis.rasters.archives import File, on_disk
from twinns_qgis.rasters.decoded_tiles import DecodedTiles
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.rasters.remote.files import RemoteFile
from twinns_qgis.rasters.unpacking import Unpacked
from twinns_qgis.series.products.band_source import BandSource


@dataclass(frozen=True)
class MaskSource:
    """A mask of a product, in a band of a file.

    Args:
        path: The file, on disk or in an archive.
        index: Number of the file's band, from 1.
        name: What kind of mask it is, one of `masks.MASKS`.
        clear: The values of pixels that show the ground; all others, and pixels outside the mask, do not.
        spreads: The values of clouds and their shadows, round which a buffer may count as cloudy too.
        bands: The bands that it is about; None means all.
    """

    path: File
    index: int
    name: str
    clear: frozenset[int]
    spreads: frozenset[int] = frozenset()
    bands: frozenset[str] | None = None


@dataclass(frozen=True)
class LeftOut:
    """A product that a series is not made from.

    Args:
        date: The day of acquisition; None where it is not known.
        product: Its name.
        reason: Why.
    """

    date: date | None
    product: str
    reason: str


@dataclass(frozen=True)
class Orbit:
    """From where a Sentinel-1 image was taken, as far as it is known.

    Args:
        direction: ``ascending`` or ``descending``.
        relative: Number of the relative orbit.
    """

    direction: str | None = None
    relative: int | None = None

    def tells(self, wanted: Orbit) -> bool:
        """Whether enough is known to compare this orbit with another."""
        return (wanted.direction is None or self.direction is not None) and (
            wanted.relative is None or self.relative is not None
        )

    def matches(self, wanted: Orbit) -> bool:
        """Whether this is the orbit that is wanted, in what is known of that one."""
        return wanted.direction in (None, self.direction) and wanted.relative in (None, self.relative)

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.direction, self.relative) if part is not None) or "unknown"


@dataclass(frozen=True)
class Product:
    """What one acquisition gives.

    Args:
        name: Its name, for messages.
        date: Day of acquisition.
        bands: Where each band is, by its name in the series.
        masks: A pixel is clear where all of them say so; without a mask every valid pixel is.
        orbit: From where a Sentinel-1 image was taken.
        writer: The program that wrote it, as far as that is known.
    """

    name: str
    date: date
    bands: Mapping[str, BandSource]
    masks: tuple[MaskSource, ...] = ()
    orbit: Orbit = Orbit()
    writer: str = ""

    @property
    def files(self) -> frozenset[File]:
        """The files that hold its bands and masks."""
        return frozenset(band.path for band in self.bands.values()) | {mask.path for mask in self.masks}

    @property
    def paths(self) -> frozenset[Path]:
        """Those that are on disk: for files in an archive, the archive."""
        return frozenset(on_disk(file) for file in self.files if not isinstance(file, RemoteFile))

    @cached_property
    def grid(self) -> Grid:
        """The finest grid among its bands.

        Raises:
            InputError: A file can't be read, has no CRS or is rotated.
        """
        grids = []
        for path in dict.fromkeys(source.path for source in self.bands.values()):
            with open_raster(path) as dataset:
                grids.append(Grid.of(dataset))
        return min(grids, key=lambda grid: grid.resolution)

    @contextmanager
    def open(
        self, tiles: DecodedTiles | None = None, unpacked: Unpacked | None = None
    ) -> Iterator[Mapping[File, DatasetReader]]:
        """Yields the product's files, each of which is opened when it is first asked for.

        They are opened for every block anew: a year of products has more files than a process may hold open.

        Args:
            tiles: What was decoded of the files for other blocks.
            unpacked: What was unpacked of archives for other blocks.
        """
        with ExitStack() as stack:
            yield _OpenFiles(stack, tiles, unpacked)


class _OpenFiles(dict[File, DatasetReader]):
    """Open files, which a stack closes."""

    def __init__(self, stack: ExitStack, tiles: DecodedTiles | None, unpacked: Unpacked | None) -> None:
        self._stack, self._tiles, self._unpacked = stack, tiles, unpacked

    def __missing__(self, file: File) -> DatasetReader:
        dataset = self._stack.enter_context(open_raster(self._unpacked.of(file) if self._unpacked else file))
        self[file] = self._tiles.of(dataset) if self._tiles else dataset
        return self[file]
