"""The command line: one subcommand a job, its parameters as options.

``--json`` prints the outputs as one JSON object on the last line of standard output; messages and the progress bar go
to standard error. The exit status is 0, 1 (an error with its message) or 2 (wrong call).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import Any

from twinns_qgis import __version__
from twinns_qgis.errors import TwinnsError
from twinns_qgis.jobs.catalogue import JOBS
from twinns_qgis.jobs.job import Job, option
from twinns_qgis.jobs.parameters import (
    Choice,
    Crs,
    Day,
    Extent,
    Field,
    FilePath,
    Number,
    Parameter,
    WholeNumber,
)
from twinns_qgis.jobs.worker import run_worker
from twinns_qgis.reporter import Reporter

_LOG_SHARE, _LOG_SECONDS = 0.01, 10.0
"""Of the progress, from one line to the next where the output is no terminal."""
_NEGATIVE = re.compile(r"-[.\d]")
"""How a number, or an extent, begins that lies west of Greenwich."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    command, options = parse(sys.argv[1:] if arguments is None else arguments)
    if command == "worker":
        status = run_worker()
        sys.stderr.flush()
        # Everything is said and written: what libraries do when they unload takes seconds, or crashes.
        os._exit(status)
    as_json = options.pop("json")
    reporter = _TerminalReporter()
    previous = signal.signal(signal.SIGINT, reporter.interrupt)
    try:
        job = next(job for job in JOBS.values() if job.command == command)
        outputs = job.from_values(options).run(reporter)
    except TwinnsError as error:
        reporter.end_line()
        print(f"twinns {command}: {error}", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGINT, previous)
    reporter.end_line()
    if as_json:
        print(json.dumps(outputs, ensure_ascii=False))
    else:
        for name, value in outputs.items():
            print(f"{name}: {value}")
    return 0


def parse(arguments: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Returns the command of a call and its options by name, null where they are not given.

    Raises:
        SystemExit: The call is wrong, or asks for help.
    """
    options = vars(_parser().parse_args(_joined(arguments)))
    return options.pop("command"), options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twinns", description="Land cover maps from Sentinel-1 and Sentinel-2 series."
    )
    parser.add_argument("--version", action="version", version=f"twinns {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for job in JOBS.values():
        command = commands.add_parser(job.command, help=job.summary, description=job.summary)
        _add_options(command, job)
        command.add_argument("--json", action="store_true", help="Print the outputs as one JSON object.")
    commands.add_parser("worker", help="Run one job given on standard input; QGIS uses this.")
    return parser


def _add_options(command: argparse.ArgumentParser, job: type[Job]) -> None:
    for name, parameter in job.parameters().items():
        choices = list(parameter.choices) if isinstance(parameter, Choice) else None
        command.add_argument(
            option(name),
            dest=name,
            required=parameter.required,
            action="extend" if parameter.several else "store",
            nargs="+" if parameter.several else None,
            choices=choices,
            type=parameter.read if isinstance(parameter, Choice) else str,
            metavar=None if choices else _placeholder(parameter),
            help=_help(parameter).replace("%", "%%"),
        )


def _placeholder(parameter: Parameter) -> str:
    if isinstance(parameter, WholeNumber):
        return "INT"
    kinds = {Number: "NUMBER", Day: "YYYY-MM-DD", Extent: "EXTENT", Crs: "CRS", Field: "FIELD", FilePath: "PATH"}
    return next((word for kind, word in kinds.items() if isinstance(parameter, kind)), "TEXT")


def _help(parameter: Parameter) -> str:
    text = parameter.help
    if isinstance(parameter, Number) and str(parameter.limit) not in text:
        text += f" Expected: {parameter.limit}."
    if not parameter.required and parameter.default not in (None, (), ""):
        text += f" Default: {parameter.default}."
    return text


def _joined(arguments: Sequence[str]) -> list[str]:
    """Returns the arguments, with ``--extent -61.5,...`` as one: argparse would take its value for an option."""
    words = list(arguments)
    for place in range(len(words) - 1, 0, -1):
        if _NEGATIVE.match(words[place]) and words[place - 1].startswith("--"):
            words[place - 1 : place + 1] = [f"{words[place - 1]}={words[place]}"]
    return words


class _TerminalReporter(Reporter):
    """Messages and a progress line on standard error; Ctrl-C cancels, a second one kills."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._line = 0
        self._terminal = sys.stderr.isatty()
        self._logged = -1.0, -math.inf

    def progress(self, fraction: float, message: str = "") -> None:
        text = f"{fraction:4.0%} {message}"
        if self._terminal:
            print(f"\r{text:<{self._line}}", end="", file=sys.stderr, flush=True)
            self._line = len(text)
        elif self._is_due(fraction):
            print(text, file=sys.stderr, flush=True)

    def _is_due(self, fraction: float) -> bool:
        """Whether a log gets a line: for a percent, and not within ten seconds of another, but for the last one."""
        last, when = self._logged
        now = time.monotonic()
        due = fraction > last if fraction >= 1 else fraction >= last + _LOG_SHARE and now >= when + _LOG_SECONDS
        if due:
            self._logged = fraction, now
        return due

    def info(self, message: str) -> None:
        self.end_line()
        print(message, file=sys.stderr, flush=True)

    def warning(self, message: str) -> None:
        self.info(f"Warning: {message}")

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Handles Ctrl-C."""
        self._cancelled.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def end_line(self) -> None:
        """Ends the progress line before something else is printed."""
        if self._line:
            print(file=sys.stderr)
            self._line = 0
