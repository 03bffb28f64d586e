"""Whether a series is what a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twinns_qgis.errors import InputError
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.series.series import Series


def check_series(sensors: Sequence[Sensor], series: Mapping[str, Series], model: str) -> None:
    """Checks that each of a model's sensors has a series with the same bands, number of dates and coding of values.

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
                "Prepare the series with the START, END and STEP of the training series.",
            )
        for name in ("scale", "offset"):
            if getattr(found, name) != getattr(sensor, name):
                raise InputError(
                    f"{found.path} has the {name}s {getattr(found, name)}; {model} expects {getattr(sensor, name)}.",
                    "Prepare the series with the same range of values as for training.",
                )


def _listed(names: Mapping[str, Series] | set[str]) -> str:
    return " and ".join(sorted(names)) or "none"
