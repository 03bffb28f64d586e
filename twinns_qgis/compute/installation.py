"""Setting the compute environment up: from what is on this computer to one that has taken a step of a training."""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..reporter import Reporter
from .backends import BACKENDS, TOOLS_LOCK, Backend, choose, direct_requirements, has_nvidia, locked_torch
from .empty import EmptyEnvironment
from .failures import Untrusted, fail_if_untrusted, told, why_not_installed
from .installers import Source, Uv, VenvAndPip
from .network import (
    certificate_variables,
    without_secrets,
    write_system_certificates,
)
from .place import Environment, Place, hash_of, python_in, remove_tree
from .processes import Calls
from .pythons import (
    Python,
    probe,
    why_no_wheels,
)
from .trial import crash, take_trial

_MB = 1_000_000
_VERIFY_SECONDS = 900
_HELD = ("os error 5)", "os error 32)", "WinError 5]", "WinError 32]")
"""What programs say when a virus scanner holds a file."""


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
        found = probe(interpreter, self._surroundings.variables, self._reporter.check_cancelled)
        why = found if isinstance(found, str) else found.why_unfit
        if why:
            raise InputError(f"The interpreter {interpreter} is {why}.", "Name another as INTERPRETER, or none.")
        told = self._verify(
            interpreter, backend, "Install the packages of requirements.txt into it, or leave INTERPRETER empty."
        )
        self._check_versions(interpreter, told["versions"], backend)
        self._count(interpreter, backend, own=False)
        self._place.tidy()
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
        self._place.tidy()  # first, as what was left half takes room
        self._say_what_it_takes(backend, source)
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
                "Make room, remove the environment that is there (BACKEND remove), or give INTERPRETER, a Python on "
                "another disk that has the packages.",
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
        try:
            variables = {**common, **certificate_variables(common, system)}
            return self._fill_once(folder, backend, source, scratch, variables)
        except Untrusted:
            self._reporter.info("The system's certificates don't fit; trying those that come with the programs.")
        remove_tree(folder)
        try:
            return self._fill_once(folder, backend, source, scratch, common)
        except Untrusted as refusal:
            raise InputError(
                f"A certificate on the way to the packages is not trusted. {refusal}",
                "Name your company's file of certificates in the environment variable SSL_CERT_FILE, before QGIS "
                "starts, or give WHEELS, a folder of wheels.",
            ) from refusal

    def _fill_once(
        self, folder: Path, backend: Backend, source: Source, scratch: Path, variables: Mapping[str, str]
    ) -> dict[str, Any]:
        calls = Calls(variables, self._place.environments, self._reporter)
        lock, own = self._surroundings.plugin / TOOLS_LOCK, self._surroundings.own_variables
        tools, base = EmptyEnvironment(calls, source, lock, own, scratch).make(folder)
        python = python_in(folder)
        self._reporter.progress(0.05, f"Installing the packages of {', '.join(backend.locks)}")
        self._install(calls, tools.install(python, self._surroundings.locks(backend), source), backend)
        if backend.keras == "torch" and source.index:
            self._install_torch(calls, tools, python, base, source)
        self._reporter.progress(0.9, "Taking a step of a training in the new environment")
        return self._verify(
            python, backend, "Set it up again; if that does not help, run checkcompute and report what it says."
        )

    def _install(self, calls: Calls, command: Sequence[str | Path], backend: Backend) -> None:
        watch = _Watch(self._place.environments, backend, self._reporter)
        ended = calls(command, between=watch.look)
        if not ended.good and any(word in ended.text for word in _HELD):
            self._reporter.info("A file was held, perhaps by a virus scanner; trying again.")
            ended = calls(command, between=watch.look)
        if ended.good:
            return
        fail_if_untrusted(ended)
        raise why_not_installed(ended)

    def _install_torch(self, calls: Calls, tools: Uv | VenvAndPip, python: Path, base: Python, source: Source) -> None:
        """Puts PyTorch as the index has it in the place of the locked one."""
        version = locked_torch(self._surroundings.plugin / "requirements-torch.txt", base.version)
        self._reporter.info(
            f"Installing torch {version} from INDEX; its hash is that of the index, as the lock can't know it."
        )
        variables = {**calls.variables, "UV_DEFAULT_INDEX": source.index, "PIP_INDEX_URL": source.index}
        variables.pop("UV_INDEX", None)
        variables.pop("PIP_EXTRA_INDEX_URL", None)
        ended = calls(tools.install_from(python, f"torch=={version}"), variables)
        if not ended.good:
            fail_if_untrusted(ended)
            raise InputError(
                f"torch {version} could not be installed from INDEX. {told(ended)}", "Check the address of INDEX."
            )

    def _verify(self, python: Path, backend: Backend, hint: str) -> dict[str, Any]:
        """Takes a real step of a training, as that finds what an import does not; returns what it tells."""
        variables = {**self._surroundings.variables, "KERAS_BACKEND": backend.keras}
        with _scratch() as folder:
            ended, found = take_trial(
                python, variables, seconds=_VERIFY_SECONDS, between=self._reporter.check_cancelled, folder=folder
            )
        if not ended.good or found is None or not math.isfinite(found["loss"]):
            raise InputError(
                f"The environment of {python} does not compute: {crash(ended.status)}\n{without_secrets(ended.text)}",
                hint,
            )
        if backend.name == "tensorflow-gpu" and list(found["speeds"]) == ["cpu:0"]:
            self._reporter.warning("TensorFlow does not see the GPU: update NVIDIA's driver.")
        return found

    def _count(self, python: Path, backend: Backend, *, own: bool) -> None:
        lock = hash_of(self._surroundings.locks(backend))
        self._place.mark(Environment(str(python), backend.name, backend.keras, lock, own))


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
