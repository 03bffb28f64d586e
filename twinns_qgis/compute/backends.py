"""What the compute environment can be made for, from which locks, and what that takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError


@dataclass(frozen=True)
class Backend:
    """What an environment can be made for.

    Args:
        name: The word of BACKEND.
        keras: Keras' backend.
        locks: The locks of its packages, in the plugin's folder.
        download: How much is downloaded, in MB.
        disk: How much room it takes, in MB.
    """

    name: str
    keras: str
    locks: tuple[str, ...]
    download: int
    disk: int


_BASE = "requirements.txt"
BACKENDS: Mapping[str, Backend] = {
    backend.name: backend
    for backend in (
        Backend("tensorflow", "tensorflow", (_BASE,), 820, 2800),
        Backend("tensorflow-gpu", "tensorflow", (_BASE, "requirements-cuda.txt"), 3650, 9500),
        Backend("jax", "jax", (_BASE, "requirements-jax.txt"), 4150, 10500),
        Backend("torch", "torch", (_BASE, "requirements-torch.txt"), 3850, 10000),
    )
}
"""All of them, by their words; the sizes are those on Linux, the largest."""
TOOLS_LOCK = "requirements-uv.txt"
"""The lock of the program that installs."""
_TORCH = re.compile(r"^torch==(\S+?)(?: ; (.*?))? \\$", re.MULTILINE)


def choose(name: str, *, nvidia: bool, index: str = "", platform: str = sys.platform) -> Backend:
    """Returns what to make the environment for.

    Args:
        name: The word of BACKEND; ``auto`` uses NVIDIA's GPU, where there is one and a way to.
        nvidia: Whether there is a GPU of NVIDIA.
        index: A package index that was given, where PyTorch for a GPU on Windows comes from.
        platform: The system, as Python calls it.

    Raises:
        InputError: It can't be had on this computer.
    """
    if name == "auto":
        if nvidia and platform.startswith("linux"):
            return BACKENDS["tensorflow-gpu"]
        return BACKENDS["torch" if nvidia and index and platform == "win32" else "tensorflow"]
    if name == "tensorflow-gpu" and not platform.startswith("linux"):
        raise InputError(
            "TensorFlow has its packages for GPUs on Linux alone.",
            "Choose torch as BACKEND, with INDEX, or tensorflow for the processor.",
        )
    if name == "tensorflow-gpu" and not nvidia:
        raise InputError(
            "There is no driver of NVIDIA on this computer, which tensorflow-gpu needs.",
            "Install NVIDIA's driver, or choose tensorflow for the processor.",
        )
    if name not in BACKENDS:
        raise InputError(
            f"BACKEND is '{name}', expected auto, {', '.join(BACKENDS)} or remove.", "Choose one of these."
        )
    return BACKENDS[name]


def has_nvidia(variables: Mapping[str, str]) -> bool:
    """Returns whether NVIDIA's driver is there; starts nothing."""
    if sys.platform == "win32":
        return (Path(variables.get("SYSTEMROOT", "C:/Windows")) / "System32" / "nvcuda.dll").is_file()
    drivers = ("/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1")  # the second in Linux within Windows
    return any(Path(driver).is_file() for driver in drivers)


def locked_torch(lock: Path, version: tuple[int, int]) -> str:
    """Returns the version of PyTorch that a lock has for a version of Python."""
    for number, condition in _TORCH.findall(lock.read_text(encoding="utf-8")):
        limits = re.findall(r"python_full_version (<|>=) '(\d+)\.(\d+)'", condition or "")
        if all((version < (int(a), int(b))) == (sign == "<") for sign, a, b in limits):
            return str(number)
    raise InputError(f"{lock} has no torch for Python {version[0]}.{version[1]}.", "Install the plugin anew.")


def direct_requirements(locks: Sequence[Path]) -> Iterator[tuple[str, set[str]]]:
    """Yields the packages that TWINNS itself imports, and the versions of each that the locks have."""
    found: dict[str, set[str]] = {}
    for lock in locks:
        for block in re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8")):
            match = re.match(r"([\w.-]+)==(\S+)", block)
            if match and "twinns-qgis (pyproject.toml" in block:
                found.setdefault(match[1], set()).add(match[2])
    yield from found.items()
