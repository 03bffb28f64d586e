"""QGIS's styles of rasters (``.qml``), as it takes them from beside a file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

# Writes XML and reads none, which alone is what the check warns of.
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # nosec B405


class Stretched(NamedTuple):
    """A band, and the values that are shown dark and bright, in the band's units."""

    number: int
    dark: float
    bright: float


def style_path(path: Path) -> Path:
    """Returns where QGIS looks for the style of a layer."""
    return path.with_suffix(".qml")


def new_style(kind: str) -> tuple[Element, Element]:
    """Returns a style and its renderer, of a kind that QGIS knows."""
    document = Element("qgis", version="3.22.0", styleCategories="Symbology")
    pipe = SubElement(document, "pipe")
    renderer = SubElement(pipe, "rasterrenderer", type=kind, band="1", opacity="1", alphaBand="-1", nodataColor="")
    SubElement(renderer, "rasterTransparency")
    return document, renderer


def style_text(document: Element) -> str:
    """Returns a style as the text of its file."""
    indent(document)
    return tostring(document, encoding="unicode") + "\n"


def composite_qml(red: Stretched, green: Stretched, blue: Stretched) -> str:
    """Returns the style that shows three bands as red, green and blue."""
    document, renderer = new_style("multibandcolor")
    for color, band in (("red", red), ("green", green), ("blue", blue)):
        renderer.set(f"{color}Band", str(band.number))
        _stretch(SubElement(renderer, f"{color}ContrastEnhancement"), band)
    return style_text(document)


def grey_qml(band: Stretched) -> str:
    """Returns the style that shows a band in greys."""
    document, renderer = new_style("singlebandgray")
    renderer.set("grayBand", str(band.number))
    renderer.set("gradient", "BlackToWhite")
    _stretch(SubElement(renderer, "contrastEnhancement"), band)
    return style_text(document)


def _stretch(enhancement: Element, band: Stretched) -> None:
    SubElement(enhancement, "minValue").text = f"{band.dark:.10g}"
    SubElement(enhancement, "maxValue").text = f"{band.bright:.10g}"
    SubElement(enhancement, "algorithm").text = "StretchToMinimumMaximum"
