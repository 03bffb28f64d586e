"""Land cover classes: a code, a name and a colour each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from twinns_qgis.json_object import JsonObject

Label: TypeAlias = str | int
"""What the class field holds."""

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


def classes_of(labels: Iterable[Label]) -> dict[Label, LandCoverClass]:
    """Returns the class of each label, in the order of their codes.

    Whole numbers from 1 to 254 are the codes themselves; if there is any other label, all are numbered 1 to K in the
    order of their names.

    Args:
        labels: At most 254 different ones.
    """
    distinct = set(labels)
    codes: dict[Label, int] = {
        label: label for label in distinct if isinstance(label, int) and 1 <= label <= MAX_CLASSES
    }
    if len(codes) < len(distinct):
        codes = {label: code for code, label in enumerate(sorted(distinct, key=str), start=1)}
    return {
        label: LandCoverClass(code, str(label), _PALETTE[order % len(_PALETTE)])
        for order, (label, code) in enumerate(sorted(codes.items(), key=lambda item: item[1]))
    }
