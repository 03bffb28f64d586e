"""What reaches below the public interfaces of rasterio and GDAL: tables of tiles, and the class of GDAL's bare errors.

Verified with rasterio 1.4.4 and its GDAL 3.10.3, and with tifffile 2025.5.10, 2026.3.3 and 2026.11.8.

- GDAL lays out a sparse GeoTIFF with tables of its tiles that are full in length and hold zeros; in a GeoTIFF that is
  not sparse, the tiles lie behind one another, from the first to the end of the file.
- tifffile can overwrite a table in a file; a tile is known by its offset and its number of bytes, in TIFF and BigTIFF.
- `rasterio._err` is no public module, and no public one has the class of errors that rasterio raises bare.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError as GdalError  # raised bare by rasterio.shutil and rasterio.warp

from twinns_qgis.errors import InputError

__all__ = ["GdalError", "append_tiles", "check_tiles", "set_tiles"]

_CHUNK = 2**22


def check_tiles(path: Path) -> None:
    """Checks that a GeoTIFF holds all its tiles: GDAL can cut a file short on a full disk and not tell.

    Raises:
        InputError: It doesn't.
    """
    with tifffile.TiffFile(path) as raster:
        page = raster.pages.first
        places, sizes = np.asarray(page.dataoffsets), np.asarray(page.databytecounts)
    if (sizes == 0).any() or (places + sizes).max() > path.stat().st_size:
        raise InputError(
            f"{path} was cut short while it was written: the disk must be full.",
            "Free some space on the disk, and start again.",
        )


def append_tiles(part: Path, raster: BinaryIO, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Appends the tiles of a part to a raster; returns where they begin there, and their sizes."""
    with tifffile.TiffFile(part) as file:
        page = file.pages.first
        places, sizes = (np.array(table, np.int64).reshape(shape) for table in (page.dataoffsets, page.databytecounts))
    start = places.min()
    begin = raster.seek(0, 2)
    with part.open("rb") as source:
        source.seek(start)
        shutil.copyfileobj(source, raster, _CHUNK)
    return places - start + begin, sizes


def set_tiles(path: Path, places: NDArray[np.int64], sizes: NDArray[np.int64]) -> None:
    """Enters where the tiles of a GeoTIFF begin, and their sizes, into its tables, in the order of the tiles."""
    with tifffile.TiffFile(path, mode="r+") as raster:
        raster.pages.first.tags["TileOffsets"].overwrite(places.ravel().tolist())
        raster.pages.first.tags["TileByteCounts"].overwrite(sizes.ravel().tolist())
