"""Which values of a mask count as clear: the defaults of each kind of mask, and the user's choice.

Sen2Cor's scene classification SCL (ESA, "Level-2A Algorithm Theoretical Basis Document"): clear are vegetation (4),
bare soil (5), water (6), unclassified (7) and snow (11). Not clear are no data (0), saturated (1), clouds and cirrus
(8-10), shadows of clouds (3) and dark areas (2), which hold what shadow 3 misses. Snow stays, as it does in THEIA's
mask CLM: it is the surface, and the paper fills clouds, shadows and missing pixels alone.

THEIA's masks (THEIA, "Sentinel-2 L2A product format"): CLM (clouds, shadows) and EDG (edge of the swath) are 0 where
clear. MG2 has a bit each, from the lowest: water, cloud, snow, shadow of a cloud, shadow of the terrain, hidden by the
terrain, sun too low, sun tangent to the slope. Not clear are clouds, their shadows, hidden surfaces and a sun too low.
The others are the surface, in light that FRE corrects for. SAT has a bit each band.

WorldCereal's MASK is 1 where clear; `band_files` says how that is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File
from twinns_qgis.series.products.product import MaskSource

_HIGHEST = 255
_ALL = frozenset(range(_HIGHEST + 1))


def without_bits(*bits: int) -> frozenset[int]:
    """Returns the values of 8 bits in which none of some bits, counted from 0, is set."""
    return frozenset(value for value in _ALL if not any(value >> bit & 1 for bit in bits))


@dataclass(frozen=True)
class _Meaning:
    """What the values of a kind of mask mean: those that are clear, and those of clouds and their shadows."""

    clear: frozenset[int]
    spreads: frozenset[int] = frozenset()


_CLOUD, _SHADOW, _HIDDEN, _SUN_TOO_LOW = 1, 3, 5, 6
"""Bits of MG2."""
_MEANINGS = {
    "SCL": _Meaning(frozenset({4, 5, 6, 7, 11}), frozenset({3, 8, 9, 10})),
    "CLM": _Meaning(frozenset({0}), _ALL - {0}),
    "MG2": _Meaning(without_bits(_CLOUD, _SHADOW, _HIDDEN, _SUN_TOO_LOW), _ALL - without_bits(_CLOUD, _SHADOW)),
    "EDG": _Meaning(frozenset({0})),
    "MASK": _Meaning(frozenset({1}), frozenset({0})),
}
MASKS = (*_MEANINGS, "SAT")
"""Kinds of masks, as CLEAR names them."""

_VALUES = re.compile(r"(\d+)(?:-(\d+))?")


def mask_source(file: File, index: int, name: str) -> MaskSource:
    """Returns a mask of all bands, with what its values mean by default.

    Args:
        file: The file, on disk or in an archive.
        index: Number of the file's band, from 1.
        name: The kind of mask, one of `MASKS` but SAT.
    """
    meaning = _MEANINGS[name]
    return MaskSource(file, index, name, meaning.clear, meaning.spreads)


def saturation(file: File, bit: int, band: str) -> MaskSource:
    """Returns the mask SAT of one band, which is a bit of the file's values, counted from 0."""
    return MaskSource(file, 1, "SAT", without_bits(bit), bands=frozenset({band}))


def parse_clear(text: str) -> dict[str, frozenset[int]]:
    """Returns the clear values of the masks named in a text such as ``SCL=4,5,6,7,11; CLM=0; MG2=0-1``.

    Args:
        text: Masks with their values, separated by semicolons; empty for none.

    Raises:
        InputError: A mask is unknown or named twice, or a value is no number from 0 to 255.

    Example:
        >>> sorted(parse_clear("SCL=4-7,11; CLM=0")["SCL"])
        [4, 5, 6, 7, 11]
    """
    chosen: dict[str, frozenset[int]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, values = (word.strip() for word in part.partition("="))
        if not equals or name not in MASKS or name in chosen:
            state = "named twice" if name in chosen else "not understood"
            raise InputError(
                f"CLEAR is '{text}': '{part}' is {state}.",
                f"Expected is something like SCL=4,5,6,7,11; CLM=0; the masks are {', '.join(MASKS)}.",
            )
        chosen[name] = frozenset().union(*(_values(value.strip(), text) for value in values.split(",")))
    return chosen


def _values(part: str, text: str) -> range:
    match = _VALUES.fullmatch(part)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not first <= last <= _HIGHEST:
        raise InputError(
            f"CLEAR is '{text}': '{part}' is no value of a mask.",
            f"Give whole numbers from 0 to {_HIGHEST} and ranges of them, such as 4,5,6 or 4-7.",
        )
    return range(first, last + 1)
