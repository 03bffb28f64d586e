"""The view of a Sentinel-1 series as VV, VH and VV - VH, which QGIS opens in its place.

No style can subtract bands. A virtual raster beside the series can, by a function that is built into GDAL. Decibels are
logarithms, so the difference is the ratio of the two backscatters.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

# Writes XML and reads none, which alone is what the check warns of.
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # nosec B405

from twinns_qgis.files import scratch_file
from twinns_qgis.rasters.layout import disk_errors
from twinns_qgis.rasters.qgis_style import style_path
from twinns_qgis.rasters.replacing import give_raster_name, sidecars_of
from twinns_qgis.series.series import SENTINEL1_BANDS, SENTINEL1_RATIO, Series

VIEWED_BANDS = (*SENTINEL1_BANDS, SENTINEL1_RATIO)
"""The bands of each date of a view."""


def view_path(series: Path) -> Path:
    """Returns where the view of a series lies: beside it, as which it moves with its folder."""
    return series.with_name(f"{series.name}.vrt")


def write_ratio_view(series: Series) -> Path | None:
    """Writes the view of a series, in decibels, NaN where one of the polarisations is missing.

    Returns:
        Where it lies; None if another file has that name, which stays.

    Raises:
        InputError: The disk takes no more.
    """
    path = view_path(series.path)
    if path.exists() and not _is_view(path):
        return None
    with disk_errors(path), scratch_file(path, "partial") as partial:
        partial.write_text(_virtual_raster(series), encoding="utf-8")
        return give_raster_name(partial, path, [style_path(path)])


def remove_ratio_view(series: Path) -> None:
    """Removes the view of a former series, in whose place one of another kind lies now."""
    path = view_path(series)
    if path.exists() and _is_view(path):
        for file in (*sidecars_of(path), style_path(path), path):
            with suppress(PermissionError):  # Windows does not remove a file that is open
                file.unlink(missing_ok=True)


def _is_view(path: Path) -> bool:
    return SENTINEL1_RATIO in path.read_text(encoding="utf-8", errors="replace")


def _virtual_raster(series: Series) -> str:
    grid = series.grid
    document = Element("VRTDataset", rasterXSize=str(grid.width), rasterYSize=str(grid.height))
    SubElement(document, "SRS").text = grid.crs.to_wkt()
    SubElement(document, "GeoTransform").text = ", ".join(map(repr, grid.transform.to_gdal()))
    for order, day in enumerate(series.dates):
        for name in VIEWED_BANDS:
            band = SubElement(document, "VRTRasterBand", dataType="Float32")
            SubElement(band, "Description").text = f"{day} {name}"
            SubElement(band, "NoDataValue").text = "nan"
            polarisations: tuple[str, ...] = (name,)
            if name == SENTINEL1_RATIO:
                polarisations = SENTINEL1_BANDS
                band.set("subClass", "VRTDerivedRasterBand")
                SubElement(band, "PixelFunctionType").text = "diff"
                SubElement(band, "SourceTransferType").text = "Float32"
            for polarisation in polarisations:
                _add_decibels(band, series, order, series.bands.index(polarisation))
    indent(document)
    return tostring(document, encoding="unicode") + "\n"


def _add_decibels(band: Element, series: Series, date: int, polarisation: int) -> None:
    """Adds the decibels of a polarisation at a date to what a band is made from."""
    source = SubElement(band, "ComplexSource")
    SubElement(source, "SourceFilename", relativeToVRT="1").text = series.path.name
    SubElement(source, "SourceBand").text = str(date * len(series.bands) + polarisation + 1)
    SubElement(source, "ScaleOffset").text = repr(series.offset[polarisation])
    SubElement(source, "ScaleRatio").text = repr(series.scale[polarisation])
    if series.nodata is not None:
        SubElement(source, "NODATA").text = repr(series.nodata)
