"""Land cover classes: a code, a name and a colour each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from twinns_qgis.errors import InputError
from twinns_qgis.json_object import JsonObject

MAX_CLASSES = 254
"""A map's codes are 1 to 254: 0 is no data, 255 is left free for no data of percentages."""

# Eighteen colours that stay apart at map scale; more classes than that repeat them.
_PALETTE = (
    "#228833", "#cc3311", "#ddaa33", "#44bb99", "#ee7733", "#aacc55", "#aa3377", "#ffdd33", "#997700",
    "#4477aa", "#bb99dd", "#66ccee", "#882255", "#999933", "#332288", "#ee99aa", "#77aadd", "#117733",
)  # fmt: skip
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
        if not _COLOR.fullmatch(color):
            raise ValueError(f"There is no colour '{color}'.")
        return cls(code, own.text("name"), color)


def classes_of(values: Iterable[object]) -> dict[object, LandCoverClass]:
    """Returns the class of each value of a class field.

    Whole numbers from 1 to 254 are the codes themselves; anything else is numbered 1 to K in the order of its name.

    Args:
        values: The field's values, without nulls.

    Raises:
        InputError: There are more than 254 classes.
    """
    distinct = set(values)
    if len(distinct) > MAX_CLASSES:
        raise InputError(
            f"The class field has {len(distinct)} different values; a map holds at most {MAX_CLASSES} classes.",
            "Choose the field that holds the class, not an identifier.",
        )
    codes: dict[object, int] = {
        value: value for value in distinct if isinstance(value, int) and 1 <= value <= MAX_CLASSES
    }
    if len(codes) < len(distinct):
        codes = {value: code for code, value in enumerate(sorted(distinct, key=str), start=1)}
    return {
        value: LandCoverClass(code, str(value), _PALETTE[order % len(_PALETTE)])
        for order, (value, code) in enumerate(sorted(codes.items(), key=lambda item: item[1]))
    }
