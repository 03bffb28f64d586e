"""The text that tells what computes here, what is wrong and what to do, with nothing personal in it."""

from __future__ import annotations

import getpass
import math
import os
import platform
import re
import shutil
import socket
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .backends import has_nvidia
from .network import without_secrets
from .pythons import probe
from .trial import crash, take_trial

_MB = 1_000_000
_SECONDS = 600
_LOW_DISK = 5000
"""MB that the blocks and outputs of a map may take."""
_LOW_MEMORY = 4000
_SHOWN = (
    "tensorflow", "jax", "torch", "keras", "numpy", "scipy", "scikit-learn", "rasterio", "geopandas", "pyogrio", "dask",
)  # fmt: skip
_VARIABLES = (
    "TWINNS_PYTHON", "KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", "XLA_FLAGS", "TF_XLA_FLAGS",
    "OMP_NUM_THREADS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",
)  # fmt: skip
_ADDRESSES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
"""Variables that hold a company's names, and may hold a password."""
_SHORTEST_NAME = 3
"""A user's name of one or two letters is a part of too many words to be taken out."""
_NOBODY = {
    "admin", "cpu", "cuda", "debian", "default", "fedora", "keras", "linux", "local", "localhost", "memory", "profile",
    "profiles", "python", "python3", "qgis", "qgis3", "qgis4", "root", "system", "test", "twinns", "ubuntu", "user",
    "users", "windows",
}  # fmt: skip
"""Names of users and computers that tell nothing of anybody, and that the report needs for other things."""
_FOLDERS_OF_USERS = re.compile(
    r"([\\/](?:Users|home)[\\/]+)(?:[^\\/\n:;,'\"]+(?=[\\/])|[^\\/\s:;,'\"]+)", re.IGNORECASE
)


def examine(
    python: Path | None,
    variables: Mapping[str, str],
    *,
    origin: str,
    folder: Path,
    facts: Mapping[str, str],
    wrong: Sequence[str] = (),
    told: Mapping[str, Any] | None = None,
    between: Callable[[], None] = lambda: None,
) -> str:
    """Returns the report on an interpreter.

    Args:
        python: The interpreter; it need not be there. None if none was named.
        variables: The environment variables that the worker runs with.
        origin: Who named it.
        folder: A folder on the disk that counts.
        facts: What is known of QGIS and its settings.
        wrong: What is known to be wrong already, and what to do.
        told: What a trial of it has told a moment ago; without it one is made.
        between: Is called several times a second, and may raise.
    """
    problems = list(wrong)
    lines = ["TWINNS for QGIS: the compute environment", ""]
    lines += [f"{name}: {value}" for name, value in facts.items()]
    lines += [f"System: {platform.platform()}, {platform.machine()}, {os.cpu_count()} processors"]
    lines += _room(folder, problems)
    lines += [f"Interpreter: {python} ({origin})" if python else "Interpreter: none"]
    if told is not None:
        lines += _told(told, problems)
    elif python is not None and python.is_file():
        lines += _trial(python, variables, problems, between)
    elif not problems:
        missing = f"There is no {python}" if python else "There is no compute environment"
        problems.append(f"{missing}: run 'Set up the compute environment' (twinns:setupcompute).")
    lines += [f"Variable {name}: {variables[name]}" for name in _VARIABLES if variables.get(name)]
    lines += [f"Variable {name}: is set" for name in _ADDRESSES if variables.get(name)]
    lines += ["", "What is wrong:", *(f"- {problem}" for problem in problems or ["nothing was found"])]
    return anonymous("\n".join(lines)) + "\n"


def anonymous(text: str) -> str:
    """Returns a text without the home folder, the names of user and computer, and passwords in addresses."""
    text = without_secrets(unicodedata.normalize("NFC", text))
    for spelling in sorted(_spellings_of_home(), key=len, reverse=True):
        text = re.sub(re.escape(spelling) + r"(?![\w-])", "~", text, flags=re.IGNORECASE)
    text = _FOLDERS_OF_USERS.sub(r"\1***", text)
    for name in _personal_names():
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "***", text, flags=re.IGNORECASE)
    return text


def _spellings_of_home() -> set[str]:
    """Returns how the home folder may be written: with either slash, doubled in quotes, as a part of an address."""
    found = set()
    for home in (str(Path.home()), os.path.realpath(Path.home())):
        slashes = home.replace("\\", "/")
        found |= {home, slashes, home.replace("\\", "\\\\"), quote(slashes), quote(slashes, safe="/:")}
    return {unicodedata.normalize("NFC", spelling) for spelling in found if len(spelling) > _SHORTEST_NAME}


def _personal_names() -> Iterator[str]:
    names = [socket.gethostname(), socket.gethostname().partition(".")[0], Path.home().name]
    with suppress(Exception):  # a user without a name, in a container
        names.append(getpass.getuser())
    for name in sorted(names, key=len, reverse=True):
        if len(name) >= _SHORTEST_NAME and name.lower() not in _NOBODY:
            yield unicodedata.normalize("NFC", name)


def _room(folder: Path, problems: list[str]) -> list[str]:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free // _MB
    lines = [f"Disk: {free} MB free at {existing}"]
    if free < _LOW_DISK:
        problems.append(f"The disk has {free} MB left: make room, as maps and their blocks need some.")
    memory = _memory()
    if memory is not None:
        lines.append(f"Memory: {memory[1]} MB, of which {memory[0]} MB are available")
        if memory[0] < _LOW_MEMORY:
            problems.append(f"{memory[0]} MB of memory are available: close other programs, or lower MEMORY.")
    return lines


def _memory() -> tuple[int, int] | None:
    """Returns the memory that is available and that there is, in MB; None if the system does not tell."""
    if sys.platform == "win32":
        return _memory_of_windows()
    with suppress(OSError, ValueError, KeyError):
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        found = dict(re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE))
        return int(found["MemAvailable"]) * 1024 // _MB, int(found["MemTotal"]) * 1024 // _MB
    return None


def _memory_of_windows() -> tuple[int, int] | None:
    import ctypes

    # MEMORYSTATUSEX: two numbers of 32 bits, then seven of 64, of which total and available memory come first.
    status = (ctypes.c_ulonglong * 8)()
    ctypes.cast(status, ctypes.POINTER(ctypes.c_ulong))[0] = ctypes.sizeof(status)
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(status):  # type: ignore[attr-defined,unused-ignore]
        return None
    return status[2] // _MB, status[1] // _MB


def _trial(python: Path, variables: Mapping[str, str], problems: list[str], between: Callable[[], None]) -> list[str]:
    found = probe(python, variables, between)
    why = found if isinstance(found, str) else found.why_unfit
    if why:
        problems.append(f"The interpreter is {why}. Run 'Set up the compute environment' (twinns:setupcompute).")
        return []
    ended, told = take_trial(python, variables, seconds=_SECONDS, between=between)
    if not ended.good or told is None:
        problems.append(
            f"The environment does not compute: {crash(ended.status)} Set it up again (twinns:setupcompute). Its last "
            f"words:\n{ended.text}"
        )
        return []
    return _told(told, problems)


def _told(told: Mapping[str, Any], problems: list[str]) -> list[str]:
    versions = ", ".join(f"{name} {told['versions'][name]}" for name in _SHOWN if name in told["versions"])
    lines = [f"Python {told['python']} with {versions}", f"Keras computes with {told['backend']}"]
    lines += [f"Device {name}: {speed} GFLOP/s in float32" for name, speed in told["speeds"].items()]
    lines += [f"A step of a training: a loss of {told['loss']:.3f}"]
    if not math.isfinite(told["loss"]):
        problems.append("A step of a training gives no number. Set the environment up again (twinns:setupcompute).")
    if list(told["speeds"]) != ["cpu:0"]:
        return lines
    lines += ["GPU: none is seen"]
    if has_nvidia(os.environ):
        problems.append(
            "There is an NVIDIA GPU, but it is not used: set the environment up for it (twinns:setupcompute), BACKEND "
            "tensorflow-gpu or jax on Linux, torch with INDEX on Windows, or update the driver."
        )
    elif told["backend"] == "tensorflow" and any(name.startswith("nvidia-") for name in told["versions"]):
        problems.append(
            "The environment was made for an NVIDIA GPU, and this computer has no driver of NVIDIA: install it, or set "
            "the environment up for the processor (twinns:setupcompute, BACKEND tensorflow)."
        )
    return lines
