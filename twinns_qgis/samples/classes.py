"""Land cover classes: a code, a name and a colour each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from twinns_qgis.json_object import JsonObject
from twinns_qgis.samples.palette import colors_of

Label: TypeAlias = str | int
"""What the class field holds."""

MAX_CLASSES = 254
"""A map's codes are 1 to 254: 0 is no data, 255 is left free for no data of percentages."""

_COLOR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class LandCoverClass:
    """A class of a land cover map.

    Args:
        code: Its value in the map, 1 to 254.
        name: Its name in the legend.
        color: Its colour, ``#rrggbb``.
    """

    code: int
    name: str
    color: str

    @classmethod
    def from_json(cls, values: Any) -> LandCoverClass:
        """Reads the fields of a class, as `dataclasses.asdict` gives them.

        Raises:
            ValueError: One is missing, or none that can stand there; the message says so in words.
        """
        own = JsonObject(values, "class")
        code, color = own.whole_number("code", least=1, most=MAX_CLASSES), own.text("color")
        if not is_color(color):
            raise ValueError(f"There is no colour '{color}'.")
        return cls(code, own.text("name"), color)


def is_color(text: str) -> bool:
    """Returns whether a text is a colour ``#rrggbb``."""
    return _COLOR.fullmatch(text) is not None


def classes_of(labels: Iterable[Label]) -> dict[Label, LandCoverClass]:
    """Returns the class of each label, in the order of their codes.

    Whole numbers from 1 to 254 are the codes themselves; if there is any other label, all are numbered 1 to K in the
    order of their names. Their colours are those that their names mean; see `colors_of`.

    Args:
        labels: At most 254 different ones.
    """
    distinct = set(labels)
    codes: dict[Label, int] = {
        label: label for label in distinct if isinstance(label, int) and 1 <= label <= MAX_CLASSES
    }
    if len(codes) < len(distinct):
        codes = {label: code for code, label in enumerate(sorted(distinct, key=str), start=1)}
    ordered = sorted(codes, key=codes.__getitem__)
    names = [str(label) for label in ordered]
    colors = zip(ordered, names, colors_of(names), strict=True)
    return {label: LandCoverClass(codes[label], name, color) for label, name, color in colors}


def alike(names: Mapping[str, int]) -> list[dict[str, int]]:
    """Returns the names that differ in case, spaces or accents alone, in groups.

    Args:
        names: How often each is used.

    Example:
        >>> alike({"maize": 4, "Maïze ": 1, "wheat": 2})
        [{'maize': 4, 'Maïze ': 1}]
    """
    groups: dict[str, dict[str, int]] = {}
    for name, count in names.items():
        letters = unicodedata.normalize("NFKD", name.casefold())
        bare = "".join(letter for letter in letters if not (unicodedata.combining(letter) or letter.isspace()))
        groups.setdefault(bare, {})[name] = count
    return [group for group in groups.values() if len(group) > 1]
