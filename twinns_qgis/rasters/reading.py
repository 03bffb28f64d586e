"""Opening rasters and reading their pixels, with errors that a user can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioIOError

from twinns_qgis.errors import InputError
from twinns_qgis.files import url_of
from twinns_qgis.rasters.archives import File, ZipMember, on_disk


@contextmanager
def open_raster(file: File) -> Iterator[rasterio.DatasetReader]:
    """Opens a raster, on disk, in a zip archive or at a URL.

    Raises:
        InputError: It does not exist, or is no raster.
    """
    # With threads of its own GDAL decodes several tiles of a JPEG 2000 at once, and hides it if some can't be decoded.
    with rasterio.Env(GDAL_NUM_THREADS="1"):
        try:
            dataset = rasterio.open(file.gdal_name if isinstance(file, ZipMember) else url_of(file) or file)
        except RasterioIOError as error:
            state = "can't be read as a raster" if on_disk(file).exists() else "does not exist"
            raise InputError(f"{file} {state}.", "Check the path, and that the file opens in QGIS.") from error
        with dataset:
            yield dataset


def read_bands(dataset: rasterio.DatasetReader, **options: object) -> NDArray[np.generic]:
    """Reads an open raster as ``dataset.read(**options)`` does.

    Raises:
        InputError: Its pixels can't be read, for example because the file is truncated.
    """
    try:
        return dataset.read(**options)
    except RasterioIOError as error:
        raise InputError(
            f"The pixels of {dataset.name} can't be read: the file is damaged or incomplete.",
            "Download or copy it once more.",
        ) from error
