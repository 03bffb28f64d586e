"""Whether a series is what a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from twinns_qgis.errors import InputError
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import Series

_LATE = 15
"""Days of shift from which on a warning is due: half a month of growth."""


def check_series(sensors: Sequence[Sensor], series: Mapping[str, Series], model: str) -> None:
    """Checks that the series have the bands, number of dates and coding of values that a model was trained on.

    Args:
        sensors: What the model was trained on.
        series: The series given, by sensor.
        model: The model's name, for messages.

    Raises:
        InputError: A series is missing, too many, or differs; the message lists what was expected and found.
    """
    expected = {sensor.name for sensor in sensors}
    if expected != set(series):
        raise InputError(
            f"{model} was trained on {_listed(expected)}, given: {_listed(series)}.",
            "Give the series of these sensors.",
        )
    for sensor in sensors:
        found = series[sensor.name]
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
    """Reports by how many days of the year the dates of series differ from those of the training.

    The network has learned what happens at its first date, its second, and so on; it sees no calendar.

    Args:
        sensors: What the model was trained on.
        series: Its series, with as many dates.
        reporter: Receives the largest shift, as a warning if it is half a month or more.
    """
    for sensor in sensors:
        dates = series[sensor.name].dates
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


def _listed(names: Mapping[str, Series] | set[str]) -> str:
    return " and ".join(sorted(names)) or "none"
