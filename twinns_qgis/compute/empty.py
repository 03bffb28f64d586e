"""The empty environment: of a Python that is on this computer, or else of one that uv downloads."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from .failures import fail_if_unreachable, fail_if_untrusted, last
from .installers import Source, Uv, VenvAndPip, pip, unpack_uv
from .place import python_in, remove_tree
from .processes import Calls, run
from .pythons import Python, by_preference, candidates, in_flatpak, own_python, probe

_DOWNLOADED_PYTHON = "3.12"
_PATHS_OF_QGIS = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")


class EmptyEnvironment:
    """Finds what an environment can be made of and with, and makes it.

    Args:
        calls: Calls programs; gets the package index that the user has set for pip.
        source: Where packages come from.
        lock: The lock of uv.
        own_variables: The environment variables of QGIS's Python.
        scratch: A folder for what is needed meanwhile.
    """

    def __init__(
        self, calls: Calls, source: Source, lock: Path, own_variables: Mapping[str, str], scratch: Path
    ) -> None:
        self._calls = calls
        self._source = source
        self._lock = lock
        self._own_variables = own_variables
        self._scratch = scratch

    def make(self, folder: Path) -> tuple[Uv | VenvAndPip, Python]:
        """Makes the empty environment.

        Returns:
            What packages are to be installed with, and the Python in the environment.

        Raises:
            InputError: There is no Python for it; the message tells what was tried.
            Untrusted: A certificate is not trusted.
        """
        self._calls.reporter.progress(0.01, "Looking for Python")
        pythons, passed_over = self._pythons()
        uv = self._uv(pythons)
        return uv or VenvAndPip(), self._make(uv, pythons, passed_over, folder)

    def _pythons(self) -> tuple[list[Python], list[str]]:
        """Returns the Pythons of this computer that answer, QGIS's own last, and what was passed over, in words."""
        pythons, passed_over = [], []
        ways = [(path, self._calls.variables) for path in candidates(self._calls.variables)]
        own = {**self._calls.variables, **_needed_by_qgis(self._own_variables)}
        ways += [(own_python(), own)] if not in_flatpak(self._calls.variables) else []
        for path, variables in ways:
            found = probe(path, variables, self._calls.reporter.check_cancelled)
            if isinstance(found, str):
                passed_over.append(f"{path}: {found.splitlines()[0]}")
            elif found not in pythons:
                pythons.append(found)
                if found.why_unfit:
                    passed_over.append(f"{path}: {found.why_unfit}")
        return pythons, passed_over

    def _uv(self, pythons: Sequence[Python]) -> Uv | None:
        """Returns uv, out of the folder of wheels or downloaded by any pip of this computer; None if there is none."""
        if self._source.wheels is not None:
            found = self._working(unpack_uv(self._source.wheels, self._lock, self._scratch))
        else:
            found = next(filter(None, map(self._downloaded_uv, pythons)), None)
        there = shutil.which("uv", path=self._calls.variables.get("PATH", ""))
        return found or self._working(Path(there) if there else None)

    def _downloaded_uv(self, python: Python) -> Uv | None:
        """Downloads uv by the pip of a Python, its hash checked."""
        if not python.ssl or not (python.pip or python.venv):
            return None
        self._calls.reporter.progress(0.02, "Downloading the installer uv")
        own = _needed_by_qgis(self._own_variables) if python.path == own_python() else {}
        variables = {**self._calls.variables, **own}
        helper = self._scratch / "helper"
        if not python.pip and not self._calls([python.path, "-m", "venv", helper], variables).good:
            return None
        caller = pip(python.path if python.pip else python_in(helper))
        options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--retries", "2"]
        ended = self._calls([*caller, "download", *options, "-r", self._lock, "-d", self._scratch], variables)
        if ended.good:
            self._take_index_of_pip(caller, variables)
            return self._working(unpack_uv(self._scratch, self._lock, self._scratch))
        fail_if_untrusted(ended)
        fail_if_unreachable(ended)  # another Python, or pip for each package, would only take long to say the same
        self._calls.reporter.info(f"uv could not be downloaded by {python}: {last(ended)}")
        return None

    def _take_index_of_pip(self, caller: Sequence[str | Path], variables: Mapping[str, str]) -> None:
        """Lets uv use the package index that the user has set for pip: uv does not read pip's settings."""
        if {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & self._calls.variables.keys():
            return
        lines: list[str] = []
        run([*caller, "config", "get", "global.index-url"], variables, hear=lines.append)
        index = variables.get("PIP_INDEX_URL") or next((line for line in lines if "://" in line), "")
        if index:
            self._calls.variables["UV_DEFAULT_INDEX"] = index.strip()

    def _working(self, program: Path | None) -> Uv | None:
        if program is None or not self._calls([program, "--version"]).good:
            return None
        return Uv(program)

    def _make(self, uv: Uv | None, pythons: Sequence[Python], passed_over: list[str], folder: Path) -> Python:
        fit = self._source.versions()
        for base in by_preference(list(pythons)):
            if fit and base.version not in fit:
                passed_over.append(f"{base.path}: WHEELS has none for Python {base.version[0]}.{base.version[1]}")
                continue
            if uv is None and not base.venv:
                passed_over.append(f"{base.path}: it lacks venv or ensurepip")
                continue
            # QGIS's own Python on Windows and macOS finds its libraries in QGIS alone.
            if base.path == own_python() and not sys.platform.startswith("linux"):
                continue
            ended = self._calls((uv or VenvAndPip()).make(base, folder))
            if ended.good:
                self._calls.reporter.info(f"The environment is made of {base}, by {'uv' if uv else 'venv and pip'}.")
                return base
            passed_over.append(f"{base.path}: {last(ended)}")
            remove_tree(folder)
        if uv is not None and self._source.wheels is None:
            self._calls.reporter.progress(0.03, f"Downloading Python {_DOWNLOADED_PYTHON}")
            ended = self._calls(uv.make(_DOWNLOADED_PYTHON, folder))
            if ended.good:
                self._calls.reporter.info(
                    f"The environment is made of Python {_DOWNLOADED_PYTHON}, which was downloaded."
                )
                return Python(python_in(folder), (3, 12))
            fail_if_untrusted(ended)
            passed_over.append(f"download of Python {_DOWNLOADED_PYTHON}: {last(ended)}")
            remove_tree(folder)
        raise InputError(
            "No Python was found to make the environment with. Tried:\n" + "\n".join(passed_over or ["nothing"]),
            _how_to_get_python(self._calls.variables, uv, fit),
        )


def _needed_by_qgis(variables: Mapping[str, str]) -> dict[str, str]:
    """Returns what QGIS's own Python needs to run: its folders, on Windows also to find the libraries of ssl."""
    names = ("PATH", "Path", *_PATHS_OF_QGIS) if os.name == "nt" else _PATHS_OF_QGIS
    return {name: variables[name] for name in names if name in variables}


def _how_to_get_python(variables: Mapping[str, str], uv: Uv | None, fit: Collection[tuple[int, int]]) -> str:
    if in_flatpak(variables):
        return "QGIS is a Flatpak, which sees no other Python: name one with the packages as INTERPRETER."
    if fit:
        versions = " or ".join(f"{major}.{minor}" for major, minor in sorted(fit))
        return f"Install Python {versions}, which the wheels are for, or fill the folder with those for a Python here."
    if uv is None and Path("/etc/debian_version").is_file():
        return "Install Python's tools, sudo apt install python3-venv python3-pip, and run it again."
    return "Install Python 3.12 with its installer, and run it again, or name a Python as INTERPRETER."
