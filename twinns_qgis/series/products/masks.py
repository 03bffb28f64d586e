"""Which values of a mask count as clear: the defaults of each kind of mask, and the user's choice.

Sen2Cor's scene classification SCL (ESA, "Level-2A Algorithm Theoretical Basis Document"): clear are vegetation (4),
bare soil (5), water (6), unclassified (7) and snow (11). Not clear are no data (0), saturated (1), clouds and cirrus
(8-10), shadows of clouds (3) and dark areas (2), which hold what shadow 3 misses. Snow stays, as it does in THEIA's
mask CLM: it is the surface, and the paper fills clouds, shadows and missing pixels alone.

THEIA's masks (THEIA, "Sentinel-2 L2A product format"): CLM (clouds, shadows) and EDG (edge of the swath) are 0 where
clear. MG2 has a bit each, from the lowest: water, cloud, snow, shadow of a cloud, shadow of the terrain, hidden by the
terrain, sun too low, sun tangent to the slope. Not clear are clouds, their shadows, hidden surfaces and a sun too low.
The others are the surface, in light that FRE corrects for. SAT has a bit each band.

WorldCereal's MASK is 1 where clear; `named_rasters` says how that is known.

Probabilities of clouds count as clear below 40 %, the threshold of s2cloudless (Sentinel Hub): CLDPRB of Sen2Cor, 0 to
100, and CLP of s2cloudless, 0 to 255. QA60 (Earth Engine) has the bits 10, opaque clouds, and 11, cirrus. Fmask of HLS
(NASA, "HLS Product User Guide") has the bits 1 cloud, 2 next to cloud or shadow, 3 shadow, 4 snow, 5 water, and is 255
where nothing was seen; OA_FMASK of Digital Earth Australia has the values 0 nothing, 1 clear, 2 cloud, 3 shadow, 4
snow, 5 water. Landsat's QA_PIXEL has the bits 0 fill, 1 next to cloud, 2 cirrus, 3 cloud, 4 shadow (USGS, "Landsat
Collection 2 Level 2 Science Product Guide").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File
from twinns_qgis.series.products.product import MaskSource

_HIGHEST = 65_535
_ALL = frozenset(range(256))


def without_bits(*bits: int, of: int = 8) -> frozenset[int]:
    """Returns the values of 8 bits, or another number of them, in which none of some bits, counted from 0, is set."""
    return frozenset(value for value in range(1 << of) if not any(value >> bit & 1 for bit in bits))


@dataclass(frozen=True)
class _Meaning:
    """What the values of a kind of mask mean: those that are clear, and those of clouds and their shadows."""

    clear: frozenset[int]
    spreads: frozenset[int] = frozenset()


_CLOUD, _SHADOW, _HIDDEN, _SUN_TOO_LOW = 1, 3, 5, 6
"""Bits of MG2."""
_CLOUDS_OF_LANDSAT = frozenset(
    {22280, 23888, 23952, 24088, 24216, 24344, 24472, 5896, 7440, 7568, 7696, 7824, 7960, 8088}
)
"""The frequent values of QA_PIXEL of clouds and their shadows."""
_MEANINGS = {
    "SCL": _Meaning(frozenset({4, 5, 6, 7, 11}), frozenset({3, 8, 9, 10})),
    "CLM": _Meaning(frozenset({0}), _ALL - {0}),
    "MG2": _Meaning(without_bits(_CLOUD, _SHADOW, _HIDDEN, _SUN_TOO_LOW), _ALL - without_bits(_CLOUD, _SHADOW)),
    "EDG": _Meaning(frozenset({0})),
    "MASK": _Meaning(frozenset({1}), frozenset({0})),
    "CLDPRB": _Meaning(frozenset(range(40)), frozenset(range(40, 101))),
    "CLP": _Meaning(frozenset(range(102)), frozenset(range(102, 256))),
    "QA60": _Meaning(frozenset({0}), frozenset({1 << 10, 1 << 11, 1 << 10 | 1 << 11})),
    "FMASK": _Meaning(without_bits(1, 2, 3), _ALL - without_bits(1, 3) - {255}),
    "OA_FMASK": _Meaning(frozenset({1, 4, 5}), frozenset({2, 3})),
    "QA_PIXEL": _Meaning(without_bits(0, 1, 2, 3, 4, of=16), _CLOUDS_OF_LANDSAT),
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


def clear_text(clear: Mapping[str, frozenset[int]]) -> str:
    """Returns masks with their clear values as `parse_clear` reads them.

    Example:
        >>> clear_text({"SCL": frozenset({4, 5, 6, 7, 11})})
        'SCL=4-7,11'
    """
    return "; ".join(f"{name}={','.join(map(_range_text, _ranges(values)))}" for name, values in clear.items())


def _ranges(values: Iterable[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for value in sorted(values):
        first = ranges.pop()[0] if ranges and ranges[-1][1] == value - 1 else value
        ranges.append((first, value))
    return ranges


def _range_text(ends: tuple[int, int]) -> str:
    first, last = ends
    return str(first) if first == last else f"{first}-{last}"


def _values(part: str, text: str) -> range:
    match = _VALUES.fullmatch(part)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not first <= last <= _HIGHEST:
        raise InputError(
            f"CLEAR is '{text}': '{part}' is no value of a mask.",
            f"Give whole numbers from 0 to {_HIGHEST} and ranges of them, such as 4,5,6 or 4-7.",
        )
    return range(first, last + 1)
