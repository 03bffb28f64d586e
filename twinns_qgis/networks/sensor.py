"""What a network knows of one input: all that it takes to read raw values and to recognise another series."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from twinns_qgis.errors import InputError
from twinns_qgis.json_object import JsonObject
from twinns_qgis.networks.indices import indices_for
from twinns_qgis.series.series import Series

STATIC = "static"
"""The input without dates."""
SENSORS = ("sentinel1", "sentinel2", STATIC)
_TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64")


@dataclass(frozen=True)
class Sensor:
    """One input of a network.

    Args:
        name: ``sentinel1`` or ``sentinel2``, or ``static`` for what has no dates.
        dates: The T dates; what has none is a single step.
        bands: Names of the B bands.
        scale: Factor of each band, to reflectance or decibels.
        offset: Summand of each band.
        nodata: Raw value of missing pixels besides NaN, or None.
        dtype: Type of the raw values.
        minimum: What each of the V variables (bands, then indices) has that becomes 0: its smallest value in the
            training series, or a low percentile.
        maximum: What each of the V variables has that becomes 1.
        clip: Whether values beyond are clipped.
        lowest: The smallest value of each variable in the training series, where `minimum` is none; else empty.
        highest: The largest value of each, likewise.
    """

    name: str
    dates: tuple[date, ...]
    bands: tuple[str, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    nodata: float | None
    dtype: str
    minimum: tuple[float, ...] = ()
    maximum: tuple[float, ...] = ()
    clip: bool = False
    lowest: tuple[float, ...] = ()
    highest: tuple[float, ...] = ()

    @classmethod
    def of(cls, name: str, series: Series) -> Sensor:
        """Describes a series; the ranges are still to be found."""
        nodata = None if series.nodata is None or math.isnan(series.nodata) else series.nodata
        return cls(name, series.dates, series.bands, series.scale, series.offset, nodata, series.dtype)

    @property
    def steps(self) -> int:
        """Number T of its dates; 1 of what has none."""
        return len(self.dates) or 1

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the V variables that the network sees at each date: the bands, then the indices they allow."""
        return (*self.bands, *indices_for(self.bands))

    @property
    def missing(self) -> float:
        """A raw value that the network takes for a missing one.

        Raises:
            InputError: The series has no such value.
        """
        if self.nodata is None and not self.dtype.startswith("float"):
            raise InputError(
                f"The {self.name} series has no value for missing pixels, as it declares no no data value.",
                "Declare one, with gdal_edit.py -a_nodata VALUE FILE, or in QGIS as the layer's additional no data "
                "value (Layer Properties > Transparency), or train with DATE_DROPOUT 0.",
            )
        return math.nan if self.nodata is None else self.nodata

    def to_json(self) -> dict[str, Any]:
        """Returns plain values for the manifest."""
        return {**asdict(self), "dates": [day.isoformat() for day in self.dates], "variables": self.variables}

    @classmethod
    def from_json(cls, values: Any) -> Sensor:
        """Reads what `to_json` made, and checks it.

        Raises:
            ValueError: A value is missing, or none that can stand there; the message says so in words.
        """
        name = JsonObject(values, "sensor").text("name")
        if name not in SENSORS:
            raise ValueError(f"There is no sensor '{name}'.")
        own = JsonObject(values, f"sensor {name}")
        dtype, bands = own.text("dtype"), own.texts("bands")
        if dtype not in _TYPES:
            raise ValueError(f"There are no values of type '{dtype}'.")
        dates = () if name == STATIC else tuple(date.fromisoformat(day) for day in own.texts("dates"))
        if any(after <= before for before, after in pairwise(dates)):
            raise ValueError(f"The dates of {name} don't ascend.")
        coding = {part: own.numbers(part, len(bands)) for part in ("scale", "offset")}
        variables = len(bands) + len(indices_for(bands))
        ends = {end: own.numbers(end, variables) for end in ("minimum", "maximum")}
        beyond = own.value("lowest") or own.value("highest")
        found = {end: own.numbers(end, variables) for end in ("lowest", "highest")} if beyond else {}
        return cls(
            name=name,
            dates=dates,
            bands=bands,
            nodata=None if own.value("nodata") is None else own.number("nodata"),
            dtype=dtype,
            clip=own.flag("clip"),
            **coding,
            **ends,
            **found,
        )
