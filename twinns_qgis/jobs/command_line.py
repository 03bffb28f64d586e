"""The command line: one subcommand a job, its parameters as options.

``--json`` prints the outputs as one JSON object on the last line of standard output; messages and the progress bar go
to standard error. The exit status is 0, 1 (an error with its message) or 2 (wrong call).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import sys
import threading
import typing
from collections.abc import Sequence
from types import FrameType

from twinns_qgis import __version__
from twinns_qgis.errors import TwinnsError
from twinns_qgis.jobs import JOBS
from twinns_qgis.jobs.job import Job, item_type
from twinns_qgis.jobs.worker import run_worker
from twinns_qgis.reporter import Reporter


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = vars(_parser().parse_args(arguments))
    command = options.pop("command")
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twinns", description="Land cover maps from Sentinel-1 and Sentinel-2 series."
    )
    parser.add_argument("--version", action="version", version=f"twinns {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for job in JOBS.values():
        summary = (job.__doc__ or "").strip()
        command = commands.add_parser(job.command, help=summary, description=summary)
        _add_options(command, job)
        command.add_argument("--json", action="store_true", help="Print the outputs as one JSON object.")
    commands.add_parser("worker", help="Run one job given on standard input; QGIS uses this.")
    return parser


def _add_options(command: argparse.ArgumentParser, job: type[Job]) -> None:
    kinds = typing.get_type_hints(job)
    for field in dataclasses.fields(job):
        item, several = item_type(kinds[field.name])
        required = field.default is dataclasses.MISSING
        text = field.metadata["help"]
        if not required and field.default not in (None, (), ""):
            text += f" Default: {field.default}."
        command.add_argument(
            f"--{field.name.replace('_', '-')}",
            dest=field.name,
            required=required,
            nargs="+" if several else None,
            choices=field.metadata["choices"],
            metavar=None if field.metadata["choices"] else item.__name__.upper(),
            help=text.replace("%", "%%"),
        )


class _TerminalReporter(Reporter):
    """Messages and a progress line on standard error; Ctrl-C cancels, a second one kills."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._line = 0
        self._terminal = sys.stderr.isatty()

    def progress(self, fraction: float, message: str = "") -> None:
        text = f"{fraction:4.0%} {message}"
        if self._terminal:
            print(f"\r{text:<{self._line}}", end="", file=sys.stderr, flush=True)
            self._line = len(text)
        else:
            print(text, file=sys.stderr, flush=True)

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
