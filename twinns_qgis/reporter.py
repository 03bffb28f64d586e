"""Receives the progress and the messages of a job, and says whether the user cancelled it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from .errors import Cancelled


class Reporter:
    """Receives the progress and messages of a job; this base class ignores them.

    The worker writes them as JSON lines, the command line prints them, tests collect them: each overrides what it
    needs.

    Example:
        >>> class Printer(Reporter):
        ...     def progress(self, fraction, message=""):
        ...         print(f"{fraction:.0%} {message}")
        >>> second_half = Printer().part(0.5, 1)
        >>> second_half.progress(0.2, "Reading")
        60% Reading
    """

    def progress(self, fraction: float, message: str = "") -> None:
        """Receives the share of the work that is done, from 0 to 1, and what is being done."""

    def info(self, message: str) -> None:
        """Receives a message that needs no action of the user."""

    def warning(self, message: str) -> None:
        """Receives a message that may need action of the user; the job goes on."""

    @property
    def cancelled(self) -> bool:
        """Whether the user asked the job to stop."""
        return False

    def check_cancelled(self) -> None:
        """Raises `Cancelled` if the user asked the job to stop: call it between blocks and batches."""
        if self.cancelled:
            raise Cancelled

    def last_resort(self, action: Callable[[], str]) -> AbstractContextManager[None]:
        """Registers what is to be done if a cancelled job has to end at once, in the midst of a long step of the block.

        Args:
            action: Does it, and returns a message that says what was done.
        """
        return nullcontext()

    def part(self, start: float, end: float) -> Reporter:
        """Returns a reporter for a part of the work: its progress from 0 to 1 is this one's from `start` to `end`."""
        return _Part(self, start, end)


class Passing(Reporter):
    """A reporter that passes everything on to another; subclasses change what they need.

    Args:
        reporter: Receives it all.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def progress(self, fraction: float, message: str = "") -> None:
        """Receives the share of the work that is done, and what is being done."""
        self._reporter.progress(fraction, message)

    def info(self, message: str) -> None:
        """Receives a message that needs no action of the user."""
        self._reporter.info(message)

    def warning(self, message: str) -> None:
        """Receives a message that may need action of the user."""
        self._reporter.warning(message)

    @property
    def cancelled(self) -> bool:
        """Whether the user asked the job to stop."""
        return self._reporter.cancelled

    def last_resort(self, action: Callable[[], str]) -> AbstractContextManager[None]:
        """Registers what is to be done if a cancelled job has to end at once."""
        return self._reporter.last_resort(action)


class _Part(Passing):
    def __init__(self, whole: Reporter, start: float, end: float) -> None:
        super().__init__(whole)
        self._start = start
        self._end = end

    def progress(self, fraction: float, message: str = "") -> None:
        super().progress(self._start + (self._end - self._start) * fraction, message)


class TimeLeft:
    """Estimates the remaining time of work that proceeds evenly once it is under way."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._first: tuple[float, float] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since this object was made."""
        return time.monotonic() - self._start

    def after(self, fraction: float) -> str:
        """Returns the time left, such as ``3 min left``, when `fraction` of the work is done.

        The first call only starts the measurement, and returns nothing: up to there things were being loaded and
        compiled, at a pace that says nothing of the rest.
        """
        if self._first is None:
            self._first = self.elapsed, fraction
        start, done = self._first
        if fraction <= done:
            return ""
        return f"{duration((self.elapsed - start) * (1 - fraction) / (fraction - done))} left"


def duration(seconds: float) -> str:
    """Returns a time in words.

    Example:
        >>> duration(200)
        '3 min'
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def in_bytes(count: float) -> str:
    """Returns a number of bytes in words.

    Example:
        >>> in_bytes(1_234_567)
        '1.2 MB'
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
