"""Land cover classes: a code, a name and a colour each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from twinns_qgis.errors import InputError

MAX_CLASSES = 254
"""A map's codes are 1 to 254: 0 is no data, 255 is left free for no data of percentages."""

# Eighteen hues that stay apart at map scale, in alternating lightness; more classes than that repeat them.
_PALETTE = (
    "#4477aa", "#ddaa33", "#228833", "#cc3311", "#aa3377", "#66ccee", "#ccbb44", "#117733", "#ee8866",
    "#882255", "#99ddff", "#999933", "#44bb99", "#bb5566", "#332288", "#eedd88", "#77aadd", "#997700",
)  # fmt: skip


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
