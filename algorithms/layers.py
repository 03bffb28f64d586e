"""From layers of polygons, as QGIS shows them, to files that the worker can read.

What QGIS alone knows of a layer, such as a filter, a selection, edits, a join or the CRS that the user set, is written
to a copy.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSource,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QTemporaryDir

from .translation import tr

_FORMATS = {".gpkg", ".shp", ".geojson", ".json", ".fgb", ".gml"}
"""Of other formats QGIS and the worker may have different opinions."""
_UNSAFE = re.compile(r"[^\w-]+")
_NAME_LENGTH = 40
"""Longer names of layers are cut in the names of files: Windows allows 260 characters for a path."""
_LAYER_ID = re.compile(r"(.*)_[0-9a-f]{8}_(?:[0-9a-f]{4}_){3}[0-9a-f]{12}")
_UNCHECKED = QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks
"""The worker mends geometries that are not valid."""


def check_there(value: object, parameter: str, context: QgsProcessingContext) -> None:
    """Checks that a layer is still there, however it is given.

    Args:
        value: The layer, its id, or anything else, which is not checked.
        parameter: The parameter that it was chosen for.
        context: The run's context.

    Raises:
        QgsProcessingException: It was removed from the project since it was chosen.
    """
    if isinstance(value, QgsProcessingFeatureSourceDefinition):
        value = value.source.staticValue()
    name = None
    if isinstance(value, QgsMapLayer):
        name = "" if sip.isdeleted(value) else None
    elif isinstance(value, str) and (match := _LAYER_ID.fullmatch(value)):
        name = match[1] if QgsProcessingUtils.mapLayerFromString(value, context, False) is None else None
    if name is not None:
        raise QgsProcessingException(
            tr("The layer '{}' that was chosen for {} is no longer there: it was removed from the project.").format(
                name, parameter
            )
            + "\n"
            + tr("Add it again, and choose it anew.")
        )


def crs_text(crs: QgsCoordinateReferenceSystem) -> str:
    """Returns a CRS as the worker understands it."""
    # Of other authorities, and of the user's own definitions, the worker may know nothing.
    return crs.authid() if crs.authid().startswith("EPSG:") else crs.toWkt()


def absolute(path: str) -> str:
    """Returns an absolute path: the worker's working folder is another."""
    return os.path.abspath(path)  # noqa: PTH100, a link keeps its name


def file_of_polygons(layer: QgsVectorLayer, source: QgsProcessingFeatureSource, fields: Collection[str]) -> str | None:
    """Returns ``path|layername=name`` of a layer whose file holds all that QGIS shows of it, else None.

    Args:
        layer: The layer.
        source: Its features, all of them.
        fields: The fields that are asked for.
    """
    provider = layer.dataProvider()
    place = QgsProviderRegistry.instance().decodeUri("ogr", layer.source())
    path = place.get("path") or ""
    names = layer.fields().names()
    # The worker reads a key, such as a GeoPackage's fid, as the number of a feature and not as a field.
    keys = {names[index] for index in layer.primaryKeyAttributes()}
    if (
        layer.providerType() != "ogr"
        or Path(path).suffix.lower() not in _FORMATS
        or not Path(path).is_file()
        or place.get("openOptions")
        or layer.subsetString()
        or layer.isModified()
        or names != provider.fields().names()
        or not keys.isdisjoint(fields)
        or source.sourceCrs() != provider.crs()
    ):
        return None
    name, number = place.get("layerName"), place.get("layerId")
    if name:
        return f"{absolute(path)}|layername={name}"
    return absolute(path) if number in (None, -1) else f"{absolute(path)}|layerid={number}"


def as_shown(layer: QgsVectorLayer, choice: str) -> str:
    """Returns what a copy of a layer stands for, for people to read.

    Args:
        layer: The layer.
        choice: Which of its features are wanted; empty for all.
    """
    provider = layer.dataProvider()
    said = [choice] if choice else []
    if layer.isModified():
        said.append(tr("unsaved edits"))
    if layer.fields().names() != provider.fields().names():
        said.append(tr("joined or virtual fields"))
    if layer.crs() != provider.crs():
        said.append(layer.crs().authid() or layer.crs().description())
    place = layer.publicSource() if layer.providerType() == "ogr" else layer.name()
    return f"{place} [QGIS: {', '.join(said)}]" if said else place


class Copies:
    """Copies of polygons, and what else the worker reads, for one run, in a folder of their own.

    It lies in that of Processing, which QGIS removes when it ends, and goes before that with `remove`.
    """

    def __init__(self) -> None:
        self._folder: QTemporaryDir | None = None
        self._count = 0

    def write(self, layer: QgsVectorLayer, source: QgsProcessingFeatureSource, fields: Collection[str]) -> str:
        """Writes features with all of their fields to a GeoPackage, and returns ``path|layername=name``.

        Features keep their ids, by which a split knows them again. A GeoPackage does not tell cases apart: a field
        whose name it has already gets an underscore.

        Args:
            layer: The layer.
            source: Its features that are wanted.
            fields: Fields that are asked for, and keep their names.

        Raises:
            QgsProcessingException: They can't be written.
        """
        name = _UNSAFE.sub("_", layer.name())[:_NAME_LENGTH] or "polygons"
        path = self.path(f"{name}.gpkg")
        plan = _Plan(layer, fields)
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.driverName = "GPKG"
        options.layerName = name
        options.layerOptions = [f"FID={plan.key}", f"GEOMETRY_NAME={plan.geometry}"]
        geometry, crs = source.wkbType(), source.sourceCrs()
        nowhere = QgsCoordinateTransformContext()
        writer = QgsVectorFileWriter.create(path, plan.fields, geometry, crs, nowhere, options)
        for feature in plan.features(source):
            if writer.hasError() or not writer.addFeature(feature, QgsFeatureSink.Flag.FastInsert):
                break
        message = writer.errorMessage()
        del writer  # which closes the file
        if message:
            raise QgsProcessingException(
                tr("The layer '{}' can't be written to a temporary file, {}: {}.").format(layer.name(), path, message)
                + "\n"
                + tr("Check that the disk has room, or save the layer as a GeoPackage and use that.")
            )
        return f"{path}|layername={name}"

    def path(self, name: str) -> str:
        """Returns the path of a new file in the folder, with a number before its name."""
        if self._folder is None:
            self._folder = QTemporaryDir(os.path.join(QgsProcessingUtils.tempFolder(), "twinns-XXXXXX"))  # noqa: PTH118
        self._count += 1
        return self._folder.filePath(f"{self._count}-{name}")

    def remove(self) -> None:
        """Removes the copies and their folder."""
        if self._folder is not None:
            self._folder.remove()
            self._folder = None


class _Plan:
    """How the features of a layer become those of a GeoPackage.

    Args:
        layer: The layer.
        wanted: Fields that keep their names.
    """

    def __init__(self, layer: QgsVectorLayer, wanted: Collection[str]) -> None:
        fields = layer.fields()
        # A key repeats the ids, which are kept anyway.
        keys = {index for index in layer.primaryKeyAttributes() if fields[index].name() not in wanted}
        self._sources = [index for index in range(fields.count()) if index not in keys]
        names = _free_names([fields[index].name() for index in self._sources], wanted)
        taken = {name.lower() for name in names}
        self.key, self.geometry = (_free_name(name, taken) for name in ("fid", "geom"))
        self.fields = QgsFields()
        # By their names, as the types of fields have other classes in Qt 6.
        kinds = "None?field=key:int8&field=text:string&field=truth:bool&field=bytes:binary"
        key, text, *simple = QgsVectorLayer(kinds, "", "memory").fields().toList()
        self._as_text = []
        for field, name in zip([key, *(fields[index] for index in self._sources)], [self.key, *names]):
            kept = field.isNumeric() or field.isDateOrTime() or field.type() in {one.type() for one in (text, *simple)}
            copy = QgsField(field if kept else text)
            copy.setName(name)
            self.fields.append(copy)
            self._as_text.append(not kept)

    def features(self, source: QgsProcessingFeatureSource) -> Iterator[QgsFeature]:
        """Yields the features as they are to be written; new ones, which have no id yet, get the next ones."""
        only_ids = QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry).setSubsetOfAttributes([])
        following = max((feature.id() for feature in source.getFeatures(only_ids, _UNCHECKED)), default=0) + 1
        for feature in source.getFeatures(QgsFeatureRequest(), _UNCHECKED):
            number = feature.id()
            if number < 0:
                number, following = following, following + 1
            given = feature.attributes()
            values = [number, *(given[index] for index in self._sources)]
            copy = QgsFeature(self.fields)
            copy.setGeometry(feature.geometry())
            copy.setAttributes([_text(value) if as_text else value for value, as_text in zip(values, self._as_text)])
            yield copy


def _text(value: object) -> object:
    return value if value == NULL or value is None else json.dumps(value, ensure_ascii=False, default=str)


def _free_names(names: list[str], wanted: Collection[str]) -> list[str]:
    """Returns names without two that differ in case alone; of those the wanted ones stay as they are."""
    free: dict[int, str] = {}
    for index in sorted(range(len(names)), key=lambda index: names[index] not in wanted):
        free[index] = _free_name(names[index], {name.lower() for name in free.values()})
    return [free[index] for index in range(len(names))]


def _free_name(name: str, taken: set[str]) -> str:
    while name.lower() in taken:
        name += "_"
    return name
