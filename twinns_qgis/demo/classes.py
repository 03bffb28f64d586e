"""The eleven classes, four pairs of which only one cue each tells apart (docs/demo-site.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from twinns_qgis.demo.acquisitions import MIDPOINT_DAY
from twinns_qgis.demo.phenology import Curve, Season
from twinns_qgis.demo.surfaces import Surface
from twinns_qgis.samples.classes import LandCoverClass, classes_of


class Pattern(Enum):
    """How the surfaces of a class lie within one object."""

    PLAIN = "one surface everywhere"
    ROWS = "two surfaces in turn, in rows one pixel wide"
    SCATTERED = "two surfaces, two pixels each of every 2 x 2, at random"
    HOUSES = "two surfaces in blocks smaller than a pixel, at random"


@dataclass(frozen=True)
class DemoClass:
    """A class of the simulated site.

    Args:
        land_cover: Code, name and colour.
        pattern: How its surfaces lie.
        surfaces: One surface, or the two of a pattern.
    """

    land_cover: LandCoverClass
    pattern: Pattern
    surfaces: tuple[Surface, ...]


_GRASS = ("grass", Curve(0.45, (Season(75, 325, 0.40, 14),)))

MARGIN = Surface("straw", Curve(-11.5), Curve(-18.0, (Season(75, 325, 1.5, 14),)), (_GRASS,))
"""Grass strips between the fields, and the ground of meadows."""

ROAD = Surface("asphalt", Curve(-13.0), Curve(-20.0))

_WATER = Surface("water", Curve(-19.5), Curve(-27.0))
_HOUSES = Surface("roofs", Curve(-2.5), Curve(-10.5))
_GARDENS = Surface("soil", Curve(-9.5), Curve(-15.5), (_GRASS,))

_LEAFY = (("leaves", Curve(0.12, (Season(112, 298, 0.73),))),)
_FOREST = Surface("litter", Curve(-9.5), Curve(-15.0, (Season(112, 298, 0.8),)), _LEAFY)
# Water under the crowns from autumn to spring: trunk and water reflect twice, most in VV. From above, leaves hide it.
_FLOODED = replace(_FOREST, vv=Curve(-5.5, (Season(125, 305, -4.0, 12),)), vh=Curve(-13.5, (Season(112, 298, -0.7),)))

_WINTER_GREEN = Season(-40, 188, 0.40, 12)
_SPRING_GROWTH = Season(88, 186, 0.45)
_REGROWTH = Season(262, 420, 0.40, 12)
_RAPESEED = Surface(
    "soil",
    Curve(-10.5, (Season(95, 188, 1.5),)),
    Curve(-18.5, (Season(88, 188, 4.5), Season(262, 420, 1.5, 12))),
    (
        ("crop", Curve(0.0, (_WINTER_GREEN, _SPRING_GROWTH, _REGROWTH))),
        ("yellow flowers", Curve(0.0, (Season(104, 138, 0.50, 5),))),
        ("straw", Curve(0.0, (Season(190, 235, 0.6),))),
    ),
)
_WINTER_PEA = replace(
    _RAPESEED,
    covers=(
        ("legume", Curve(0.0, (_WINTER_GREEN, _SPRING_GROWTH, _REGROWTH))),
        ("straw", Curve(0.0, (Season(190, 235, 0.6),))),
    ),
)

_EARLY_CROP = Surface(
    "soil",
    Curve(-10.0, (Season(88, 162, -4.0, 8), Season(214, 288, -2.4, 8))),
    Curve(-18.5, (Season(88, 162, 3.0, 8), Season(214, 288, 1.8, 8))),
    (("crop", Curve(0.04, (Season(88, 162, 0.80, 8), Season(214, 288, 0.48, 8)))),),
)
_LATE_CROP = _EARLY_CROP.mirrored(MIDPOINT_DAY)

_TREE_ROW = Surface(
    "straw",
    Curve(-8.0),
    Curve(-13.5, (Season(100, 310, 0.8),)),
    (("leaves", Curve(0.20, (Season(100, 310, 0.55),))), ("grass", Curve(0.12, (Season(75, 325, 0.10, 14),)))),
)
_GRASS_STRIP = Surface(
    "straw",
    Curve(-11.5),
    Curve(-18.0, (Season(100, 310, 0.8),)),
    (("leaves", Curve(0.03, (Season(100, 310, 0.08),))), ("grass", Curve(0.40, (Season(75, 325, 0.35, 14),)))),
)

_GROUND = {
    "water": (Pattern.PLAIN, (_WATER,)),
    "built-up": (Pattern.HOUSES, (_HOUSES, _GARDENS)),
    "broadleaf forest": (Pattern.PLAIN, (_FOREST,)),
    "flooded forest": (Pattern.PLAIN, (_FLOODED,)),
    "meadow": (Pattern.PLAIN, (MARGIN,)),
    "rapeseed": (Pattern.PLAIN, (_RAPESEED,)),
    "winter pea": (Pattern.PLAIN, (_WINTER_PEA,)),
    "early crop": (Pattern.PLAIN, (_EARLY_CROP,)),
    "late crop": (Pattern.PLAIN, (_LATE_CROP,)),
    "orchard": (Pattern.ROWS, (_TREE_ROW, _GRASS_STRIP)),
    "scrub": (Pattern.SCATTERED, (_TREE_ROW, _GRASS_STRIP)),
}

CLASSES = tuple(DemoClass(land_cover, *_GROUND[str(name)]) for name, land_cover in classes_of(_GROUND).items())
"""The classes, by code: code c is ``CLASSES[c - 1]``.

Codes and colours are those that a model trained on the names gives them, so that its map can be laid beside the truth.
"""

CODES = {item.land_cover.name: item.land_cover.code for item in CLASSES}
"""The code of each class."""

RADAR_PAIR = CODES["broadleaf forest"], CODES["flooded forest"]
"""Codes of the classes that only Sentinel-1 tells apart."""

OPTICAL_PAIR = CODES["rapeseed"], CODES["winter pea"]
"""Codes of the classes that only Sentinel-2 tells apart."""

ORDER_PAIR = CODES["early crop"], CODES["late crop"]
"""Codes of the classes that only the order of the dates tells apart."""

SURROUNDINGS_PAIR = CODES["orchard"], CODES["scrub"]
"""Codes of the classes that only the surroundings of a pixel tell apart."""
