"""What a network knows of one sensor's series: all that it takes to read raw values and to recognise another series."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from twinns_qgis.errors import InputError
from twinns_qgis.networks.indices import indices_for
from twinns_qgis.series.series import Series


@dataclass(frozen=True)
class Sensor:
    """One input of a network.

    Args:
        name: ``sentinel1`` or ``sentinel2``.
        dates: The T dates.
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
                "Give it one, or train with DATE_DROPOUT 0.",
            )
        return math.nan if self.nodata is None else self.nodata

    def to_json(self) -> dict[str, Any]:
        """Returns plain values for the manifest."""
        return {**asdict(self), "dates": [day.isoformat() for day in self.dates], "variables": self.variables}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Sensor:
        """Reads what `to_json` made."""
        return cls(
            name=str(values["name"]),
            dates=tuple(date.fromisoformat(day) for day in values["dates"]),
            bands=tuple(str(band) for band in values["bands"]),
            scale=tuple(float(value) for value in values["scale"]),
            offset=tuple(float(value) for value in values["offset"]),
            nodata=None if values["nodata"] is None else float(values["nodata"]),
            dtype=str(values["dtype"]),
            minimum=tuple(float(value) for value in values["minimum"]),
            maximum=tuple(float(value) for value in values["maximum"]),
            clip=bool(values["clip"]),
            lowest=tuple(float(value) for value in values.get("lowest", ())),
            highest=tuple(float(value) for value in values.get("highest", ())),
        )
