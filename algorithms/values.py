"""From the parameters of an algorithm to the values of a job: paths, numbers and texts that JSON can hold."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingUtils,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import Qt

from ..twinns_qgis.jobs import parameters as kinds
from .translation import tr

_EXTENT = re.compile(r"[-+\d.eE\s]+(,[-+\d.eE\s]+){3}(\[.+\]\s*)?")
_VECTOR_FORMATS = ["gpkg", "shp", "geojson", "json", "fgb", "gml"]


class Values:
    """Reads the parameters of one run of an algorithm.

    Args:
        algorithm: The algorithm.
        parameters: Its parameters as Processing gives them.
        context: The run's context.
        feedback: Receives messages about conversions.
    """

    def __init__(
        self,
        algorithm: QgsProcessingAlgorithm,
        parameters: Mapping[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback | None = None,
    ) -> None:
        self._algorithm = algorithm
        self._parameters = parameters
        self._context = context
        self._feedback = feedback or QgsProcessingFeedback()

    def read(self, name: str, parameter: kinds.Parameter) -> Any:
        """Returns the value of a parameter, None where an optional one is not given.

        Args:
            name: Its name, as the job has it.
            parameter: What the job declares.

        Raises:
            QgsProcessingException: The worker could not read what was given, such as a layer that is not a file.
        """
        return _READERS[type(parameter)](self, name.upper(), parameter)

    def _rasters(self, name: str, parameter: kinds.Parameter) -> list[str]:
        return [raster_path(layer) for layer in self._layers(name)]

    def _dates(self, name: str, parameter: kinds.DatesTable) -> str | None:
        return self._file(name, parameter) or dates_of(self._layers(parameter.of.upper()))

    def _layers(self, name: str) -> list[QgsMapLayer]:
        return self._algorithm.parameterAsLayerList(self._parameters, name, self._context)

    def _raster(self, name: str, parameter: kinds.Parameter) -> str | None:
        if not self._given(name):
            return None
        layer = self._algorithm.parameterAsRasterLayer(self._parameters, name, self._context)
        if layer is None:
            raise QgsProcessingException(self._algorithm.invalidRasterError(self._parameters, name))
        return raster_path(layer)

    def _polygons(self, name: str, parameter: kinds.Parameter) -> str | None:
        """Returns ``path|layername=name``: of the layer's file, or of a copy of what is in memory or selected."""
        if not self._given(name):
            return None
        source = self._algorithm.parameterAsSource(self._parameters, name, self._context)
        if source is None:
            raise QgsProcessingException(self._algorithm.invalidSourceError(self._parameters, name))
        if not source.sourceCrs().isValid():
            raise QgsProcessingException(
                tr("The layer '{}' has no coordinate reference system.").format(source.sourceName())
                + "\n"
                + tr("Assign the one in which it was drawn: right-click on the layer, Layer CRS, Set Layer CRS.")
            )
        path, layer = self._algorithm.parameterAsCompatibleSourceLayerPathAndLayerName(
            self._parameters, name, self._context, _VECTOR_FORMATS, "gpkg", self._feedback
        )
        return f"{_absolute(path)}|layername={layer}" if layer else _absolute(path)

    def _extent(self, name: str, parameter: kinds.Parameter) -> str | None:
        if not self._given(name):
            return None
        value = self._parameters[name]
        if isinstance(value, str) and _EXTENT.fullmatch(value):
            return value  # the core reads it as QGIS writes it, and without a CRS takes it in that of the raster
        rectangle = self._algorithm.parameterAsExtent(self._parameters, name, self._context)
        if rectangle.isNull():
            return None
        crs = self._algorithm.parameterAsExtentCrs(self._parameters, name, self._context)
        edges = (rectangle.xMinimum(), rectangle.xMaximum(), rectangle.yMinimum(), rectangle.yMaximum())
        return ",".join(repr(edge) for edge in edges) + _crs_suffix(crs)

    def _day(self, name: str, parameter: kinds.Parameter) -> str | None:
        if not self._given(name):
            return None
        moment = self._algorithm.parameterAsDateTime(self._parameters, name, self._context)
        return moment.date().toString(Qt.DateFormat.ISODate) if moment.isValid() else None

    def _crs(self, name: str, parameter: kinds.Parameter) -> str | None:
        if not self._given(name):
            return None
        crs = self._algorithm.parameterAsCrs(self._parameters, name, self._context)
        if not crs.isValid():
            raise QgsProcessingException(tr("'{}' is no coordinate reference system.").format(self._parameters[name]))
        return _crs_text(crs)

    def _number(self, name: str, parameter: kinds.Number) -> float | None:
        if parameter.default is None and not self._given(name):
            return None
        number = self._algorithm.parameterAsDouble(self._parameters, name, self._context)
        # QGIS's own whole numbers end at 2147483647, where seeds do not.
        return int(number) if isinstance(parameter, kinds.WholeNumber) and number.is_integer() else number

    def _choice(self, name: str, parameter: kinds.Parameter) -> str:
        return self._algorithm.parameterAsEnumString(self._parameters, name, self._context)

    def _text(self, name: str, parameter: kinds.Parameter) -> str | None:
        return self._algorithm.parameterAsString(self._parameters, name, self._context) or None

    def _file(self, name: str, parameter: kinds.Parameter) -> str | None:
        path = self._algorithm.parameterAsFile(self._parameters, name, self._context)
        return _absolute(path) if path else None

    def _file_output(self, name: str, parameter: kinds.Parameter) -> str | None:
        path = self._algorithm.parameterAsFileOutput(self._parameters, name, self._context)
        return _absolute(path) if path else None

    def _layer_output(self, name: str, parameter: kinds.Parameter) -> str | None:
        path = self._algorithm.parameterAsOutputLayer(self._parameters, name, self._context)
        return _absolute(path) if path else None

    def _given(self, name: str) -> bool:
        value = self._parameters.get(name)
        return value is not None and value != NULL and value != ""


_READERS: dict[type[kinds.Parameter], Callable[..., Any]] = {
    kinds.Text: Values._text,
    kinds.Extent: Values._extent,
    kinds.Crs: Values._crs,
    kinds.Polygons: Values._polygons,
    kinds.Field: Values._text,
    kinds.Choice: Values._choice,
    kinds.Number: Values._number,
    kinds.WholeNumber: Values._number,
    kinds.Day: Values._day,
    kinds.FilePath: Values._file,
    kinds.DatesTable: Values._dates,
    kinds.Folder: Values._file,
    kinds.Raster: Values._raster,
    kinds.Series: Values._raster,
    kinds.Rasters: Values._rasters,
    kinds.FileOutput: Values._file_output,
    kinds.RasterOutput: Values._layer_output,
    kinds.PolygonsOutput: Values._layer_output,
    kinds.FolderOutput: Values._file_output,
}


def raster_path(layer: QgsMapLayer) -> str:
    """Returns the file of a raster layer.

    Raises:
        QgsProcessingException: The layer is not a raster in a file.
    """
    path = layer.source().split("|")[0]
    if not isinstance(layer, QgsRasterLayer) or layer.providerType() != "gdal" or not Path(path).is_file():
        raise QgsProcessingException(
            tr("The layer '{}' is not a raster in a file: {}.").format(layer.name(), layer.source())
            + "\n"
            + tr("Save it as a GeoTIFF first: right-click on the layer, Export, Save As.")
        )
    return _absolute(path)


def dates_of(layers: Iterable[QgsMapLayer]) -> str | None:
    """Writes the table of dates of the layers that have a temporal range; returns its path, None if none has."""
    rows = []
    for layer in layers:
        temporal = layer.temporalProperties()
        begin = temporal.fixedTemporalRange().begin() if temporal.isActive() else None
        if begin is not None and begin.isValid():
            rows.append((raster_path(layer), begin.date().toString(Qt.DateFormat.ISODate)))
    if not rows:
        return None
    path = QgsProcessingUtils.generateTempFilename("dates.csv")
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "date"), *rows])
    return path


def _absolute(path: str) -> str:
    """The worker's working folder is another."""
    return os.path.abspath(path)  # noqa: PTH100, a link keeps its name


def _crs_suffix(crs: QgsCoordinateReferenceSystem) -> str:
    return f" [{_crs_text(crs)}]" if crs.isValid() else ""


def _crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    # Of other authorities, and of the user's own definitions, the worker may know nothing.
    return crs.authid() if crs.authid().startswith("EPSG:") else crs.toWkt()
