"""DB_RANGE: the decibels that 8 bits span, as numbers or as percentiles of the images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twinns_qgis.errors import InputError
from twinns_qgis.series.sentinel1.backscatter import DbRange
from twinns_qgis.series.series import SENTINEL1_BANDS

_HINT = (
    "Write DB_RANGE as VV=-25:5,VH=-32:-2, in decibels from the lower to the higher, or as percentiles: "
    "VV=p1:p99,VH=p1:p99, in short p1:p99."
)
_NUMBER = r"\s*(p?)([^:p]+)"


@dataclass(frozen=True)
class Percentiles:
    """A range from one percentile of the images' decibels to another.

    Args:
        low: The lower percentile, 0 to 100.
        high: The higher one.
    """

    low: float
    high: float

    def __str__(self) -> str:
        return f"p{self.low:g}:p{self.high:g}"


DbRanges = Mapping[str, DbRange | Percentiles]
"""The range of each polarisation."""


def parse_db_range(text: str) -> dict[str, DbRange | Percentiles]:
    """Reads the ranges of the polarisations.

    They are written ``VV=-25:5,VH=-32:-2``, in decibels, or ``VV=p1:p99,VH=p1:p99``, in percentiles. A range without a
    polarisation, ``p1:p99``, holds for all of them.

    Raises:
        InputError: The text can't be read, or a range is empty.

    Example:
        >>> parse_db_range("VV=-25:5,VH=p1:p99")
        {'VV': DbRange(low=-25.0, high=5.0), 'VH': Percentiles(low=1.0, high=99.0)}
    """
    if "=" not in text and "," not in text:
        return dict.fromkeys(SENTINEL1_BANDS, _parse_range(text, text))
    ranges: dict[str, DbRange | Percentiles] = {}
    for part in text.split(","):
        name, _, limits = part.partition("=")
        name = name.strip().upper()
        if name not in SENTINEL1_BANDS or name in ranges:
            raise InputError(f"The range of decibels '{text}' can't be read at '{part.strip()}'.", _HINT)
        ranges[name] = _parse_range(limits, text)
    return ranges


def write_db_range(ranges: Mapping[str, DbRange]) -> str:
    """Returns ranges as `parse_db_range` reads them."""
    return ",".join(f"{name}={db.low:.10g}:{db.high:.10g}" for name, db in ranges.items())


def _parse_range(limits: str, text: str) -> DbRange | Percentiles:
    match = re.fullmatch(f"{_NUMBER}:{_NUMBER}", limits, re.IGNORECASE)
    try:
        if match is None or match[1].lower() != match[3].lower():
            raise ValueError(limits)
        low, high = float(match[2]), float(match[4])
    except ValueError as error:
        raise InputError(f"The range of decibels '{text}' can't be read at '{limits.strip()}'.", _HINT) from error
    if not (np.isfinite([low, high]).all() and low < high):
        raise InputError(f"The range of decibels '{limits.strip()}' is empty.", _HINT)
    if not match[1]:
        return DbRange(low, high)
    if low < 0 or high > 100:
        raise InputError(f"The range of decibels '{limits.strip()}' leaves the percentiles 0 to 100.", _HINT)
    return Percentiles(low, high)
