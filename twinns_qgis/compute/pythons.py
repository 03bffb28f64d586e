"""The Pythons of this computer: where they may lie, and what each is."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .processes import run

OLDEST, NEWEST = (3, 10), (3, 13)
"""The versions that the locked packages have wheels for."""
_PREFERRED = ((3, 12), (3, 13), (3, 11), (3, 10))
_PROBE_SECONDS = 20
_PROBE = """
import json, platform, struct, sys
def has(name):
    try:
        __import__(name)
    except Exception:
        return False
    return True
print(json.dumps({
    "version": list(sys.version_info[:2]), "bits": 8 * struct.calcsize("P"), "libc": platform.libc_ver()[0],
    "pip": has("pip"), "venv": has("venv") and has("ensurepip"), "ssl": has("ssl"),
}))
"""


@dataclass(frozen=True)
class Python:
    """A Python that answers.

    Args:
        path: Its executable.
        version: Its major and minor version.
        bits: 64, or 32.
        libc: The name of its C library, ``glibc`` or ``musl`` on Linux.
        pip: Whether it has pip.
        venv: Whether it makes environments with pip in them.
        ssl: Whether it can reach the network.
    """

    path: Path
    version: tuple[int, int]
    bits: int = 64
    libc: str = ""
    pip: bool = True
    venv: bool = True
    ssl: bool = True

    def __str__(self) -> str:
        return f"Python {self.version[0]}.{self.version[1]} ({self.path})"

    @property
    def why_unfit(self) -> str:
        """Why the locked packages don't run on it; empty if they do."""
        if not OLDEST <= self.version <= NEWEST:
            return f"Python {self.version[0]}.{self.version[1]}, Python 3.10 to 3.13 is needed"
        if self.bits != 64:
            return f"a Python of {self.bits} bits, 64 are needed"
        if self.libc == "musl":
            return "a Python for musl, for which TensorFlow has no wheels"
        return ""


def probe(path: Path, variables: Mapping[str, str], between: Callable[[], None] = lambda: None) -> Python | str:
    """Returns what a program is: a Python, or in words why it is none.

    Args:
        path: The program.
        variables: The environment variables that it would run with.
        between: Is called several times a second, and may raise.
    """
    # Starting QGIS as if it were a Python opens a second QGIS.
    if os.path.basename(os.path.realpath(path)).lower().startswith("qgis"):  # noqa: PTH119
        return "QGIS itself, not a Python"
    lines: list[str] = []
    ended = run([path, "-c", _PROBE], variables, hear=lines.append, between=between, seconds=_PROBE_SECONDS)
    try:
        answer = json.loads(lines[-1])
        version = (int(answer["version"][0]), int(answer["version"][1]))
        return Python(path, version, *(answer[name] for name in ("bits", "libc", "pip", "venv", "ssl")))
    except (IndexError, ValueError, KeyError, TypeError):
        return f"not a working Python: {ended.text or f'exit status {ended.status}'}"


def by_preference(pythons: list[Python]) -> list[Python]:
    """Returns those of the Pythons that the locked packages run on, the best first."""
    fit = [python for python in pythons if not python.why_unfit]
    return sorted(fit, key=lambda python: _PREFERRED.index(python.version))


def candidates(variables: Mapping[str, str]) -> Iterator[Path]:
    """Yields where Pythons may lie, those of QGIS apart; each that is there, once."""
    seen: set[str] = set()
    for path in _places(variables):
        real = os.path.realpath(path)
        if path.is_file() and real not in seen and not _asks_for_developer_tools(path):
            seen.add(real)
            yield path


def own_python() -> Path:
    """Returns the Python that this code runs in: `sys.executable` is QGIS itself on Windows and macOS."""
    if sys.platform == "win32":
        return Path(sys.prefix) / "python.exe"
    names = (f"python{sys.version_info[0]}.{sys.version_info[1]}", "python3")
    found = [Path(sys.prefix) / "bin" / name for name in names]
    if sys.platform == "darwin":
        found += [Path(sys.executable).parent / "bin" / name for name in names]  # Contents/MacOS/bin in QGIS's bundle
    return next((path for path in found if path.is_file()), Path(sys.executable))


def in_flatpak(variables: Mapping[str, str]) -> bool:
    """Returns whether QGIS is a Flatpak: it sees none of the system's Pythons, and brings no pip."""
    return "FLATPAK_ID" in variables or Path("/.flatpak-info").exists()


def why_no_wheels() -> str:
    """Returns why the packages can't run on this kind of computer at all; empty if they can."""
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        return "TensorFlow has no packages for Macs with Intel processors any more"
    return ""


def _places(variables: Mapping[str, str]) -> Iterator[Path]:
    names = [f"python{major}.{minor}" for major, minor in _PREFERRED] + ["python3", "python"]
    if sys.platform == "win32":
        names = ["python"]
        local = Path(variables.get("LOCALAPPDATA", ""))
        roots = [local / "Programs" / "Python", Path("C:/"), Path("C:/Program Files")]
        for major, minor in _PREFERRED:
            yield local / "Python" / f"pythoncore-{major}.{minor}-64" / "python.exe"  # of Python's install manager
            yield from (root / f"Python{major}{minor}" / "python.exe" for root in roots)
    elif sys.platform == "darwin":
        folders = ["/opt/homebrew/bin", "/usr/local/bin"]
        folders += [f"/Library/Frameworks/Python.framework/Versions/{a}.{b}/bin" for a, b in _PREFERRED]
        yield from (Path(folder) / name for folder in folders for name in names)
    for folder in variables.get("PATH", "").split(os.pathsep):
        # The shop's stand-ins for Python on Windows open the shop.
        if folder and "WindowsApps" not in folder:
            for name in names:
                found = shutil.which(name, path=folder)
                if found:
                    yield Path(found)


def _asks_for_developer_tools(path: Path) -> bool:
    """Apple's stand-in opens a window that offers to install its developer tools."""
    return sys.platform == "darwin" and os.path.realpath(path).startswith("/usr/bin/")
