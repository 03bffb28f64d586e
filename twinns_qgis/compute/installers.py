"""The programs that install packages: uv, which also brings Python, or else a Python's own venv and pip."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .pythons import Python


@dataclass(frozen=True)
class Source:
    """Where packages come from.

    Args:
        wheels: A folder of wheels, instead of the network.
        index: A package index to look in before the usual one.
    """

    wheels: Path | None = None
    index: str = ""

    def uv_variables(self) -> dict[str, str]:
        """Returns the environment variables that tell uv; an address may hold a password, so it is no argument."""
        # Every package has its hash in the lock, so it does not matter which index it comes from.
        return {"UV_INDEX": self.index, "UV_INDEX_STRATEGY": "unsafe-best-match"} if self.index else {}

    def pip_variables(self) -> dict[str, str]:
        """Returns the environment variables that tell pip."""
        return {"PIP_EXTRA_INDEX_URL": self.index} if self.index else {}

    def versions(self) -> set[tuple[int, int]]:
        """Returns the versions of Python that the folder of wheels is for; empty if it is for any."""
        names = " ".join(path.name for path in self.wheels.glob("*.whl")) if self.wheels else ""
        return {(3, int(minor)) for minor in re.findall(r"-cp3(\d+)-cp3\1m?-", names)}

    def arguments(self) -> list[str]:
        """Returns the arguments that tell either."""
        # As an address: uv takes what follows a # in a path for a part of one.
        return ["--no-index", "--find-links", self.wheels.absolute().as_uri()] if self.wheels else []


@dataclass(frozen=True)
class Uv:
    """The commands of uv.

    Args:
        program: Its executable.
    """

    program: Path

    def make(self, base: Python | str, folder: Path) -> list[str | Path]:
        """Returns the command that makes an environment, of a Python or of a version that it is to download."""
        chosen: list[str | Path] = [base.path] if isinstance(base, Python) else [base, "--managed-python"]
        return [self.program, "venv", "--no-project", "--python", *chosen, folder]

    def install(self, python: Path, locks: Sequence[Path], source: Source) -> list[str | Path]:
        """Returns the command that installs the packages of locks, their hashes checked."""
        command = [*self._installing(python), "--require-hashes", *source.arguments()]
        return [*command, *(word for lock in locks for word in ("-r", lock))]

    def install_from(self, python: Path, requirement: str) -> list[str | Path]:
        """Returns the command that installs one package from UV_DEFAULT_INDEX, whatever its hash."""
        return [*self._installing(python), "--no-deps", "--reinstall", requirement]

    def _installing(self, python: Path) -> list[str | Path]:
        return [self.program, "pip", "install", "--no-build", "--python", python]


@dataclass(frozen=True)
class VenvAndPip:
    """The commands of a Python's own tools."""

    def make(self, base: Python, folder: Path) -> list[str | Path]:
        """Returns the command that makes an environment."""
        return [base.path, "-m", "venv", folder]

    def install(self, python: Path, locks: Sequence[Path], source: Source) -> list[str | Path]:
        """Returns the command that installs the packages of locks, their hashes checked."""
        command = [*pip(python), "install", "--require-hashes", "--only-binary", ":all:"]
        return [*command, *source.arguments(), *(word for lock in locks for word in ("-r", lock))]

    def install_from(self, python: Path, requirement: str) -> list[str | Path]:
        """Returns the command that installs one package from PIP_INDEX_URL, whatever its hash."""
        return [*pip(python), "install", "--no-deps", "--only-binary", ":all:", "--force-reinstall", requirement]


def pip(python: Path) -> list[str | Path]:
    """Returns how the pip of a Python is called."""
    return [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]


def unpack_uv(folder: Path, lock: Path, target: Path) -> Path | None:
    """Takes the program out of a wheel of uv that the lock knows.

    Args:
        folder: Where the wheel may lie.
        lock: The lock of uv.
        target: The folder to put it into.

    Returns:
        The program, None if the folder holds no wheel of uv for this lock.

    Raises:
        InputError: The wheel is not the one that was locked.
    """
    text = lock.read_text(encoding="utf-8")
    version = re.search(r"^uv==(\S+)", text, re.MULTILINE)
    wheels = sorted(folder.glob(f"uv-{version[1] if version else ''}-*.whl"))
    for wheel in filter(_is_for_this_computer, wheels):
        if f"sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" not in text:
            raise InputError(
                f"The hash of {wheel} is not the one that the lock has: the file is damaged, or another.",
                "Remove it, and download it anew.",
            )
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if re.fullmatch(r"uv-[^/]+\.data/scripts/uv(\.exe)?", name):
                    program = target / name.rpartition("/")[2]
                    with archive.open(name) as packed, program.open("wb") as file:
                        shutil.copyfileobj(packed, file)
                    program.chmod(0o755)
                    return program
    return None


def _is_for_this_computer(wheel: Path) -> bool:
    system = {"win32": "win_", "darwin": "macosx"}.get(sys.platform, "manylinux")
    machines = ("arm64", "aarch64") if platform.machine().lower() in ("arm64", "aarch64") else ("x86_64", "amd64")
    return system in wheel.name and any(machine in wheel.name for machine in machines)
