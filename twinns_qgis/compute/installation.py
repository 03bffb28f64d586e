"""Setting the compute environment up: from what is on this computer to one that has taken a step of a training."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..reporter import Reporter
from .backends import BACKENDS, TOOLS_LOCK, Backend, choose, direct_requirements, has_nvidia, locked_torch
from .network import (
    certificate_variables,
    is_about_certificates,
    without_secrets,
    write_system_certificates,
)
from .place import Environment, Place, hash_of, python_in, remove_tree
from .processes import Ended, run
from .pythons import (
    Python,
    by_preference,
    candidates,
    in_flatpak,
    own_python,
    probe,
    why_no_wheels,
)
from .tools import Source, Uv, VenvAndPip, pip, unpack_uv

_DOWNLOADED_PYTHON = "3.12"
_MB = 1_000_000
_VERIFY_SECONDS = 900
_HELD = ("os error 5)", "os error 32)", "WinError 5]", "WinError 32]")
"""What programs say when a virus scanner holds a file."""
_CHATTER = ("WARNING: Retrying", "Ignoring ", "Looking in ", "Collecting ")
"""How lines of pip begin that don't tell what is wrong."""
_PATHS_OF_QGIS = ("LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Args:
        backend: A word of BACKEND, ``auto`` or ``remove`` among them.
        interpreter: An existing Python to use, instead of making an environment.
        source: Where packages come from.
    """

    backend: str = "auto"
    interpreter: Path | None = None
    source: Source = field(default_factory=Source)


@dataclass(frozen=True)
class Surroundings:
    """Where the plugin runs.

    Args:
        plugin: The plugin's folder, with the locks.
        variables: The environment variables of programs of another Python than QGIS's.
        own_variables: Those of QGIS's Python.
    """

    plugin: Path
    variables: Mapping[str, str]
    own_variables: Mapping[str, str]

    def locks(self, backend: Backend) -> list[Path]:
        """Returns the locks of a backend."""
        return [self.plugin / name for name in backend.locks]


def is_outdated(environment: Environment, plugin: Path) -> bool:
    """Returns whether an environment was made from other locks than those of this version of the plugin."""
    backend = BACKENDS.get(environment.backend)
    return backend is None or environment.lock != hash_of([plugin / name for name in backend.locks])


class Installation:
    """One call of setting up.

    Args:
        place: Where environments of this profile lie.
        surroundings: Where the plugin runs.
        reporter: Hears of the progress, and knows whether the user cancelled.
    """

    def __init__(self, place: Place, surroundings: Surroundings, reporter: Reporter) -> None:
        self._place = place
        self._surroundings = surroundings
        self._reporter = reporter
        self._variables = dict(surroundings.variables)

    def run(self, request: Request) -> dict[str, Any]:
        """Makes, replaces or removes the environment.

        Returns:
            What the trial of the environment found, empty after a removal.

        Raises:
            InputError: It can't be done; whatever environment there was counts as before.
            Cancelled: The user stopped it.
        """
        with self._place.locked():
            if request.backend == "remove":
                self._remove()
                return {}
            variables = self._surroundings.variables
            # Of a Python that is there already, what it computes on is the user's choice.
            nvidia = has_nvidia(variables) or (request.interpreter is not None and request.backend != "auto")
            backend = choose(request.backend, nvidia=nvidia, index=request.source.index)
            if request.interpreter is not None:
                return self._use(request.interpreter, backend)
            return self._make(backend, request.source)

    def _remove(self) -> None:
        if not self._place.remove():
            raise InputError(
                f"Some files of the compute environment in {self._place.environments} are in use, and stay.",
                "Close other programs, or start the computer anew, and remove it again.",
            )
        self._reporter.info("The compute environment was removed.")

    def _use(self, interpreter: Path, backend: Backend) -> dict[str, Any]:
        found = probe(interpreter, self._variables, self._reporter.check_cancelled)
        why = found if isinstance(found, str) else found.why_unfit
        if why:
            raise InputError(f"The interpreter {interpreter} is {why}.", "Name another as INTERPRETER, or none.")
        told = self._verify(interpreter, backend)
        self._check_versions(interpreter, told["versions"], backend)
        self._count(interpreter, backend, own=False)
        return told

    def _check_versions(self, interpreter: Path, versions: Mapping[str, str], backend: Backend) -> None:
        for name, locked in direct_requirements(self._surroundings.locks(backend)):
            there = versions.get(name.lower())
            if name == "tensorflow" and backend.keras != "tensorflow":
                continue
            if there is None or int(there.split(".")[0]) < min(int(number.split(".")[0]) for number in locked):
                expected = " or ".join(sorted(locked))
                raise InputError(
                    f"{interpreter} has {name} {there}, expected {expected}."
                    if there
                    else f"{interpreter} has no {name}, expected {expected}.",
                    "Install the packages of requirements.txt into it, or leave INTERPRETER empty.",
                )
            if there not in locked:
                self._reporter.info(f"{name} is {there}; TWINNS was tested with {' and '.join(sorted(locked))}.")

    def _make(self, backend: Backend, source: Source) -> dict[str, Any]:
        if why_no_wheels():
            raise InputError(f"{why_no_wheels()}.", "Name a Python that has the packages as INTERPRETER.")
        if source.wheels is not None and not source.wheels.is_dir():
            raise InputError(f"The folder of wheels {source.wheels} is not there.", "Name the folder as WHEELS.")
        self._place.environments.mkdir(parents=True, exist_ok=True)
        self._say_what_it_takes(backend, source)
        self._place.tidy()
        folder = self._place.new_folder()
        try:
            with _scratch() as scratch:
                found = self._fill(folder, backend, source, scratch)
            self._count(python_in(folder), backend, own=True)
        except BaseException:
            remove_tree(folder)
            raise
        self._place.tidy()
        remove_tree(self._place.cache)
        return found

    def _say_what_it_takes(self, backend: Backend, source: Source) -> None:
        folder = self._place.environments
        free = shutil.disk_usage(folder).free // _MB
        if source.wheels is None:
            self._reporter.info(f"About {backend.download} MB are downloaded, fewer where a part is there already.")
        self._reporter.info(f"{backend.name} takes about {backend.disk} MB in {folder}, where {free} MB are free.")
        if free < backend.disk:
            raise InputError(
                f"The disk of {folder} has {free} MB free, the compute environment takes about {backend.disk} MB.",
                "Make room, or give INTERPRETER, a Python on another disk that has the packages.",
            )
        if source.wheels is None and backend.keras == "torch" and sys.platform == "win32" and not source.index:
            self._reporter.warning("Without INDEX, PyTorch on Windows computes on the processor alone.")

    def _fill(self, folder: Path, backend: Backend, source: Source, scratch: Path) -> dict[str, Any]:
        certificates = scratch / "system.pem"
        system = certificates if write_system_certificates(certificates) else None
        common = {
            **self._surroundings.variables,
            "UV_CACHE_DIR": str(self._place.cache),
            "UV_PYTHON_INSTALL_DIR": str(self._place.pythons),
            **source.uv_variables(),
            **source.pip_variables(),
        }
        self._variables = {**common, **certificate_variables(common, system)}
        try:
            return self._fill_once(folder, backend, source, scratch)
        except _Untrusted:
            self._reporter.info("The system's certificates don't fit; trying those that come with the programs.")
        remove_tree(folder)
        self._variables = common
        try:
            return self._fill_once(folder, backend, source, scratch)
        except _Untrusted as refusal:
            raise InputError(
                f"A certificate on the way to the packages is not trusted. {refusal}",
                "Name your company's file of certificates in the environment variable SSL_CERT_FILE, before QGIS "
                "starts, or give WHEELS, a folder of wheels.",
            ) from refusal

    def _fill_once(self, folder: Path, backend: Backend, source: Source, scratch: Path) -> dict[str, Any]:
        self._reporter.progress(0.01, "Looking for Python")
        pythons, passed_over = self._pythons()
        uv = self._uv(pythons, source, scratch)
        base = self._make_environment(uv, pythons, passed_over, folder, source)
        tools: Uv | VenvAndPip = uv or VenvAndPip()
        python = python_in(folder)
        self._reporter.progress(0.05, f"Installing the packages of {', '.join(backend.locks)}")
        self._install(tools.install(python, self._surroundings.locks(backend), source), backend)
        if backend.keras == "torch" and source.index:
            self._install_torch(tools, python, base, source)
        self._reporter.progress(0.9, "Taking a step of a training in the new environment")
        return self._verify(python, backend)

    def _pythons(self) -> tuple[list[Python], list[str]]:
        """Returns the Pythons of this computer that answer, QGIS's own last, and what was passed over, in words."""
        pythons, passed_over = [], []
        ways = [(path, self._variables) for path in candidates(self._variables)]
        own = {**self._variables, **_needed_by_qgis(self._surroundings.own_variables)}
        ways += [(own_python(), own)] if not in_flatpak(self._variables) else []
        for path, variables in ways:
            found = probe(path, variables, self._reporter.check_cancelled)
            if isinstance(found, str):
                passed_over.append(f"{path}: {found.splitlines()[0]}")
            elif found not in pythons:
                pythons.append(found)
                if found.why_unfit:
                    passed_over.append(f"{path}: {found.why_unfit}")
        return pythons, passed_over

    def _uv(self, pythons: Sequence[Python], source: Source, scratch: Path) -> Uv | None:
        """Returns uv, out of the folder of wheels or downloaded by any pip of this computer; None if there is none."""
        lock = self._surroundings.plugin / TOOLS_LOCK
        if source.wheels is not None:
            found = self._working(unpack_uv(source.wheels, lock, scratch))
        else:
            found = next(filter(None, (self._downloaded_uv(python, lock, scratch) for python in pythons)), None)
        there = shutil.which("uv", path=self._variables.get("PATH", ""))
        return found or self._working(Path(there) if there else None)

    def _downloaded_uv(self, python: Python, lock: Path, scratch: Path) -> Uv | None:
        """Downloads uv by the pip of a Python, its hash checked."""
        if not python.ssl or not (python.pip or python.venv):
            return None
        self._reporter.progress(0.02, "Downloading the installer uv")
        own = _needed_by_qgis(self._surroundings.own_variables) if python.path == own_python() else {}
        variables = {**self._variables, **own}
        helper = scratch / "helper"
        if not python.pip and not self._call([python.path, "-m", "venv", helper], variables).good:
            return None
        caller = pip(python.path if python.pip else python_in(helper))
        options = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
        ended = self._call([*caller, "download", *options, "-r", lock, "-d", scratch], variables)
        if ended.good:
            self._take_index_of_pip(caller, variables)
            return self._working(unpack_uv(scratch, lock, scratch))
        self._fail_if_untrusted(ended)
        self._reporter.info(f"uv could not be downloaded by {python}: {_last(ended)}")
        return None

    def _take_index_of_pip(self, caller: Sequence[str | Path], variables: Mapping[str, str]) -> None:
        """Lets uv use the package index that the user has set for pip: uv does not read pip's settings."""
        if {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & self._variables.keys():
            return
        lines: list[str] = []
        run([*caller, "config", "get", "global.index-url"], variables, hear=lines.append)
        index = variables.get("PIP_INDEX_URL") or next((line for line in lines if "://" in line), "")
        if index:
            self._variables["UV_DEFAULT_INDEX"] = index.strip()

    def _working(self, program: Path | None) -> Uv | None:
        if program is None or not self._call([program, "--version"]).good:
            return None
        return Uv(program)

    def _make_environment(
        self, uv: Uv | None, pythons: Sequence[Python], passed_over: list[str], folder: Path, source: Source
    ) -> Python:
        """Makes the empty environment; returns the Python in it."""
        for base in by_preference(list(pythons)):
            if uv is None and not base.venv:
                passed_over.append(f"{base.path}: it lacks venv or ensurepip")
                continue
            # QGIS's own Python on Windows and macOS finds its libraries in QGIS alone.
            if base.path == own_python() and not sys.platform.startswith("linux"):
                continue
            ended = self._call((uv or VenvAndPip()).make(base, folder))
            if ended.good:
                self._reporter.info(f"The environment is made of {base}, by {'uv' if uv else 'venv and pip'}.")
                return base
            passed_over.append(f"{base.path}: {_last(ended)}")
            remove_tree(folder)
        if uv is not None and source.wheels is None:
            self._reporter.progress(0.03, f"Downloading Python {_DOWNLOADED_PYTHON}")
            ended = self._call(uv.make(_DOWNLOADED_PYTHON, folder))
            if ended.good:
                self._reporter.info(f"The environment is made of Python {_DOWNLOADED_PYTHON}, which was downloaded.")
                return Python(python_in(folder), (3, 12))
            self._fail_if_untrusted(ended)
            passed_over.append(f"download of Python {_DOWNLOADED_PYTHON}: {_last(ended)}")
            remove_tree(folder)
        raise InputError(
            "No Python was found to make the environment with. Tried:\n" + "\n".join(passed_over or ["nothing"]),
            _how_to_get_python(self._variables, uv),
        )

    def _install(self, command: Sequence[str | Path], backend: Backend) -> None:
        watch = _Watch(self._place.environments, backend, self._reporter)
        ended = self._call(command, between=watch.look)
        if not ended.good and any(word in ended.text for word in _HELD):
            self._reporter.info("A file was held, perhaps by a virus scanner; trying again.")
            ended = self._call(command, between=watch.look)
        if ended.good:
            return
        self._fail_if_untrusted(ended)
        raise _why_not_installed(ended)

    def _install_torch(self, tools: Uv | VenvAndPip, python: Path, base: Python, source: Source) -> None:
        """Puts PyTorch as the index has it in the place of the locked one."""
        version = locked_torch(self._surroundings.plugin / "requirements-torch.txt", base.version)
        self._reporter.info(
            f"Installing torch {version} from INDEX; its hash is that of the index, as the lock can't know it."
        )
        variables = {**self._variables, "UV_DEFAULT_INDEX": source.index, "PIP_INDEX_URL": source.index}
        variables.pop("UV_INDEX", None)
        variables.pop("PIP_EXTRA_INDEX_URL", None)
        ended = self._call(tools.install_from(python, f"torch=={version}"), variables)
        if not ended.good:
            self._fail_if_untrusted(ended)
            raise InputError(
                f"torch {version} could not be installed from INDEX. {_told(ended)}", "Check the address of INDEX."
            )

    def _verify(self, python: Path, backend: Backend) -> dict[str, Any]:
        """Takes a real step of a training, as that finds what an import does not; returns what it tells."""
        lines: list[str] = []
        variables = {**self._surroundings.variables, "KERAS_BACKEND": backend.keras}
        with _scratch() as folder:
            ended = run(
                [python, "-m", "twinns_qgis.training.trial"],
                variables,
                folder=folder,
                hear=lines.append,
                between=self._reporter.check_cancelled,
                seconds=_VERIFY_SECONDS,
            )
        found = tried(lines)
        if not ended.good or found is None or not math.isfinite(found["loss"]):
            raise InputError(
                f"The environment of {python} does not compute: {crash(ended.status)}\n{without_secrets(ended.text)}",
                "Set it up again; if that does not help, run checkcompute and report what it says.",
            )
        if backend.name == "tensorflow-gpu" and list(found["speeds"]) == ["cpu:0"]:
            self._reporter.warning("TensorFlow does not see the GPU: update NVIDIA's driver.")
        return found

    def _count(self, python: Path, backend: Backend, *, own: bool) -> None:
        lock = hash_of(self._surroundings.locks(backend))
        self._place.mark(Environment(str(python), backend.name, backend.keras, lock, own))

    def _call(
        self,
        command: Sequence[str | Path],
        variables: Mapping[str, str] | None = None,
        between: Callable[[], None] | None = None,
    ) -> Ended:
        return run(
            command,
            self._variables if variables is None else variables,
            folder=self._place.environments,
            between=between or self._reporter.check_cancelled,
        )

    def _fail_if_untrusted(self, ended: Ended) -> None:
        if is_about_certificates(ended.text):
            raise _Untrusted(_told(ended))


class _Untrusted(Exception):
    """A certificate is not trusted."""


class _Watch:
    """Tells the progress of an installation by the room that it takes: programs tell it in words of their own."""

    def __init__(self, folder: Path, backend: Backend, reporter: Reporter) -> None:
        self._folder = folder
        self._expected = backend.disk * _MB
        self._reporter = reporter
        self._before = self._free()
        self._told = 0.05

    def _free(self) -> int:
        return shutil.disk_usage(self._folder).free

    def look(self) -> None:
        self._reporter.check_cancelled()
        taken = self._before - self._free()
        share = 0.05 + 0.85 * min(1.0, max(0.0, taken / self._expected))
        # QGIS adds each text to its log, so they are few.
        if share > self._told + 0.1:
            self._told = share
            self._reporter.progress(share, f"Installing: {taken // _MB} of about {self._expected // _MB} MB are there")
        else:
            self._reporter.progress(share)


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder for what is needed meanwhile; a virus scanner that holds a file in it is no failure."""
    folder = Path(tempfile.mkdtemp(prefix="twinns"))
    try:
        yield folder
    finally:
        remove_tree(folder)


def tried(lines: Sequence[str]) -> dict[str, Any] | None:
    """Returns what a trial told on one of the lines, None if it did not get so far."""
    for line in reversed(lines):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and {"loss", "speeds", "versions"} <= found.keys():
            return found
    return None


def crash(status: int) -> str:
    """Returns in words how a program ended."""
    if status < 0:
        return f"it was ended by signal {-status}."
    return f"it ended with status {status}." if status < 256 else f"it crashed with 0x{status & 0xFFFFFFFF:08X}."


def _needed_by_qgis(variables: Mapping[str, str]) -> dict[str, str]:
    """Returns what QGIS's own Python needs to run: its folders, on Windows also to find the libraries of ssl."""
    names = ("PATH", "Path", *_PATHS_OF_QGIS) if os.name == "nt" else _PATHS_OF_QGIS
    return {name: variables[name] for name in names if name in variables}


def _why_not_installed(ended: Ended) -> InputError:
    text = ended.text.lower()
    if "hash" in text and ("mismatch" in text or "do not match" in text or "does not match" in text):
        return InputError(
            f"A package has another hash than the lock: it is damaged, or not the one that was tested. {_told(ended)}",
            "Try again; if that does not help, a proxy or the package index changes files: ask its keeper.",
        )
    if "no space" in text or "os error 112" in text or "disk quota" in text:
        return InputError(f"The disk is full. {_told(ended)}", "Make room and run it again.")
    if any(word in text for word in ("407", "proxy auth")):
        return InputError(
            f"The proxy refuses user or password. {_told(ended)}",
            "Set them in Settings > Options > Network.",
        )
    return InputError(
        f"The packages could not be installed. {_told(ended)}",
        "Check the network and the proxy in Settings > Options > Network, and run it again: what was downloaded is "
        "kept. Without a network, give WHEELS, a folder of wheels.",
    )


def _how_to_get_python(variables: Mapping[str, str], uv: Uv | None) -> str:
    if in_flatpak(variables):
        return "QGIS is a Flatpak, which sees no other Python: name one with the packages as INTERPRETER."
    if uv is None and Path("/etc/debian_version").is_file():
        return "Install Python's tools, sudo apt install python3-venv python3-pip, and run it again."
    return "Install Python 3.12 with its installer, and run it again, or name a Python as INTERPRETER."


def _told(ended: Ended) -> str:
    lines = [line for line in ended.text.splitlines() if not line.startswith(_CHATTER)]
    return without_secrets("\n".join(["The installer said:", *lines]))


def _last(ended: Ended) -> str:
    lines = without_secrets(ended.text).splitlines()
    return lines[-1].strip() if lines else f"exit status {ended.status}"
