"""Copies of rasters: windows of them as GeoTIFFs with the same pixels, and whole files with the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import rasterio
import requests
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader, MemoryFile
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, LocalFile, damage_of, on_disk
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import hidden_pixels, open_raster, read_bands
from twinns_qgis.rasters.remote import opening
from twinns_qgis.rasters.remote.files import RemoteFile
from twinns_qgis.rasters.remote.requesting import get

_TILE = 512
_PREDICTORS = {"u": 2, "i": 2, "f": 3}
_CACHE = 256 * 2**20
"""Bytes that GDAL may hold: the tiles in which two strips of a window meet are not decoded twice."""
_PIECE = 8 * 2**20
_OF_ALL_PIXELS = "STATISTICS_"
"""How metadata begin that no longer hold of a part."""


def geotiff_of(file: File, window: Window, between: Callable[[], None] = lambda: None) -> bytes:
    """Returns a window of a raster as a GeoTIFF, tiled and compressed without loss.

    Its pixels, their grid, no data value, mask, scale, offset, units, descriptions and metadata are those of the
    raster, which is turned north up as `open_raster` does. It is made in memory, where a full disk can't cut it short.

    Args:
        file: The raster.
        window: Its pixels.
        between: Is called every now and then, and may raise.

    Raises:
        InputError: It can't be read.
    """
    with rasterio.Env(GDAL_CACHEMAX=_CACHE), open_raster(file) as source, MemoryFile() as memory:
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), memory.open(**_profile(source, window)) as copy:
            copy.descriptions = source.descriptions
            copy.scales, copy.offsets = source.scales, source.offsets
            copy.units = [unit or "" for unit in source.units]
            copy.update_tags(**source.tags())
            for index in source.indexes:
                tags = source.tags(index)
                copy.update_tags(
                    index, **{key: value for key, value in tags.items() if not key.startswith(_OF_ALL_PIXELS)}
                )
            if source.count == 1 and source.colorinterp == (ColorInterp.palette,):
                copy.write_colormap(1, source.colormap(1))
            for row in range(0, int(window.height), _TILE):
                between()
                height = min(_TILE, int(window.height) - row)
                read = Window(window.col_off, window.row_off + row, window.width, height)
                written = Window(0, row, window.width, height)
                copy.write(read_bands(source, window=read), window=written)
                hidden = hidden_pixels(source, 1, read)
                if hidden is not None:
                    copy.write_mask(~hidden, window=written)
        return bytes(memory.getbuffer())


def _profile(source: DatasetReader, window: Window) -> dict[str, Any]:
    grid = Grid.of(source).crop(window)
    return {
        "driver": "GTiff",
        "crs": grid.crs,
        "transform": grid.transform,
        "width": grid.width,
        "height": grid.height,
        "count": source.count,
        "dtype": source.dtypes[0],
        "nodata": source.nodata,
        "photometric": "minisblack",  # three bands of bytes are measurements, not red, green and blue
        "tiled": True,
        "blockxsize": _TILE,
        "blockysize": _TILE,
        "interleave": "band",
        "compress": "deflate",
        "predictor": _PREDICTORS.get(np.dtype(source.dtypes[0]).kind, 1),
        "bigtiff": "if_safer",
    }


def size_of(file: File) -> int:
    """Returns the number of bytes of a file.

    Raises:
        InputError: Its server does not give it.
    """
    if isinstance(file, RemoteFile):
        return opening.size_of(file)
    return on_disk(file).stat().st_size


def pieces_of(file: File) -> Iterator[bytes]:
    """Yields the bytes of a file on disk or on a server, in pieces.

    Raises:
        InputError: It can't be read, or changed meanwhile.
    """
    return _of_server(file) if isinstance(file, RemoteFile) else _of_disk(file)


def _of_disk(file: LocalFile) -> Iterator[bytes]:
    with damage_of(file), on_disk(file).open("rb") as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _of_server(file: RemoteFile) -> Iterator[bytes]:
    size, at, version = size_of(file), 0, None
    while at < size:
        last = min(at + _PIECE, size) - 1
        response = get(file, {"Range": f"bytes={at}-{last}"})
        now = response.headers.get("Content-Range", "").rpartition("/")[2], response.headers.get("ETag")
        if response.status_code != requests.codes.partial_content or len(response.content) != last + 1 - at:
            raise InputError(f"The server of {file} cut an answer short.", "Call it again: it goes on.")
        if now[0] != str(size) or (version and now != version):
            raise InputError(f"{file} changed on its server while it was read.", "Call it again.")
        yield response.content
        version, at = now, last + 1
