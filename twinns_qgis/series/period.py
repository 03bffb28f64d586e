"""The dates of a series: a sensor's own ones, or one every few days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter


@dataclass(frozen=True)
class Period:
    """The time that a series spans.

    Acquisitions from `start` to `end` are used, those outside are not read: a series depends on nothing that lies
    outside the period that was asked for.

    Args:
        start: First day; None means that of the first acquisition.
        end: Last day; None means that of the last acquisition.
        step: Days from one date to the next; 0 keeps the acquisitions' own dates.

    Example:
        >>> date(2018, 6, 1) in Period(start=date(2018, 3, 1), end=date(2018, 10, 31))
        True
    """

    start: date | None = None
    end: date | None = None
    step: int = 0

    def __post_init__(self) -> None:
        if self.step < 0:
            raise InputError(f"STEP is {self.step} days.", "Give 0, to keep the sensor's own dates, or more.")
        if self.start and self.end:
            self._check(self.start, self.end)

    def __contains__(self, day: date) -> bool:
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)

    def __str__(self) -> str:
        return f"{self.start or 'the first date'} to {self.end or 'the last date'}"

    def dates(self, own: Iterable[date], reporter: Reporter) -> list[date]:
        """Returns the dates of the series, ascending.

        With a step they are START, START + STEP, ...; END is one of them only if it falls on a step.

        Args:
            own: The dates of acquisition.
            reporter: Receives a warning if the period reaches more than a step beyond the acquisitions.

        Raises:
            InputError: No acquisition lies in the period, or the step is longer than it.
        """
        own = sorted(set(own))
        used = [day for day in own if day in self]
        if not used:
            raise InputError(
                f"Nothing was acquired from {self}: the dates found are {own[0]} to {own[-1]}.",
                "Change START and END.",
            )
        if not self.step:
            return used
        start, end = self.start or used[0], self.end or used[-1]
        self._check(start, end)
        for edge, nearest in ((start, used[0]), (end, used[-1])):
            if abs((edge - nearest).days) > self.step:
                reporter.warning(
                    f"The period reaches to {edge}, the nearest acquisition in it is of {nearest}: its values are "
                    "repeated in between."
                )
        return [start + timedelta(days) for days in range(0, (end - start).days + 1, self.step)]

    def _check(self, start: date, end: date) -> None:
        if start > end:
            raise InputError(f"START, {start}, is after END, {end}.", "Change one of them.")
        if self.step > (end - start).days:
            raise InputError(
                f"STEP, {self.step} days, is longer than the period from {start} to {end}.",
                "Give a shorter step or a longer period.",
            )
