"""What is wrong with the input of a run, as far as that can be told at once and by QGIS alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from qgis.core import (
    NULL,
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProviderRegistry,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QThread

from ..twinns_qgis.jobs import parameters as kinds
from .series import SENSORS, STATIC, Contents, contents_of_model, contents_of_series, viewed_series, why_no_series
from .translation import tr
from .values import Values

_Kind = TypeVar("_Kind", bound=kinds.Parameter)

_SOME = 16
"""Values of a field that are looked at: of more, one is not empty."""


class Checks:
    """The checks of one run of an algorithm.

    Args:
        algorithm: The algorithm.
        declared: The parameters that its job declares.
        parameters: What they are, as Processing gives them.
        context: The run's context.
    """

    def __init__(
        self,
        algorithm: QgsProcessingAlgorithm,
        declared: Mapping[str, kinds.Parameter],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> None:
        self._algorithm = algorithm
        self._parameters = parameters
        self._context = context
        self._values = Values(algorithm, parameters, context)
        self._declared = {name.upper(): parameter for name, parameter in declared.items()}

    def fault(self) -> str:
        """Returns what is wrong, and what to do; nothing where all looks well."""
        return next(filter(None, self._faults()), "")

    def _faults(self) -> Iterator[str]:
        series = self._inputs(kinds.Series)
        if series and not any(map(self._values.given, series)):
            yield tr("There is no series.") + "\n" + tr("Choose a Sentinel-1 series, a Sentinel-2 series, or both.")
        sources = {"FOLDER", "LAYERS", "SCENES"}
        if sources <= self._inputs(kinds.FilePath).keys() and not any(map(self._values.given, sources)):
            yield tr("There is nothing to prepare.") + "\n" + tr("Choose a folder, layers or a scene list.")
        for name, raster in {**self._inputs(kinds.Raster), **self._inputs(kinds.Rasters)}.items():
            yield self._fault_of_raster(name, raster)
        for name in series:
            layer = self._raster(name)
            yield why_no_series(layer, name) if layer else ""
        for name, field in self._inputs(kinds.Field).items():
            yield self._fault_of_field(name, field.of.upper()) if self._values.given(name) else ""
        for name, file in self._inputs(kinds.FilePath).items():
            yield self._fault_of_model(name) if file.extension == "twinns" else ""
        yield from self._faults_of_outputs()

    def _fault_of_raster(self, name: str, parameter: kinds.Parameter) -> str:
        try:
            self._values.read(name.lower(), parameter)
        except QgsProcessingException as refusal:
            return str(refusal)
        return ""

    def _fault_of_field(self, name: str, parent: str) -> str:
        field = self._algorithm.parameterAsString(self._parameters, name, self._context)
        layer = self._algorithm.parameterAsVectorLayer(self._parameters, parent, self._context)
        source = self._algorithm.parameterAsSource(self._parameters, parent, self._context)
        # Another thread must leave the features of a project's layers alone.
        if source is None or (layer is not None and layer.thread() != QThread.currentThread()):
            return ""
        place = source.fields().lookupField(field)
        if place < 0:
            wrong = tr("'{}' has no field '{}'.").format(source.sourceName(), field)
            return wrong + "\n" + tr("It has {}.").format(", ".join(source.fields().names()))
        if source.featureCount() == 0:
            wrong = tr("There are no polygons in '{}'.").format(source.sourceName())
            return wrong + "\n" + tr("Check its filter, and whether only selected ones are to be used.")
        if all(value in (None, NULL) or not str(value).strip() for value in source.uniqueValues(place, _SOME)):
            wrong = tr("The field '{}' of '{}' is empty.").format(field, source.sourceName())
            return wrong + "\n" + tr("Choose another field, or fill it in.")
        return ""

    def _fault_of_model(self, name: str) -> str:
        path = self._algorithm.parameterAsFile(self._parameters, name, self._context)
        if not os.path.isfile(path):  # noqa: PTH113
            return tr("The model {} does not exist.").format(path) + "\n" + tr("Check the path, or train a model.")
        expected = contents_of_model(path)
        if expected is None:
            return tr("{} is no model of TWINNS, or it is damaged.").format(path) + "\n" + tr("Choose a .twinns file.")
        if STATIC in expected and (fault := self._fault_of_static(path, expected.pop(STATIC))):
            return fault
        for sensor, trained in expected.items():
            layer = self._raster(sensor)
            if layer is None:
                wrong = tr("{} was trained on a {} series too: {}.").format(path, SENSORS[sensor], trained)
                return wrong + "\n" + tr("Choose such a series.")
            found = contents_of_series(layer)
            if found != trained:
                wrong = tr("'{}' has {}; {} was trained on {}.").format(layer.name(), found, path, trained)
                return wrong + "\n" + tr("Prepare the series with the same bands and as many dates.")
        return ""

    def _fault_of_static(self, model: str, trained: Contents) -> str:
        layers = self._algorithm.parameterAsLayerList(self._parameters, STATIC, self._context)
        bands = sum(layer.bandCount() for layer in layers if isinstance(layer, QgsRasterLayer))
        if bands >= len(trained.bands):  # an alpha band is none of them
            return ""
        some = ", ".join(trained.bands[:_SOME]) + (", ..." if len(trained.bands) > _SOME else "")
        wrong = tr("{} was trained on bands without dates too, in number {}: {}. Those given have {}.")
        return wrong.format(model, len(trained.bands), some, bands) + "\n" + tr("Choose such rasters.")

    def _faults_of_outputs(self) -> Iterator[str]:
        """Yields what would be replaced by an output: an input, or another output."""
        taken = {_identity(path) for path in self._files()}
        # Not in our context: QGIS 3.22 would note there that it has a layer to load.
        values = Values(self._algorithm, self._parameters, QgsProcessingContext())
        for name, parameter in self._declared.items():
            path = values.read(name.lower(), parameter) if parameter.output and self._values.given(name) else None
            if path and _identity(path) in taken:
                wrong = tr("{} can't be {}: it is an input, or another output.").format(name, path)
                yield wrong + "\n" + tr("Choose another name.")
            taken |= {_identity(path)} if path else set()

    def _files(self) -> Iterator[str]:
        """Yields the files of all inputs."""
        layers: list[QgsMapLayer | None] = [self._raster(name) for name in self._inputs(kinds.Raster)]
        for name in self._inputs(kinds.Rasters):
            layers += self._algorithm.parameterAsLayerList(self._parameters, name, self._context)
        for name in self._inputs(kinds.Polygons):
            layers.append(self._algorithm.parameterAsVectorLayer(self._parameters, name, self._context))
        yield from filter(None, map(_file_of, layers))
        for name in self._inputs(kinds.FilePath):
            if self._values.given(name) and isinstance(self._parameters[name], str):
                yield self._parameters[name]

    def _inputs(self, kind: type[_Kind]) -> dict[str, _Kind]:
        """Returns the inputs of a kind by name."""
        return {name: item for name, item in self._declared.items() if isinstance(item, kind) and not item.output}

    def _raster(self, name: str) -> QgsRasterLayer | None:
        if not self._values.given(name):
            return None
        return self._algorithm.parameterAsRasterLayer(self._parameters, name, self._context)


def _file_of(layer: QgsMapLayer | None) -> str:
    if layer is None:
        return ""
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
    return viewed_series(layer) or parts.get("path") or ""


def _identity(path: str) -> str:
    """Returns what all names of a file have in common."""
    return os.path.normcase(os.path.realpath(path))
