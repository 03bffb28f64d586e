"""The layer that gives the polygons back with their part of the split."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas

from twinns_qgis.errors import InputError
from twinns_qgis.files import whole_file
from twinns_qgis.plain_paths import plain_to_write
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.polygons import LabelledPolygons


def write_split(path: Path, polygons: LabelledPolygons, samples: LabelledSamples) -> None:
    """Writes all polygons with a column ``split`` that holds their part, null for those left out.

    A field called ``split`` gives way. One whose name the GeoPackage needs itself, ``fid`` or ``geom``, or that differs
    from another one's in its case alone, gets an underscore.

    Raises:
        InputError: `path` is no GeoPackage.
    """
    check_split_output(path)
    parts = pandas.Series(samples.object_parts[polygons.objects], polygons.table.index, dtype=object)
    table = polygons.all_polygons
    table = table.drop(columns=[name for name in table.columns if name.lower() == "split"])
    fields = [name for name in table.columns if name != table.geometry.name]
    table = table.rename(columns=_free_names(fields, {"fid", "geom", "split"})).assign(split=parts[parts != ""])
    with whole_file(path) as partial, plain_to_write(partial) as plain, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The filename extension should be")  # it will be, once whole
        table.to_file(plain, driver="GPKG", layer="split", engine="pyogrio", VERSION="1.2")


def _free_names(names: Sequence[str], taken: set[str]) -> dict[str, str]:
    """Returns the names, with underscores where one is taken: a GeoPackage does not tell cases apart."""
    free = {}
    for name in names:
        free[name] = name
        while free[name].lower() in taken:
            free[name] += "_"
        taken = {*taken, free[name].lower()}
    return free


def check_split_output(path: Path) -> None:
    """Checks that the split can be written at `path`.

    Raises:
        InputError: `path` is no GeoPackage.
    """
    if path.suffix.lower() != ".gpkg":
        raise InputError(
            f"The split can't be written to {path}.", "It is a GeoPackage: choose a name that ends in .gpkg."
        )
