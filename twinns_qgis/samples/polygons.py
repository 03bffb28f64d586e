"""Polygons or points with a class, read from a vector file and grouped into objects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import geopandas
import numpy as np
import pandas
import pyogrio
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from shapely import MultiPoint, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from twinns_qgis.errors import InputError
from twinns_qgis.files import files_of
from twinns_qgis.plain_paths import plain_to_read
from twinns_qgis.samples.classes import MAX_CLASSES, Label

_GEOMETRY_TYPE = re.compile(r"\|(geometrytype|uniquegeometrytype)=\w*", re.IGNORECASE)
"""What QGIS writes, even behind a filter, of the geometries of a layer. Only polygons are read anyway."""

_ASSIGN = (
    "Assign the one in which it was drawn: in QGIS right-click on the layer, Layer CRS, Set Layer CRS, else ogr2ogr "
    "-a_srs EPSG:code NEW OLD."
)

_OR_POINTS = ", or of points, each of which labels the pixel below it"

PARTS = ("train", "validation", "test")
"""The parts of a split."""


@dataclass(frozen=True)
class LabelledPolygons:
    """Polygons, or points, that have a class.

    Args:
        source: Where they came from, for messages.
        table: One row a polygon, indexed by feature id, with the source's columns and geometry.
        labels: What the class field holds of each polygon.
        objects: Index of the object of each polygon, shape (polygons,): polygons with the same index are one object.
        parts: For each object its part of the split, or None if the source does not say.
        without_class: Number of polygons left out because their class is null or empty.
        without_polygon: Number of features left out because they have no polygon or point that can be read.
        spellings: How often each name of a class stands in the class field, with the spaces that it has there.
        all_polygons: The table with the polygons that were left out.
    """

    source: str
    table: geopandas.GeoDataFrame
    labels: Sequence[Label]
    objects: NDArray[np.int64]
    parts: NDArray[np.str_] | None
    without_class: int
    without_polygon: int
    spellings: Mapping[str, int]
    all_polygons: geopandas.GeoDataFrame

    @property
    def object_labels(self) -> list[Label]:
        """The label of each object."""
        _, first = np.unique(self.objects, return_index=True)
        return [self.labels[index] for index in first]


def read_polygons(
    source: str, class_field: str, object_field: str | None = None, split_field: str | None = None
) -> LabelledPolygons:
    """Reads the polygons, or points, of a vector file with their classes, grouped into objects.

    Args:
        source: A vector file, or ``file|layername=name|subset=condition`` as QGIS writes it.
        class_field: Field that holds the class, as text or whole number; polygons where it is null or empty are left
            out and counted.
        object_field: Field whose equal values make one object of several polygons; without it, and where it is null or
            empty, each polygon is one.
        split_field: Field that holds ``train``, ``validation`` or ``test``; polygons where it is null or empty are left
            out.

    Raises:
        InputError: The file, the layer or a field is missing, there is no CRS or no polygon, there are fewer than two
            classes or more than a map holds, or an object has two classes or two parts.

    Example:
        >>> polygons = read_polygons("polygons.gpkg|layername=fields", class_field="name")
        >>> sorted(set(polygons.object_labels))
        ['water', 'wheat', 'wood']
    """
    table, without_polygon = read_table(source, points=True)
    all_polygons = table
    for field in (class_field, object_field, split_field):
        if field is not None and field not in table.columns:
            names = ", ".join(name for name in table.columns if name != table.geometry.name)
            raise InputError(f"{source} has no field '{field}'.", f"Its fields are {names}.")
    labels = _labels(table[class_field])
    labelled = labels.notna().to_numpy(copy=True)
    if not labelled.any():
        raise InputError(f"The class field '{class_field}' of {source} is empty.", "Fill it, or choose another field.")
    without_class = int((~labelled).sum())
    if split_field is not None:
        labelled &= _labels(table[split_field]).notna().to_numpy()
        if not labelled.any():
            raise InputError(
                f"No polygon of {source} has a class in '{class_field}' and a part in the split field '{split_field}'.",
                f"Fill it with {', '.join(PARTS)}, or give no SPLIT_FIELD, so that the split is drawn.",
            )
    table, labels = table[labelled], labels[labelled]
    distinct = sorted(set(labels), key=str)
    if len(distinct) < 2:
        where = "" if split_field is None else f" where the split field '{split_field}' names a part"
        raise InputError(
            f"The class field '{class_field}' of {source} holds 1 class{where}, '{distinct[0]}'.",
            "At least two classes are needed to tell apart.",
        )
    if len(distinct) > MAX_CLASSES:
        raise InputError(
            f"The class field '{class_field}' of {source} has {len(distinct)} different values, such as "
            f"{_quoted(distinct)}; a map holds at most {MAX_CLASSES} classes.",
            "Choose the field that holds the class, not an identifier.",
        )
    objects = _objects(table, object_field)
    _check_one_per_object(source, objects, table, labels, f"classes in '{class_field}'", object_field)
    parts = None
    if split_field is not None:
        parts = _parts(source, table, split_field, objects, object_field)
    return LabelledPolygons(
        source=source,
        table=table,
        labels=tuple(labels),
        objects=objects,
        parts=parts,
        without_class=without_class,
        without_polygon=without_polygon,
        spellings=Counter(map(str, table[class_field])),
        all_polygons=all_polygons,
    )


class VectorSource(NamedTuple):
    """Where polygons are.

    Args:
        path: The file.
        layer: The layer's name, or its number in the file; None where none is given.
        subset: The condition, in the SQL of the file's format, of the polygons that count; None for all.
    """

    path: Path
    layer: str | int | None
    subset: str | None


def split_source(source: str) -> VectorSource:
    """Splits ``file|layername=name|layerid=number|subset=condition``, of which all but the file may be missing.

    Raises:
        InputError: There is another option, or the layer's number is none.
    """
    # The condition comes last, and may hold a bar itself.
    place, _, subset = _GEOMETRY_TYPE.sub("", source).partition("|subset=")
    parts = place.split("|")
    # A name of a file may hold a bar, too.
    heads = {count: "|".join(parts[:count]) for count in range(len(parts), 0, -1)}
    count = next((count for count, head in heads.items() if Path(head).exists()), 1)
    path, options = heads[count], parts[count:]
    layer: str | int | None = None
    for option in options:
        name, _, value = option.partition("=")
        if name == "layername":
            layer = value or None
        elif name == "layerid" and value.isdecimal():
            layer = int(value) if layer is None else layer
        else:
            raise InputError(
                f"The polygons {source} have an unknown option, '{option}'.",
                "Known are file|layername=name, file|layerid=number, and |subset=condition behind them.",
            )
    return VectorSource(Path(path), layer, subset or None)


def read_table(source: str, *, points: bool = False) -> tuple[geopandas.GeoDataFrame, int]:
    """Returns the polygons of a vector file, with their fields, and how many features have none that can be read.

    Polygons in geometry collections, as a clip leaves them, become multipolygons. Surfaces of triangles can't be read,
    nor can curves in collections.

    Args:
        source: A vector file, or ``file|layername=name|subset=condition`` as QGIS writes it.
        points: Whether the points of a layer without polygons are taken instead.

    Raises:
        InputError: The file or the layer is missing, the condition is wrong, there is no CRS or no polygon.
    """
    choose = f"Choose a layer of polygons{_OR_POINTS if points else ''}."
    path, layer, subset = split_source(source)
    if not path.exists():
        raise InputError(f"The polygons {path} do not exist.", "Check the path.")
    try:
        with plain_to_read(path) as plain:
            table = _read(plain, _only_layer(plain) if layer is None else layer, subset)
    except (DataSourceError, DataLayerError, ValueError) as error:  # a wrong condition is the one or the other
        what = str(path) if layer is None else f"layer '{layer}' of {path}"
        hint = f"Check that QGIS opens them{f', and the condition {subset}' if subset else ''}."
        raise InputError(f"The polygons in {what} can't be read: {error}.", hint) from error
    if not isinstance(table, geopandas.GeoDataFrame):
        raise InputError(f"{source} has no geometry.", choose)
    if table.crs is None:
        raise InputError(f"{source} has no coordinate reference system.", _ASSIGN)
    for kind in (Polygon, Point) if points else (Polygon,):
        # Points count in layers of points alone: beside polygons they are what a clip leaves of corners.
        own = table.geometry.map(partial(_parts_of, kind), na_action="ignore")
        if own.notna().any():
            table = table.set_geometry(own, crs=table.crs)
            return table[own.notna()], int(own.isna().sum())
    what = "polygons or points" if points else "polygons"
    found = ", ".join(sorted(set(table.geom_type.dropna()))) or "none"
    raise InputError(f"{source} holds no {what}; its geometries: {found}.", choose)


def _parts_of(kind: type[Polygon | Point], geometry: BaseGeometry) -> BaseGeometry | None:
    """Returns what a geometry has of polygons or points: itself, or parts of a collection; None if it has none."""
    several = {Polygon: MultiPolygon, Point: MultiPoint}[kind]
    if isinstance(geometry, (kind, several)):
        return None if geometry.is_empty else geometry
    try:
        parts = [_parts_of(kind, part) for part in getattr(geometry, "geoms", ())]
    except NotImplementedError:  # a curve, which GDAL straightens outside of collections alone
        return None
    single = [one for part in parts if part is not None for one in getattr(part, "geoms", (part,))]
    return several(single) if single else None


def _read(path: Path, layer: str | int, subset: str | None) -> pandas.DataFrame:
    """Reads a layer; texts whose encoding nothing tells as UTF-8 if they are, which others practically never are."""

    def read(**encoding: str) -> pandas.DataFrame:
        return geopandas.read_file(
            path, layer=layer, where=subset, engine="pyogrio", fid_as_index=True, on_invalid="fix", **encoding
        )

    with suppress(UnicodeDecodeError):
        if not _tells_encoding(path, layer):
            return read(encoding="UTF-8")
    return read()


def _tells_encoding(path: Path, layer: str | int) -> bool:
    """Returns whether a file tells the encoding of its texts.

    A shapefile does so in a ``.cpg`` file or by the code page in the header of its ``.dbf``, but for the one that
    programs write without thinking (87, ANSI).

    Source: ESRI, "ESRI Shapefile Technical Description" (1998); dBASE, "Table File Structure".
    """
    if pyogrio.read_info(path, layer=layer)["encoding"] != "UTF-8":  # which GDAL translates all that it knows to
        return False
    beside = {file.suffix.lower(): file for file in files_of(path)}
    if path.suffix.lower() != ".shp" or ".cpg" in beside or ".dbf" not in beside:
        return True
    with beside[".dbf"].open("rb") as table:
        return table.read(30)[29:] != b"\x57"


def _only_layer(path: Path) -> str:
    layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if len(layers) > 1:
        raise InputError(f"{path} has the layers {', '.join(layers)}.", "Name one: file|layername=name.")
    return layers[0] if layers else ""


def _labels(column: pandas.Series) -> pandas.Series:
    """Returns labels as text or int, None where they are null or empty.

    Whole numbers that the format or a null among them turned into decimals are whole numbers again.
    """

    def label(value: object) -> object:
        if value is None or value is pandas.NA or value != value:
            return None
        if isinstance(value, (bool, np.bool_)):
            return str(value)
        if isinstance(value, (int, np.integer)):
            return int(value)
        if isinstance(value, (float, np.floating)) and float(value).is_integer():
            return int(value)
        return str(value).strip() or None

    return pandas.Series([label(value) for value in column], index=column.index, dtype=object)


def _objects(table: geopandas.GeoDataFrame, object_field: str | None) -> NDArray[np.int64]:
    """Numbers the objects in the order of their names, so that a split does not depend on the order of features."""
    # Each with whether the field gives it, where an object may be called "feature 7" too.
    names: list[tuple[object, bool]] = [(f"feature {fid}", False) for fid in table.index]
    if object_field is not None:
        named = _labels(table[object_field]).notna()  # else such a polygon stands for itself
        values = zip(names, table[object_field], named, strict=True)
        names = [(value, True) if has_name else own for own, value, has_name in values]
    in_order = sorted(set(names), key=lambda name: (str(name[0]), name[1]))
    numbers = {name: number for number, name in enumerate(in_order)}
    return np.array([numbers[name] for name in names], np.int64)


def _parts(
    source: str,
    table: geopandas.GeoDataFrame,
    split_field: str,
    objects: NDArray[np.int64],
    object_field: str | None,
) -> NDArray[np.str_]:
    unknown = sorted({str(value) for value in table[split_field]} - set(PARTS))
    if unknown:
        raise InputError(
            f"The split field '{split_field}' of {source} holds {_quoted(unknown)}.",
            f"Its values must be {', '.join(PARTS)}, or null to leave a polygon out.",
        )
    _check_one_per_object(source, objects, table, table[split_field], f"parts in '{split_field}'", object_field)
    _, first = np.unique(objects, return_index=True)
    return table[split_field].to_numpy().astype(str)[first]


def _check_one_per_object(
    source: str,
    objects: NDArray[np.int64],
    table: geopandas.GeoDataFrame,
    values: pandas.Series,
    what: str,
    object_field: str | None,
) -> None:
    if object_field is None:
        return
    several = pandas.Series(values.to_numpy()).groupby(objects).nunique()
    mixed = several.index[several > 1]
    if len(mixed):
        names = table[object_field].to_numpy()[np.isin(objects, mixed)]
        listed = _quoted(sorted({str(name) for name in names}))
        raise InputError(
            f"{len(mixed)} objects of {source} have several {what}: '{object_field}' {listed}.",
            "All polygons of an object need the same value.",
        )


def _quoted(values: Sequence[object]) -> str:
    """Returns the first five values for a message."""
    return ", ".join(f"'{value}'" for value in values[:5])
