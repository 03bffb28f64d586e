"""Parameters as this plugin declares them: each with its help, and named after the job's field."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)
from qgis.core import QgsProcessingParameterDefinition as Definition

from .translation import tr


def helped(definition: Definition, text: str) -> Definition:
    """Gives a parameter its help."""
    definition.setHelp(text)
    return definition


def advanced(definition: Definition) -> Definition:
    """Moves a parameter to the dialog's advanced ones."""
    definition.setFlags(definition.flags() | Definition.Flag.FlagAdvanced)
    return definition


def raster(name: str, label: str, text: str, *, optional: bool = False) -> Definition:
    """Declares a raster layer."""
    return helped(QgsProcessingParameterRasterLayer(name, label, optional=optional), text)


def rasters(name: str, label: str, text: str) -> Definition:
    """Declares any number of raster layers, or none."""
    kind = QgsProcessing.SourceType.TypeRaster
    return helped(QgsProcessingParameterMultipleLayers(name, label, kind, optional=True), text)


def raster_output(name: str, label: str, text: str, *, optional: bool = False) -> Definition:
    """Declares a raster to write; an optional one is not written by default."""
    definition = QgsProcessingParameterRasterDestination(name, label, optional=optional, createByDefault=not optional)
    return helped(definition, text)


def file(name: str, label: str, text: str, extension: str, *, optional: bool = False) -> Definition:
    """Declares a file to read."""
    kind = QgsProcessingParameterFile.Behavior.File
    return helped(QgsProcessingParameterFile(name, label, kind, extension, optional=optional), text)


def polygons(name: str, label: str, text: str) -> Definition:
    """Declares a layer of polygons, or none."""
    kinds = [QgsProcessing.SourceType.TypeVectorPolygon]
    return helped(QgsProcessingParameterFeatureSource(name, label, kinds, optional=True), text)


def folder(name: str, label: str, text: str) -> Definition:
    """Declares a folder to read, or none."""
    kind = QgsProcessingParameterFile.Behavior.Folder
    return helped(QgsProcessingParameterFile(name, label, kind, optional=True), text)


def day(name: str, label: str, text: str) -> Definition:
    """Declares a date, or none."""
    kind = QgsProcessingParameterDateTime.Type.Date
    return helped(QgsProcessingParameterDateTime(name, label, kind, optional=True), text)


def extent(name: str, label: str, text: str) -> Definition:
    """Declares an extent, or none."""
    return helped(QgsProcessingParameterExtent(name, label, optional=True), text)


def crs(name: str, label: str, text: str) -> Definition:
    """Declares a coordinate reference system, or none."""
    return helped(QgsProcessingParameterCrs(name, label, optional=True), text)


def report(text: str) -> Definition:
    """Declares REPORT, which several jobs write."""
    kind = tr("HTML files (*.html)")
    definition = QgsProcessingParameterFileDestination(
        "REPORT", tr("Report"), kind, optional=True, createByDefault=True
    )
    return helped(definition, text)


def choice(name: str, label: str, text: str, options: Sequence[str], default: str) -> Definition:
    """Declares one of several words: scripts and models hold the word, not its place in the list."""
    definition = QgsProcessingParameterEnum(
        name, label, options=list(options), defaultValue=default, usesStaticStrings=True
    )
    return helped(definition, text)


def whole_number(name: str, label: str, text: str, default: int, minimum: int = 0) -> Definition:
    """Declares a whole number."""
    kind = QgsProcessingParameterNumber.Type.Integer
    return helped(QgsProcessingParameterNumber(name, label, kind, default, minValue=minimum), text)


def number(
    name: str, label: str, text: str, default: float | None, minimum: float, maximum: float | None = None
) -> Definition:
    """Declares a number; without a default, one that need not be given."""
    kind = QgsProcessingParameterNumber.Type.Double
    definition = QgsProcessingParameterNumber(name, label, kind, default, optional=default is None, minValue=minimum)
    if maximum is not None:
        definition.setMaximum(maximum)
    return helped(definition, text)


def memory() -> Definition:
    """Declares MEMORY, which several jobs have."""
    return advanced(whole_number("MEMORY", tr("Memory (MB)"), tr("Memory to use, in MB."), 2048, minimum=1))


def device() -> Definition:
    """Declares DEVICE, which the jobs with a network have."""
    return advanced(choice("DEVICE", tr("Device"), tr("Where to compute."), ("auto", "cpu", "gpu"), "auto"))


def dates_table() -> Definition:
    """Declares DATES, which the jobs that prepare have."""
    text = tr("CSV table with columns file and date, for files without a date.")
    return advanced(file("DATES", tr("Table of dates"), text, "csv", optional=True))


def scheduler() -> Definition:
    """Declares SCHEDULER, which jobs have that work block by block."""
    text = tr(
        "Address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers do the work; by default this machine."
    )
    return advanced(helped(QgsProcessingParameterString("SCHEDULER", tr("Dask scheduler"), optional=True), text))
