"""The worker's Python: where it is, how to get it, and the environment variables that it runs with."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from processing.core.ProcessingConfig import ProcessingConfig
from qgis.core import QgsApplication

from .translation import tr

VARIABLE = "TWINNS_PYTHON"
"""Environment variable that names the interpreter."""
SETTING = "TWINNS_PYTHON"
"""Name of the Processing setting that names the interpreter."""
SETTINGS_GROUP = "TWINNS"
PLUGIN_FOLDER = Path(__file__).parent.parent

_WINDOWS = os.name == "nt"
# What makes QGIS's libraries work breaks those of another Python.
_DROPPED = {
    "PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "PYTHONUSERBASE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__",
    "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH", "LD_LIBRARY_PATH", "LD_PRELOAD",
}  # fmt: skip
_DROPPED_PREFIXES = ("DYLD_", "PIP_")


@dataclass(frozen=True)
class Interpreter:
    """A Python to run the worker with.

    Args:
        path: Its executable.
        origin: Who named it, for messages.
    """

    path: Path
    origin: str

    def __str__(self) -> str:
        return f"{self.path} ({self.origin})"


def chosen_interpreter() -> Interpreter:
    """Returns the interpreter that the variable names, else the setting, else that in the user's profile."""
    variable = os.environ.get(VARIABLE)
    if variable:
        return Interpreter(_absolute(variable), tr("named by the environment variable {}").format(VARIABLE))
    setting = ProcessingConfig.getSetting(SETTING)
    if setting:
        return Interpreter(_absolute(setting), tr("named in the Processing options, group {}").format(SETTINGS_GROUP))
    return Interpreter(python_in(profile_environment()), tr("the environment in your profile"))


def check_interpreter() -> tuple[bool, str]:
    """Returns whether the interpreter is there, and how to get one if it is not; starts no process."""
    interpreter = chosen_interpreter()
    if interpreter.path.is_file():
        return True, ""
    missing = tr("The compute environment is missing: there is no {}.").format(interpreter)
    return False, missing + "\n" + how_to_get_an_environment()


def profile_environment() -> Path:
    """Returns the folder of the environment in the user's profile: updates of the plugin leave it alone."""
    return Path(QgsApplication.qgisSettingsDirPath()) / "twinns" / "environment"


def python_in(environment: Path) -> Path:
    """Returns the interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if _WINDOWS else "bin/python")


def how_to_get_an_environment() -> str:
    """Says how to make the environment, with the exact commands, or how to name another Python."""
    environment = profile_environment()
    make = ["py" if _WINDOWS else "python3", "-m", "venv", str(environment)]
    requirements = str(PLUGIN_FOLDER / "requirements.txt")
    fill = [str(python_in(environment)), "-m", "pip", "install", "-r", requirements]
    return tr(
        "Run these two commands in a terminal, with Python 3.10, 3.11, 3.12 or 3.13:\n"
        "1. {make}\n"
        "2. {fill}\n"
        "Or name a Python that has these packages in the Processing options, group {group}, or in the environment "
        "variable {variable}."
    ).format(make=_command(make), fill=_command(fill), group=SETTINGS_GROUP, variable=VARIABLE)


def worker_environment(variables: Mapping[str, str], qgis_folders: Iterable[str] = ()) -> dict[str, str]:
    """Returns the environment variables of the worker.

    Args:
        variables: Those of QGIS; they are left as they are.
        qgis_folders: Folders whose own folders leave the search path: on Windows, QGIS's libraries would be loaded.
    """
    kept = {
        name: value
        for name, value in variables.items()
        if name.upper() not in _DROPPED and not name.upper().startswith(_DROPPED_PREFIXES)
    }
    roots = [os.path.normcase(folder) for folder in qgis_folders]
    for name in [name for name in kept if name.upper() == "PATH"]:
        folders = kept[name].split(os.pathsep)
        kept[name] = os.pathsep.join(folder for folder in folders if not _lies_in(os.path.normcase(folder), roots))
    return {
        **kept,
        "PYTHONPATH": str(PLUGIN_FOLDER),  # so that the core is always that of this plugin
        "PYTHONSAFEPATH": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def qgis_folders() -> list[str]:
    """Returns the folders of QGIS whose libraries must not be found by the worker: on Windows, its installation."""
    if not _WINDOWS:
        return []
    # sys.prefix is <installation>/apps/Python3xx.
    return [os.environ.get("OSGEO4W_ROOT") or str(Path(sys.prefix).parent.parent)]


def _absolute(path: str) -> Path:
    """Unlike `Path.resolve`, leaves links alone: that of a virtual environment leads out of it."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100


def _lies_in(folder: str, roots: Iterable[str]) -> bool:
    return any(folder == root or folder.startswith(root.rstrip(os.sep) + os.sep) for root in roots)


def _command(words: list[str]) -> str:
    if _WINDOWS:
        return " ".join(f'"{word}"' if " " in word else word for word in words)
    return shlex.join(words)
