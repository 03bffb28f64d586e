"""How GIS programs show the maps: QGIS styles (``.qml``) and GDAL's auxiliary metadata (``.aux.xml``).

QGIS 3.22 takes exact classes from the style alone, QGIS from 3.40 and other programs from the raster attribute table.
"""

from __future__ import annotations

from collections.abc import Sequence

# Writes XML and reads none, which alone is what the check warns of.
from xml.etree.ElementTree import Element, SubElement  # nosec B405

from twinns_qgis.rasters.qgis_style import new_style, style_text
from twinns_qgis.samples.classes import LandCoverClass

RGB = tuple[int, int, int]

# GDAL's names for the use and the type of a column (GDALRATFieldUsage and GDALRATFieldType in gdal.h).
_USE_NAME, _USE_VALUE, _USE_RED, _USE_GREEN, _USE_BLUE = 2, 5, 6, 7, 8
_INTEGER, _TEXT = 0, 2
_COLUMNS = (
    ("Value", _INTEGER, _USE_VALUE),
    ("Class", _TEXT, _USE_NAME),
    ("Red", _INTEGER, _USE_RED),
    ("Green", _INTEGER, _USE_GREEN),
    ("Blue", _INTEGER, _USE_BLUE),
)

# One hue from light to dark, so that percentages read the same in print and to the colour-blind.
FOR = ("#f7fbff", "#c6dbef", "#6baed6", "#2171b5", "#08306b")
"""Colours of 0, 25, 50, 75 and 100 percent of what speaks for a class."""
AGAINST = ("#fff7ec", "#fdd49e", "#fc8d59", "#d7301f", "#7f0000")
"""Those of what speaks against it: nobody is to take doubt for confidence."""


def rgb(color: str) -> RGB:
    """Returns red, green and blue, 0 to 255, of a colour ``#rrggbb``."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def paletted_qml(classes: Sequence[LandCoverClass]) -> str:
    """Returns the QGIS style of a map: one legend entry a class, no data transparent."""
    document, renderer = new_style("paletted")
    palette = SubElement(renderer, "colorPalette")
    for item in classes:
        SubElement(palette, "paletteEntry", value=str(item.code), label=item.name, color=item.color, alpha="255")
    return style_text(document)


def agreement_qml(agree: int, disagree: int) -> str:
    """Returns the QGIS style of the sensors' classes: grey where they agree and red where not, by the last band."""
    document, renderer = new_style("paletted")
    renderer.set("band", "3")
    palette = SubElement(renderer, "colorPalette")
    for value, label, color in ((agree, "the sensors agree", "#d9dee3"), (disagree, "they disagree", "#cc3311")):
        SubElement(palette, "paletteEntry", value=str(value), label=label, color=color, alpha="255")
    return style_text(document)


def percent_qml(colors: Sequence[str] = FOR) -> str:
    """Returns the QGIS style of percentages: the first band from light (0) to dark (100).

    Args:
        colors: Those of 0, 25, 50, 75 and 100 percent.
    """
    document, renderer = new_style("singlebandpseudocolor")
    renderer.set("classificationMin", "0")
    renderer.set("classificationMax", "100")
    shader = SubElement(SubElement(renderer, "rastershader"), "colorrampshader")
    for name, value in (
        ("colorRampType", "INTERPOLATED"),
        ("classificationMode", "1"),  # continuous: as many classes as the ramp has colours
        ("minimumValue", "0"),
        ("maximumValue", "100"),
        ("clip", "0"),
    ):
        shader.set(name, value)
    for percent, color in zip(range(0, 101, 25), colors, strict=True):
        SubElement(shader, "item", value=str(percent), label=f"{percent} %", color=color, alpha="255")
    return style_text(document)


def pam_aux_xml(classes: Sequence[LandCoverClass], bands: int = 1) -> str:
    """Returns what GDAL reads from ``.aux.xml``: category names from code 0, and the raster attribute table.

    Args:
        classes: The classes.
        bands: How many of the first bands hold their codes.
    """
    document = Element("PAMDataset")
    for number in range(1, bands + 1):
        _name_classes(SubElement(document, "PAMRasterBand", band=str(number)), classes)
    return style_text(document)


def _name_classes(band: Element, classes: Sequence[LandCoverClass]) -> None:
    names = {0: "no data", **{item.code: item.name for item in classes}}
    categories = SubElement(band, "CategoryNames")
    for code in range(max(names) + 1):
        SubElement(categories, "Category").text = names.get(code, "")
    table = SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    for index, (name, kind, use) in enumerate(_COLUMNS):
        column = SubElement(table, "FieldDefn", index=str(index))
        SubElement(column, "Name").text = name
        SubElement(column, "Type").text = str(kind)
        SubElement(column, "Usage").text = str(use)
    for index, item in enumerate(classes):
        row = SubElement(table, "Row", index=str(index))
        for value in (item.code, item.name, *rgb(item.color)):
            SubElement(row, "F").text = str(value)
