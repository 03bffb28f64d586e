"""From the parameters that a job declares to those of QGIS Processing."""

from __future__ import annotations

import math
from collections.abc import Callable

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)
from qgis.core import QgsProcessingParameterDefinition as Definition

from ..twinns_qgis.jobs import parameters as kinds
from .translation import tr

_RASTER = QgsProcessing.SourceType.TypeRaster
_POLYGONS = QgsProcessing.SourceType.TypeVectorPolygon
_POINTS = QgsProcessing.SourceType.TypeVectorPoint
_FOLDER = QgsProcessingParameterFile.Behavior.Folder
_DAY = QgsProcessingParameterDateTime.Type.Date
_WHOLE = QgsProcessingParameterNumber.Type.Integer
_DECIMAL = QgsProcessingParameterNumber.Type.Double


_LARGEST = 2**31 - 1
"""QGIS's boxes of whole numbers hold no larger one: with a larger maximum, they show their smallest."""


def definition_of(name: str, parameter: kinds.Parameter) -> Definition:
    """Returns the parameter of QGIS Processing for one that a job declares."""
    definition = _MAKERS[type(parameter)](parameter, name.upper(), tr(parameter.label))
    definition.setHelp(tr(parameter.help))
    if parameter.default in (None, (), ""):
        definition.setFlags(definition.flags() | Definition.Flag.FlagOptional)
    elif not parameter.required:
        definition.setDefaultValue(list(parameter.default) if parameter.several else parameter.default)
    if parameter.advanced:
        definition.setFlags(definition.flags() | Definition.Flag.FlagAdvanced)
    return definition


def _field(parameter: kinds.Field, name: str, label: str) -> Definition:
    return QgsProcessingParameterField(name, label, parentLayerParameterName=parameter.of.upper())


def _choice(parameter: kinds.Choice, name: str, label: str) -> Definition:
    """Scripts and models hold the word, not its place in the list."""
    definition = QgsProcessingParameterEnum(name, label, options=list(parameter.choices), usesStaticStrings=True)
    show_choices(definition, parameter)
    return definition


def _choices(parameter: kinds.Choices, name: str, label: str) -> Definition:
    return QgsProcessingParameterEnum(
        name, label, options=list(parameter.choices), allowMultiple=True, usesStaticStrings=True
    )


def show_choices(definition: Definition, parameter: kinds.Choice) -> None:
    """Has dialogs show what each word means."""
    labels = {word: tr(text) for word, text in parameter.choices.items()}
    # By its name, as it needs the parts of QGIS that show things, which qgis_process may lack.
    definition.setMetadata({"widget_wrapper": {"class": f"{__package__}.choice_widget.ChoiceWidget", "labels": labels}})


def _number(parameter: kinds.Number, name: str, label: str) -> Definition:
    whole = isinstance(parameter, kinds.WholeNumber)
    definition = QgsProcessingParameterNumber(name, label, _WHOLE if whole else _DECIMAL)
    definition.setMetadata({"widget_wrapper": {"decimals": parameter.decimals}})
    if math.isfinite(parameter.limit.minimum):
        definition.setMinimum(parameter.limit.minimum)
    if parameter.limit.maximum <= _LARGEST:
        definition.setMaximum(parameter.limit.maximum)
    return definition


def _file(parameter: kinds.FilePath, name: str, label: str) -> Definition:
    if parameter.extension:
        return QgsProcessingParameterFile(name, label, extension=parameter.extension)
    # QGIS's own filter, *.*, refuses names without an extension: such are those of programs.
    return QgsProcessingParameterFile(name, label, fileFilter=tr("All files (*)"))


def _file_output(parameter: kinds.FileOutput, name: str, label: str) -> Definition:
    offered = parameter.required or parameter.offered
    return QgsProcessingParameterFileDestination(name, label, tr(parameter.kind), createByDefault=offered)


def _raster_output(parameter: kinds.RasterOutput, name: str, label: str) -> Definition:
    return QgsProcessingParameterRasterDestination(name, label, createByDefault=parameter.required)


def _polygons(parameter: kinds.Polygons, name: str, label: str) -> Definition:
    return QgsProcessingParameterFeatureSource(name, label, [_POLYGONS, _POINTS] if parameter.points else [_POLYGONS])


def _polygons_output(parameter: kinds.PolygonsOutput, name: str, label: str) -> Definition:
    return QgsProcessingParameterVectorDestination(name, label, _POLYGONS, createByDefault=parameter.required)


def _points_output(parameter: kinds.PointsOutput, name: str, label: str) -> Definition:
    return QgsProcessingParameterVectorDestination(name, label, _POINTS, createByDefault=parameter.required)


def _folder_output(parameter: kinds.FolderOutput, name: str, label: str) -> Definition:
    return QgsProcessingParameterFolderDestination(name, label, createByDefault=parameter.required)


_MAKERS: dict[type[kinds.Parameter], Callable[..., Definition]] = {
    kinds.Text: lambda _, name, label: QgsProcessingParameterString(name, label),
    kinds.Extent: lambda _, name, label: QgsProcessingParameterExtent(name, label),
    kinds.Crs: lambda _, name, label: QgsProcessingParameterCrs(name, label),
    kinds.Polygons: _polygons,
    kinds.Field: _field,
    kinds.Choice: _choice,
    kinds.Choices: _choices,
    kinds.Number: _number,
    kinds.WholeNumber: _number,
    kinds.Day: lambda _, name, label: QgsProcessingParameterDateTime(name, label, _DAY),
    kinds.FilePath: _file,
    kinds.DatesTable: _file,
    kinds.ClassesTable: _file,
    kinds.Folder: lambda _, name, label: QgsProcessingParameterFile(name, label, _FOLDER),
    kinds.Raster: lambda _, name, label: QgsProcessingParameterRasterLayer(name, label),
    kinds.Series: lambda _, name, label: QgsProcessingParameterRasterLayer(name, label),
    kinds.Rasters: lambda _, name, label: QgsProcessingParameterMultipleLayers(name, label, _RASTER),
    kinds.FileOutput: _file_output,
    kinds.RasterOutput: _raster_output,
    kinds.PolygonsOutput: _polygons_output,
    kinds.PointsOutput: _points_output,
    kinds.FolderOutput: _folder_output,
}
