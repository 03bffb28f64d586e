"""Rasters of which the user knows better than the file: ``file|crs=EPSG:code|nodata=0``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4
from xml.etree import ElementTree  # nosec B405

import rasterio
import rasterio.shutil
from rasterio.crs import CRS
from rasterio.errors import CRSError

from twinns_qgis.errors import InputError
from twinns_qgis.files import crs_of, nodata_of
from twinns_qgis.rasters.archives import File


def retold(name: str | Path, file: File) -> str | Path:
    """Returns what GDAL opens of a raster: its name, or a virtual raster where the user tells what counts instead.

    Args:
        name: How GDAL calls the raster.
        file: How the user gave it.

    Raises:
        InputError: What the user tells can't be read.
        RasterioIOError: The raster can't be read.
    """
    if not isinstance(file, Path):
        return name
    crs, nodata = crs_of(file), nodata_of(file)
    if crs is None and nodata is None:
        return name
    raster = ElementTree.fromstring(_virtual(name))  # nosec B314, GDAL wrote it
    if crs is not None:
        try:
            _set(raster, "SRS", CRS.from_user_input(crs).to_wkt())
        except CRSError as error:
            raise InputError(f"{file}: there is no CRS '{crs}'.", "Expected is one such as EPSG:32631.") from error
    if nodata is not None:
        for band in raster.findall("VRTRasterBand"):
            _set_nodata(band, nodata)
    return ElementTree.tostring(raster, encoding="unicode")


def file_behind(dataset: rasterio.DatasetReader) -> str:
    """Returns the file that an open raster is read from: a virtual one has no name of its own."""
    return str(next(iter(dataset.files), dataset.name))


def _virtual(name: str | Path) -> str:
    """Returns the XML of a virtual raster that is the same as a raster."""
    path = f"/vsimem/{uuid4()}.vrt"
    with rasterio.open(name) as dataset:
        rasterio.shutil.copy(dataset, path, driver="VRT")
    try:
        with rasterio.open(path) as dataset:
            return str(dataset.tags(ns="xml:VRT")["xml:VRT"])
    finally:
        rasterio.shutil.delete(path)


def _set(element: ElementTree.Element, tag: str, text: str) -> None:
    """Sets the one child of an element that has a tag."""
    for old in element.findall(tag):
        element.remove(old)
    new = ElementTree.Element(tag)
    new.text = text
    element.insert(0, new)


def _set_nodata(band: ElementTree.Element, nodata: Sequence[float]) -> None:
    """Sets the value of a band's missing pixels, and lets pixels of a second value have it too."""
    for old in band.findall("NoDataValue"):
        band.remove(old)
    if nodata:
        _set(band, "NoDataValue", f"{nodata[0]:.17g}")
    for source in band.findall("SimpleSource") if len(nodata) > 1 else ():
        source.tag = "ComplexSource"
        # Pixels of this value are not written over the missing ones that the band begins with.
        ElementTree.SubElement(source, "NODATA").text = f"{nodata[1]:.17g}"
