"""From the parameters of an algorithm to the values of a job: paths, numbers and texts that JSON can hold."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
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
    QgsProcessingParameterDefinition,
    QgsProcessingParameterNumber,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import Qt

from .translation import tr

_EXTENT = re.compile(r"[-+\d.eE\s]+(,[-+\d.eE\s]+){3}(\[.+\]\s*)?")
_VECTOR_FORMATS = ["gpkg", "shp", "geojson", "json", "fgb", "gml"]


class Values:
    """Reads the parameters of one run of an algorithm.

    Args:
        algorithm: The algorithm.
        parameters: Its parameters as Processing gives them.
        context: The run's context.
        feedback: Hears of conversions.
    """

    def __init__(
        self,
        algorithm: QgsProcessingAlgorithm,
        parameters: Mapping[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> None:
        self._algorithm = algorithm
        self._parameters = parameters
        self._context = context
        self._feedback = feedback

    def read(self, definition: QgsProcessingParameterDefinition) -> Any:
        """Returns the value of a parameter, None where an optional one is not given.

        Raises:
            QgsProcessingException: The worker could not read what was given, such as a layer that is not a file.
        """
        reader = {
            "multilayer": self._rasters,
            "raster": self._raster,
            "source": self._polygons,
            "extent": self._extent,
            "datetime": self._day,
            "number": self._number,
            "crs": self._crs,
            "enum": self._choice,
            "file": self._file,
            "fileDestination": self._file_output,
            "folderDestination": self._file_output,
            "rasterDestination": self._layer_output,
            "vectorDestination": self._layer_output,
        }.get(definition.type(), self._text)
        return reader(definition)

    def layers(self, name: str) -> list[QgsMapLayer]:
        """Returns the layers of a parameter that takes several."""
        return self._algorithm.parameterAsLayerList(self._parameters, name, self._context)

    def _rasters(self, definition: QgsProcessingParameterDefinition) -> list[str]:
        return [raster_path(layer) for layer in self.layers(definition.name())]

    def _raster(self, definition: QgsProcessingParameterDefinition) -> str | None:
        name = definition.name()
        if not self._given(name):
            return None
        layer = self._algorithm.parameterAsRasterLayer(self._parameters, name, self._context)
        if layer is None:
            raise QgsProcessingException(self._algorithm.invalidRasterError(self._parameters, name))
        return raster_path(layer)

    def _polygons(self, definition: QgsProcessingParameterDefinition) -> str | None:
        """Returns ``path|layername=name``: of the layer's file, or of a copy of what is in memory or selected."""
        name = definition.name()
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

    def _extent(self, definition: QgsProcessingParameterDefinition) -> str | None:
        name = definition.name()
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

    def _day(self, definition: QgsProcessingParameterDefinition) -> str | None:
        if not self._given(definition.name()):
            return None
        moment = self._algorithm.parameterAsDateTime(self._parameters, definition.name(), self._context)
        return moment.date().toString(Qt.DateFormat.ISODate) if moment.isValid() else None

    def _crs(self, definition: QgsProcessingParameterDefinition) -> str | None:
        if not self._given(definition.name()):
            return None
        crs = self._algorithm.parameterAsCrs(self._parameters, definition.name(), self._context)
        if not crs.isValid():
            raise QgsProcessingException(
                tr("'{}' is no coordinate reference system.").format(self._parameters[definition.name()])
            )
        return _crs_text(crs)

    def _number(self, definition: QgsProcessingParameterNumber) -> float | None:
        if definition.defaultValue() is None and not self._given(definition.name()):
            return None
        if definition.dataType() == QgsProcessingParameterNumber.Type.Integer:
            return self._algorithm.parameterAsInt(self._parameters, definition.name(), self._context)
        return self._algorithm.parameterAsDouble(self._parameters, definition.name(), self._context)

    def _choice(self, definition: QgsProcessingParameterDefinition) -> str:
        return self._algorithm.parameterAsEnumString(self._parameters, definition.name(), self._context)

    def _text(self, definition: QgsProcessingParameterDefinition) -> str | None:
        return self._algorithm.parameterAsString(self._parameters, definition.name(), self._context) or None

    def _file(self, definition: QgsProcessingParameterDefinition) -> str | None:
        path = self._algorithm.parameterAsFile(self._parameters, definition.name(), self._context)
        return _absolute(path) if path else None

    def _file_output(self, definition: QgsProcessingParameterDefinition) -> str | None:
        path = self._algorithm.parameterAsFileOutput(self._parameters, definition.name(), self._context)
        return _absolute(path) if path else None

    def _layer_output(self, definition: QgsProcessingParameterDefinition) -> str | None:
        path = self._algorithm.parameterAsOutputLayer(self._parameters, definition.name(), self._context)
        return _absolute(path) if path else None

    def _given(self, name: str) -> bool:
        value = self._parameters.get(name)
        return value is not None and value != NULL and value != ""


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


def _absolute(path: str) -> str:
    """The worker's working folder is another."""
    return os.path.abspath(path)  # noqa: PTH100, a link keeps its name


def _crs_suffix(crs: QgsCoordinateReferenceSystem) -> str:
    return f" [{_crs_text(crs)}]" if crs.isValid() else ""


def _crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    # Of other authorities, and of the user's own definitions, the worker may know nothing.
    return crs.authid() if crs.authid().startswith("EPSG:") else crs.toWkt()
