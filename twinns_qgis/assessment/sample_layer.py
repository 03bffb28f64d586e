"""The layer of a sample: points to label in QGIS, by a form that offers the map's classes and hides its answer."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

# Writes XML and reads none, which alone is what the check warns of.
from xml.etree.ElementTree import Element, SubElement, tostring  # nosec B405

import geopandas
import numpy as np
import pandas
import pyogrio
import shapely

from twinns_qgis.assessment.sample import Drawn
from twinns_qgis.errors import InputError
from twinns_qgis.files import whole_file
from twinns_qgis.plain_paths import plain_to_write
from twinns_qgis.rasters.grid import Grid

LAYER, CLASS, NOTE = "sample", "class", "note"
_GEOMETRY = "geom"


def check_sample_output(path: Path) -> None:
    """Checks that a sample can be written at `path`.

    Raises:
        InputError: `path` is no GeoPackage.
    """
    if path.suffix.lower() != ".gpkg":
        raise InputError(
            f"The sample can't be written to {path}.", "It is a GeoPackage: choose a name that ends in .gpkg."
        )


def write_sample(path: Path, drawn: Drawn, grid: Grid, classes: Sequence[str]) -> None:
    """Writes points at the centres of pixels, with an empty field ``class`` and a form to fill it.

    What the map shows there is not in it: who labels shall not know. *Assess map* looks it up in the map.

    Args:
        path: The GeoPackage.
        drawn: The pixels, in the order of their numbers.
        grid: The grid of the map.
        classes: What the form offers.

    Raises:
        InputError: It can't be written.
    """
    step_x, step_y = grid.resolution
    points = shapely.points(
        grid.transform.c + (drawn.columns + 0.5) * step_x, grid.transform.f - (drawn.rows + 0.5) * step_y
    )
    empty = np.full(len(drawn), None, dtype=object)
    table = geopandas.GeoDataFrame(
        {
            "id": np.arange(1, len(drawn) + 1),
            CLASS: pandas.Series(empty, dtype="string"),
            NOTE: pandas.Series(empty, dtype="string"),
        },
        geometry=points,
        crs=grid.crs,
    )
    style = pandas.DataFrame(
        [
            {
                "f_table_catalog": "",
                "f_table_schema": "",
                "f_table_name": LAYER,
                "f_geometry_column": _GEOMETRY,
                "styleName": LAYER,
                "styleQML": form_qml(classes),
                "styleSLD": "",
                "useAsDefault": True,
                "description": "Form to label the sample",
                "owner": "",
                "ui": None,
                "update_time": datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0),
            }
        ]
    )
    with whole_file(path) as partial, plain_to_write(partial) as plain, warnings.catch_warnings():
        for message in ("The filename extension should be", ".*non conformant file extension"):
            warnings.filterwarnings("ignore", message=message)  # it will conform, once whole
        table.to_file(plain, driver="GPKG", layer=LAYER, engine="pyogrio", GEOMETRY_NAME=_GEOMETRY, VERSION="1.2")
        # Where QGIS looks for the style of a layer in a GeoPackage.
        pyogrio.write_dataframe(style, plain, driver="GPKG", layer="layer_styles", append=False)


def form_qml(classes: Sequence[str]) -> str:
    """Returns the QGIS style of a sample: small crosses, and a form with a list of the classes."""
    document = Element("qgis", version="3.22.0", styleCategories="Symbology|Fields|Forms")
    renderer = SubElement(document, "renderer-v2", type="singleSymbol", enableorderby="0", forceraster="0")
    symbol = SubElement(SubElement(renderer, "symbols"), "symbol", type="marker", name="0", alpha="1")
    layer = SubElement(symbol, "layer", {"class": "SimpleMarker", "enabled": "1", "locked": "0"})
    looks = {
        "name": "square",
        "color": "0,0,0,0",
        "outline_color": "204,51,17,255",
        "outline_width": "0.5",
        "size": "4",
    }
    options = SubElement(layer, "Option", type="Map")
    for name, value in looks.items():
        SubElement(options, "Option", type="QString", name=name, value=value)
    fields = SubElement(document, "fieldConfiguration")
    _widget(fields, "fid", "Hidden")
    _widget(fields, "id", "Range")
    own = _widget(fields, CLASS, "ValueMap")
    entries = SubElement(own, "Option", type="List", name="map")
    for item in classes:
        SubElement(SubElement(entries, "Option", type="Map"), "Option", type="QString", name=item, value=item)
    _widget(fields, NOTE, "TextEdit")
    editable = SubElement(document, "editable")
    for name, can_be in (("id", "0"), (CLASS, "1"), (NOTE, "1")):
        SubElement(editable, "field", name=name, editable=can_be)
    SubElement(document, "layerGeometryType").text = "0"
    return tostring(document, encoding="unicode")


def _widget(fields: Element, name: str, kind: str) -> Element:
    """Adds the widget of a field; returns its options."""
    config = SubElement(SubElement(SubElement(fields, "field", name=name), "editWidget", type=kind), "config")
    return SubElement(config, "Option", type="Map")
