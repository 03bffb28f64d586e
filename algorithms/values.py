"""From the parameters of an algorithm to the values of a job: paths, numbers and texts that JSON can hold."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingUtils,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt

from ..twinns_qgis.jobs import parameters as kinds
from .class_styles import classes_of_style
from .layers import Copies, absolute, as_shown, check_there, crs_text, file_of_polygons
from .rasters import raster_file, raster_path
from .translation import tr
from .year import are_told

_EXTENT = re.compile(r"[-+\d.eE\s]+(,[-+\d.eE\s]+){3}(\[.+\]\s*)?")


class Values:
    """Reads the parameters of one run of an algorithm.

    Args:
        algorithm: The algorithm.
        parameters: Its parameters as Processing gives them.
        context: The run's context.
        copies: Where layers are copied to.
    """

    def __init__(
        self,
        algorithm: QgsProcessingAlgorithm,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        copies: Copies | None = None,
    ) -> None:
        self._algorithm = algorithm
        self._parameters = parameters
        self._context = context
        self._copies = copies or Copies()
        self.stands_for: dict[str, str] = {}
        """What people are to read instead of the copies among the values, by the names of the parameters."""

    def read(self, name: str, parameter: kinds.Parameter) -> Any:
        """Returns the value of a parameter, None where an optional one is not given.

        Args:
            name: Its name, as the job has it.
            parameter: What the job declares.

        Raises:
            QgsProcessingException: The worker could not read what was given, such as a layer that is not a file.
        """
        return _READERS[type(parameter)](self, name.upper(), parameter)

    def check_layers(self, name: str, parameter: kinds.Parameter) -> None:
        """Checks that the layers that were chosen for a parameter are still there.

        Args:
            name: Its name, as the job has it.
            parameter: What the job declares.

        Raises:
            QgsProcessingException: One was removed from the project since.
        """
        if isinstance(parameter, (kinds.Polygons, kinds.Raster, kinds.Rasters)):
            given = self._parameters.get(name.upper())
            for value in given if isinstance(given, (list, tuple)) else [given]:
                check_there(value, name.upper(), self._context)

    def _rasters(self, name: str, parameter: kinds.Parameter) -> list[str]:
        return [raster_path(layer) for layer in self._layers(name)]

    def _dates(self, name: str, parameter: kinds.DatesTable) -> str | None:
        return self._file(name, parameter) or dates_of(self._layers(parameter.of.upper()))

    def _classes(self, name: str, parameter: kinds.ClassesTable) -> str | None:
        if path := self._file(name, parameter):
            return path
        field = parameter.of.upper()
        polygons = self._algorithm.parameterDefinition(field).parentLayerParameterName()
        layer = self._vector_layer(polygons)
        if layer is None:
            return None
        if not self._context.project() or self._context.project().mapLayer(layer.id()) is None:
            layer.loadDefaultStyle()  # which Processing passes over as it opens a file
        rows = classes_of_style(layer, self._text(field, parameter) or "")
        if not rows:
            return None
        path = self._copies.path("classes.csv")
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("class", "name", "color"), *rows])
        self.stands_for[name.lower()] = tr("the style of {}").format(layer.name())
        return path

    def _vector_layer(self, name: str) -> QgsVectorLayer | None:
        value = self._parameters.get(name)
        value = value.source if isinstance(value, QgsProcessingFeatureSourceDefinition) else value
        return self._algorithm.parameterAsVectorLayer({name: value}, name, self._context)

    def _layers(self, name: str) -> list[QgsMapLayer]:
        return self._algorithm.parameterAsLayerList(self._parameters, name, self._context)

    def _raster(self, name: str, parameter: kinds.Parameter) -> str | None:
        if not self.given(name):
            return None
        layer = self._algorithm.parameterAsRasterLayer(self._parameters, name, self._context)
        if layer is None:
            raise QgsProcessingException(self._algorithm.invalidRasterError(self._parameters, name))
        return raster_path(layer)

    def _polygons(self, name: str, parameter: kinds.Parameter) -> str | None:
        """Returns ``path|layername=name``: of the layer's file, or of a copy where QGIS knows more of the layer."""
        if not self.given(name):
            return None
        source = self._algorithm.parameterAsSource(self._parameters, name, self._context)
        layer = self._vector_layer(name)
        if source is None or layer is None:
            raise QgsProcessingException(self._algorithm.invalidSourceError(self._parameters, name))
        if not source.sourceCrs().isValid():
            raise QgsProcessingException(
                tr("The layer '{}' has no coordinate reference system.").format(source.sourceName())
                + "\n"
                + tr("Assign the one in which it was drawn: right-click on the layer, Layer CRS, Set Layer CRS.")
            )
        what = _choice_of(self._parameters[name])
        fields = {text for field in self._fields_of(name) if (text := self._text(field, parameter))}
        path = None if what else file_of_polygons(layer, source, fields)
        if path is None:
            path = self._copies.write(layer, source, fields)
            self.stands_for[name.lower()] = as_shown(layer, what)
        return path

    def _fields_of(self, name: str) -> list[str]:
        """Returns the parameters that name fields of a layer."""
        definitions = self._algorithm.parameterDefinitions()
        return [one.name() for one in definitions if getattr(one, "parentLayerParameterName", str)() == name]

    def _extent(self, name: str, parameter: kinds.Parameter) -> str | None:
        if not self.given(name):
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
        if not self.given(name):
            return None
        moment = self._algorithm.parameterAsDateTime(self._parameters, name, self._context)
        return moment.date().toString(Qt.DateFormat.ISODate) if moment.isValid() else None

    def _crs(self, name: str, parameter: kinds.Parameter) -> str | None:
        if not self.given(name):
            return None
        crs = self._algorithm.parameterAsCrs(self._parameters, name, self._context)
        if not crs.isValid():
            raise QgsProcessingException(tr("'{}' is no coordinate reference system.").format(self._parameters[name]))
        return crs_text(crs)

    def _number(self, name: str, parameter: kinds.Number) -> float | None:
        if parameter.default is None and not self.given(name):
            return None
        number = self._algorithm.parameterAsDouble(self._parameters, name, self._context)
        # QGIS's own whole numbers end at 2147483647, where seeds do not.
        return int(number) if isinstance(parameter, kinds.WholeNumber) and number.is_integer() else number

    def _choice(self, name: str, parameter: kinds.Parameter) -> str:
        return self._algorithm.parameterAsEnumString(self._parameters, name, self._context)

    def _choices(self, name: str, parameter: kinds.Parameter) -> list[str]:
        return self._algorithm.parameterAsEnumStrings(self._parameters, name, self._context)

    def _text(self, name: str, parameter: kinds.Parameter) -> str | None:
        return self._algorithm.parameterAsString(self._parameters, name, self._context) or None

    def _file(self, name: str, parameter: kinds.Parameter) -> str | None:
        path = self._algorithm.parameterAsFile(self._parameters, name, self._context)
        return absolute(path) if path else None

    def _file_output(self, name: str, parameter: kinds.Parameter) -> str | None:
        path = self._algorithm.parameterAsFileOutput(self._parameters, name, self._context)
        return absolute(path) if path else None

    def _layer_output(self, name: str, parameter: kinds.Parameter) -> str | None:
        path = self._algorithm.parameterAsOutputLayer(self._parameters, name, self._context)
        return absolute(path) if path else None

    def given(self, name: str) -> bool:
        """Whether a parameter has a value, by its name in upper case."""
        return self._parameters.get(name) not in (None, NULL, "", [])


_READERS: dict[type[kinds.Parameter], Callable[..., Any]] = {
    kinds.Text: Values._text,
    kinds.Extent: Values._extent,
    kinds.Crs: Values._crs,
    kinds.Polygons: Values._polygons,
    kinds.Field: Values._text,
    kinds.Choice: Values._choice,
    kinds.Choices: Values._choices,
    kinds.Number: Values._number,
    kinds.WholeNumber: Values._number,
    kinds.Day: Values._day,
    kinds.FilePath: Values._file,
    kinds.DatesTable: Values._dates,
    kinds.ClassesTable: Values._classes,
    kinds.Folder: Values._file,
    kinds.Raster: Values._raster,
    kinds.Series: Values._raster,
    kinds.Rasters: Values._rasters,
    kinds.FileOutput: Values._file_output,
    kinds.RasterOutput: Values._layer_output,
    kinds.PolygonsOutput: Values._layer_output,
    kinds.PointsOutput: Values._layer_output,
    kinds.FolderOutput: Values._file_output,
}


def _choice_of(definition: object) -> str:
    """Returns which features of a layer are wanted, in words; nothing if all are."""
    if not isinstance(definition, QgsProcessingFeatureSourceDefinition):
        return ""
    words = [tr("selected features")] if definition.selectedFeaturesOnly else []
    if definition.featureLimit >= 0:
        words.append(tr("the first {}").format(definition.featureLimit))
    if expression := getattr(definition, "filterExpression", ""):  # from QGIS 3.32
        words.append(expression)
    return ", ".join(words)


def dates_of(layers: Iterable[QgsMapLayer]) -> str | None:
    """Writes the table of dates of the layers that have a temporal range; returns its path, None if none has."""
    rows = []
    for layer in layers:
        temporal = layer.temporalProperties()
        begin = temporal.fixedTemporalRange().begin() if temporal.isActive() and not are_told(layer) else None
        if begin is not None and begin.isValid():
            rows.append((raster_file(layer), begin.date().toString(Qt.DateFormat.ISODate)))
    if not rows:
        return None
    path = QgsProcessingUtils.generateTempFilename("dates.csv")
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "date"), *rows])
    return path


def _crs_suffix(crs: QgsCoordinateReferenceSystem) -> str:
    return f" [{crs_text(crs)}]" if crs.isValid() else ""
