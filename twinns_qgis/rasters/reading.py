"""Opening rasters and reading their pixels, with errors that a user can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import RasterioIOError
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.files import container_of, file_of, url_of
from twinns_qgis.rasters.archives import File, LocalFile, Variable, ZipMember, as_file
from twinns_qgis.rasters.north_up import north_up
from twinns_qgis.rasters.remote.files import RemoteFile
from twinns_qgis.rasters.remote.opening import Opener, failure
from twinns_qgis.rasters.retold import retold
from twinns_qgis.rasters.unreadable import cannot_open, cannot_read

_PLAIN = ([MaskFlags.all_valid], [MaskFlags.nodata])


@contextmanager
def open_raster(file: File) -> Iterator[rasterio.DatasetReader]:
    """Opens a raster, on disk, in a zip archive, in a NetCDF file or at a URL, turned so that north is up.

    Raises:
        InputError: It does not exist, is no raster, or is one that can't be read.
    """
    # With threads of its own GDAL decodes several tiles of a JPEG 2000 at once, and hides it if some can't be decoded.
    with rasterio.Env(GDAL_NUM_THREADS="1"):
        try:
            if isinstance(file, RemoteFile):
                failure(file.key)  # of an earlier reading, which nobody asked for
                dataset = rasterio.open(file.key, driver=file.driver, opener=Opener(file))
            else:
                dataset = rasterio.open(_retold(as_file(file) if isinstance(file, Path) else file))
        except RasterioIOError as error:
            if isinstance(file, RemoteFile):
                raise failure(file.key) or InputError(
                    f"{file} is no GeoTIFF or JPEG 2000.", "Download it, to see what it is; or leave it out."
                ) from error
            raise cannot_open(file, error) from error
        with dataset:
            yield north_up(dataset)


def _retold(file: LocalFile) -> str | Path:
    return retold(_gdal_name(file), file.path if isinstance(file, Variable) else file)


def _gdal_name(file: LocalFile) -> str | Path:
    if not isinstance(file, Path):
        return file.gdal_name
    if url := url_of(file):
        return url
    path, archive = file_of(file), container_of(file)
    return path if path == archive else ZipMember(archive, path.relative_to(archive).as_posix()).gdal_name


def read_bands(dataset: rasterio.DatasetReader, **options: object) -> NDArray[np.generic]:
    """Reads an open raster as ``dataset.read(**options)`` does.

    Raises:
        InputError: Its pixels can't be read, for example because the file is truncated.
    """
    try:
        return dataset.read(**options)
    except RasterioIOError as error:
        raise failure(dataset.name) or cannot_read(dataset, error) from error


def hidden_pixels(dataset: rasterio.DatasetReader, index: int, window: Window) -> NDArray[np.bool_] | None:
    """Returns where a mask of an open raster, internal or beside it, or its alpha band hides pixels of a band.

    Args:
        dataset: The raster.
        index: Number of the band, from 1.
        window: The pixels to look at.

    Returns:
        Shape (height, width), true where hidden; None if the raster has neither mask nor alpha band.
    """
    flags = dataset.mask_flag_enums[index - 1]
    try:
        # Masks of all pixels, or of the no data value alone, tell nothing more; those of a band have no flag at all.
        if flags not in _PLAIN and MaskFlags.alpha not in flags:
            return dataset.read_masks(index, window=window) == 0
        # Of alpha bands GDAL makes masks in rasters of two or four bands only.
        alpha = next((band for band in dataset.indexes if is_alpha(dataset, band)), None)
        return None if alpha is None else dataset.read(alpha, window=window) == 0
    except RasterioIOError as error:
        raise failure(dataset.name) or cannot_read(dataset, error) from error


def describes(file: File, wanted: Callable[[str], bool]) -> bool:
    """Whether a raster has a band whose description is one that is wanted; one that can't be read has none."""
    try:
        with open_raster(file) as dataset:
            return any(wanted(description or "") for description in dataset.descriptions)
    except InputError:
        return False


def is_alpha(dataset: rasterio.DatasetReader, index: int) -> bool:
    """Whether a band of an open raster is its alpha band, from 1.

    One that is described as something else is none: GDAL takes the last of four bands of bytes for alpha by itself.
    """
    description = dataset.descriptions[index - 1] or ""
    return dataset.colorinterp[index - 1] == ColorInterp.alpha and (not description or "alpha" in description.lower())
