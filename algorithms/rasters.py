"""From raster layers, as QGIS shows them, to what the worker reads.

What QGIS alone knows of a raster, the CRS and the no data values that the user set, is told beside the file.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from qgis.core import QgsMapLayer, QgsProcessingException, QgsProviderRegistry, QgsRasterDataProvider, QgsRasterLayer

from .layers import absolute, crs_text
from .series import viewed_series
from .translation import tr

_ZIP = "/vsizip/"
_REMOTE = {"/vsicurl/": "", "/vsis3/": "s3://", "/vsigs/": "gs://", "/vsiaz/": "az://"}
"""How GDAL calls what lies on servers, and how the worker does."""
_URL = re.compile(r"(https?|s3|gs|az)://")
_VARIABLE = re.compile(r'NETCDF:"?(?P<path>.+?)"?:(?P<name>[^:"]+)', re.IGNORECASE)
_PART = re.compile(r"\w{2,}:")
"""How what is a part of a file is called, such as ``GPKG:file:table``; one letter is a disk of Windows."""
_MOST_NODATA = 2
"""Values that the worker can take for no data."""


def raster_path(layer: QgsMapLayer) -> str:
    """Returns the file of a raster layer, as ``file|crs=EPSG:code|nodata=0`` where QGIS knows better than the file.

    Raises:
        QgsProcessingException: The layer is not a raster in a file, the file is gone, or no data are set as the worker
            can't take them.
    """
    path, crs, provider = raster_file(layer), layer.crs(), layer.dataProvider()
    if crs.isValid() and crs != provider.crs():
        path += f"|crs={crs_text(crs)}"
    nodata = _nodata(layer, provider)
    return path if nodata is None else f"{path}|nodata={','.join(nodata) or 'none'}"


def raster_file(layer: QgsMapLayer) -> str:
    """Returns the file of a raster layer, of the view of a series that of the series, or its address.

    A path goes on within a zip archive as within a folder; a variable of a NetCDF file is called as QGIS does.

    Raises:
        QgsProcessingException: The layer is not a raster in a file, or the file is gone.
    """
    source = viewed_series(layer) or layer.source()
    if not isinstance(layer, QgsRasterLayer) or layer.providerType() != "gdal":
        raise _refusal(
            tr("The layer '{}' is not a raster in a file: {}.").format(layer.name(), source),
            tr(
                "Save it as a GeoTIFF first: right-click on the layer, Export, Save As, Raw data. A layer of a map "
                "service, such as WMS or XYZ tiles, shows colours and holds no measurements."
            ),
        )
    if options := QgsProviderRegistry.instance().decodeUri("gdal", source).get("openOptions"):
        raise _refusal(
            tr("The layer '{}' was opened with options that are not handed on: {}.").format(
                layer.name(), ", ".join(options)
            ),
            tr("Add its file to the project anew, without options."),
        )
    if source.startswith(_ZIP):
        return _in_archive(layer, source[len(_ZIP) :])
    for prefix, scheme in _REMOTE.items():
        if source.startswith(prefix):
            return scheme + source[len(prefix) :]
    variable = _VARIABLE.fullmatch(source)
    if variable and Path(variable["path"]).is_file():
        return f'NETCDF:"{absolute(variable["path"])}":{variable["name"]}'
    if Path(source).is_file():
        return absolute(source)
    if _URL.match(source):
        return source
    if source.startswith("/vsi") or (_PART.match(source) and not variable):
        raise _refusal(
            tr("The layer '{}' is a part of a file, or of an archive, that can't be read by itself: {}.").format(
                layer.name(), source
            ),
            tr(
                "Save it as a GeoTIFF first: right-click on the layer, Export, Save As, Raw data. Products of Sentinel "
                "are read as they were downloaded: choose their folder instead."
            ),
        )
    raise _refusal(
        tr("The file of the layer '{}' is no longer there: {}.").format(layer.name(), source),
        tr("Choose another layer, or put the file back."),
    )


def _in_archive(layer: QgsRasterLayer, place: str) -> str:
    """Returns the path of a raster in an archive, of which QGIS need not name the only file."""
    if Path(place).is_file():
        with zipfile.ZipFile(place) as archive:
            members = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
        if len(members) == 1:
            return f"{absolute(place)}/{members[0]}"
    elif any(parent.is_file() for parent in Path(place).parents):
        return absolute(place)
    raise _refusal(
        tr("The archive of the layer '{}' can't be read: {}.").format(layer.name(), layer.source()),
        tr("Unpack it, and add the file that it holds."),
    )


def _nodata(layer: QgsMapLayer, provider: QgsRasterDataProvider) -> list[str] | None:
    """Returns the values that count as no data, None where they are those of the file."""
    bands = range(1, provider.bandCount() + 1)
    if not any(provider.userNoDataValues(band) or _is_switched_off(provider, band) for band in bands):
        return None
    shown = {tuple(dict.fromkeys(_nodata_of_band(provider, band))) for band in bands}
    values = shown.pop()
    if shown or None in values or len(values) > _MOST_NODATA:
        raise _refusal(
            tr("The no data values of the layer '{}' are ranges, several, or not the same for all bands.").format(
                layer.name()
            ),
            tr("Set one value for all bands: Layer Properties, Transparency, Additional no data value."),
        )
    return [value for value in values if value is not None]


def _is_switched_off(provider: QgsRasterDataProvider, band: int) -> bool:
    return provider.sourceHasNoDataValue(band) and not provider.useSourceNoDataValue(band)


def _nodata_of_band(provider: QgsRasterDataProvider, band: int) -> Iterator[str | None]:
    """Yields the values of a band that count as no data, its file's first; None for a range."""
    if provider.sourceHasNoDataValue(band) and provider.useSourceNoDataValue(band):
        yield f"{provider.sourceNoDataValue(band):.17g}"
    for values in provider.userNoDataValues(band):
        yield f"{values.min():.17g}" if values.min() == values.max() else None


def _refusal(wrong: str, what_to_do: str) -> QgsProcessingException:
    return QgsProcessingException(f"{wrong}\n{what_to_do}")
