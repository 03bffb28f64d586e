"""Whether a series is what a model was trained on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from twinns_qgis.errors import InputError
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import Series

_LATE = 15
"""Days of shift from which on a warning is due: half a month of growth."""
_TOLD = 8
"""Names that are told at most."""


def check_given(sensors: Sequence[Sensor], given: Collection[str], model: str) -> None:
    """Checks that all that a model was trained on is given.

    Args:
        sensors: What the model was trained on.
        given: The names of what is given.
        model: The model's name, for messages.

    Raises:
        InputError: A series, or what has no dates, is missing.
    """
    expected = {sensor.name for sensor in sensors}
    if expected - set(given):
        raise InputError(
            f"{model} was trained on {_listed(expected)}, given: {_listed(given)}.",
            f"Give {_listed({name.upper() for name in expected})}.",
        )


def check_series(sensors: Sequence[Sensor], series: Mapping[str, Series], model: str) -> None:
    """Checks that the series have the bands, number of dates and coding of values that a model was trained on.

    Args:
        sensors: What the model was trained on.
        series: The series given, by sensor.
        model: The model's name, for messages.

    Raises:
        InputError: A series differs; the message lists what was expected and found.
    """
    for sensor in sensors:
        found = series[sensor.name]
        if not sensor.dates:
            _check_static(sensor, found, model)
            continue
        if found.bands != sensor.bands:
            raise InputError(
                f"{found.path} has the bands {' '.join(found.bands)}; {model} expects {' '.join(sensor.bands)}.",
                "Prepare the series with the same bands as for training.",
            )
        if len(found.dates) != len(sensor.dates):
            raise InputError(
                f"{found.path} has {len(found.dates)} dates, {found.dates[0]} to {found.dates[-1]}; {model} expects "
                f"{len(sensor.dates)} dates, {sensor.dates[0]} to {sensor.dates[-1]}.",
                _preparing(sensor, found.dates[0].year - sensor.dates[0].year),
            )
        for name in ("scale", "offset"):
            if getattr(found, name) != getattr(sensor, name):
                raise InputError(
                    f"{found.path} has the {name}s {getattr(found, name)}; {model} expects {getattr(sensor, name)}.",
                    "Prepare the series with the same range of values as for training.",
                )
        nodata = Sensor.of(sensor.name, found).nodata
        # NaN is missing for every network.
        if nodata != sensor.nodata and not (nodata is None and found.dtype.startswith("float")):
            change = f", or give its missing pixels that value, with gdalwarp -dstnodata {sensor.nodata} OLD NEW"
            raise InputError(
                f"{found.path} has the no data value {nodata}; {model} expects {sensor.nodata}, and would take what is "
                "missing for real values.",
                f"Prepare the series as for training{change if sensor.nodata is not None else ''}.",
            )


def report_shifts(sensors: Sequence[Sensor], series: Mapping[str, Series], reporter: Reporter) -> None:
    """Reports by how many days of the year the dates of series differ from those of the training, and other names.

    The network has learned what happens at its first date, its second, and so on; it sees no calendar.

    Args:
        sensors: What the model was trained on.
        series: Its series, with as many dates.
        reporter: Receives the largest shift, as a warning if it is half a month or more.
    """
    for sensor in sensors:
        dates = series[sensor.name].dates
        if not dates:
            _report_names(sensor, series[sensor.name], reporter)
            continue
        shifts = [_days_apart(found, trained) for found, trained in zip(dates, sensor.dates, strict=True)]
        most = max(shifts)
        if not most:
            continue
        number = shifts.index(most)
        text = (
            f"{series[sensor.name].path.name}: dates count by their order. The largest shift within the year is "
            f"{most} days: {dates[number]} stands for {sensor.dates[number]} of the training."
        )
        if most < _LATE:
            reporter.info(text)
        else:
            reporter.warning(f"{text} Plants may look different by then: check the map against what is known.")


def _check_static(sensor: Sensor, found: Series, model: str) -> None:
    """Checks that static rasters have as many bands as in training, and not the same ones in another order."""
    in_another_order = found.bands != sensor.bands and set(found.bands) == set(sensor.bands)
    if len(found.bands) != len(sensor.bands) or in_another_order:
        raise InputError(
            f"The static rasters have {len(found.bands)} bands: {_some(found.bands)}; {model} expects "
            f"{len(sensor.bands)}: {_some(sensor.bands)}.",
            "Give STATIC the same rasters as for training, in the same order.",
        )


def _report_names(sensor: Sensor, found: Series, reporter: Reporter) -> None:
    """Tells which static bands stand for others: files have other names in another place."""
    others = [f"{own} for {trained}" for own, trained in zip(found.bands, sensor.bands, strict=True) if own != trained]
    if others:
        reporter.info(f"Static rasters count by their order: {_some(others)} of the training.")


def _days_apart(one: date, other: date) -> int:
    """Returns the days between two days of the year, at most half a year.

    All years count as leap years: the same day of the same month is no day apart, whatever the years.
    """
    days = abs((one.replace(year=2000) - other.replace(year=2000)).days)
    return min(days, 366 - days)


def _preparing(sensor: Sensor, years: int) -> str:
    """Returns the call that prepares a series with the dates of the training, so many years later."""
    start, end = (_moved(day, years) for day in (sensor.dates[0], sensor.dates[-1]))
    steps = {(after - before).days for before, after in pairwise(sensor.dates)}
    call = f"twinns prepare-{sensor.name} --start {start}"
    if len(steps) == 1:
        step = steps.pop()
        end = start + timedelta(step * (len(sensor.dates) - 1))
        return (
            f"Prepare it with its dates: {call} --end {end} --step {step} and the other options as before; in QGIS "
            "these are START, END and STEP."
        )
    days = ", ".join(str(_moved(day, years)) for day in sensor.dates)
    return (
        f"The training series has its own dates of acquisition. Prepare one of the acquisitions nearest to {days}: "
        f"{call} --end {end} --step 0, with these products alone. Or train with a STEP, so that other years and "
        "regions can have the same dates."
    )


def _moved(day: date, years: int) -> date:
    """Returns the same day some years later; of a 29th of February, the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names if len(names) <= _TOLD else [*names[: _TOLD - 1], "...", names[-1]])


def _listed(names: Collection[str]) -> str:
    return " and ".join(sorted(names)) or "none"
