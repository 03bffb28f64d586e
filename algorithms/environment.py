"""The worker's Python: where it is, how to get it, and the environment variables that it runs with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from processing.core.ProcessingConfig import ProcessingConfig
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsSettings

from ..twinns_qgis.compute.installation import Surroundings, is_outdated
from ..twinns_qgis.compute.network import Proxy
from ..twinns_qgis.compute.place import Place
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
_DROPPED_PREFIXES = ("DYLD_", "PIP_", "UV_")
_OF_INSTALLERS = {
    "PIP_CERT", "PIP_CONFIG_FILE", "PIP_DEFAULT_TIMEOUT", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL",
    "PIP_PROXY", "PIP_TRUSTED_HOST", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_HTTP_TIMEOUT",
    "UV_INDEX", "UV_INDEX_URL", "UV_INSECURE_HOST", "UV_PYTHON_INSTALL_MIRROR",
}  # fmt: skip
"""Those of pip and uv that say where packages come from."""


@dataclass(frozen=True)
class Interpreter:
    """A Python to run the worker with.

    Args:
        path: Its executable.
        origin: Who named it, for messages.
        keras: Keras' backend that it was made for; empty if it is the user's own.
    """

    path: Path
    origin: str
    keras: str = ""

    def __str__(self) -> str:
        return f"{self.path} ({self.origin})"


def chosen_interpreter() -> Interpreter | None:
    """Returns the interpreter that the variable names, else the setting, else that in the user's profile."""
    variable = os.environ.get(VARIABLE)
    if variable:
        return Interpreter(_absolute(variable), tr("named by the environment variable {}").format(VARIABLE))
    setting = ProcessingConfig.getSetting(SETTING)
    if setting:
        return Interpreter(_absolute(setting), tr("named in the Processing options, group {}").format(SETTINGS_GROUP))
    environment = place().current()
    if environment is None:
        return None
    return Interpreter(Path(environment.python), tr("the environment in your profile"), environment.keras)


def check_interpreter() -> tuple[bool, str]:
    """Returns whether the interpreter is there, and how to get one if it is not; starts no process."""
    why_not = _why_no_interpreter()
    return (False, why_not + "\n" + how_to_get_an_environment()) if why_not else (True, "")


def _why_no_interpreter() -> str:
    interpreter = chosen_interpreter()
    if interpreter is None:
        return tr("The compute environment is missing: it has not been set up yet, or not to the end.")
    if not interpreter.path.is_file():
        return tr("The compute environment is missing: there is no {}.").format(interpreter)
    environment = place().current()
    if interpreter.keras and environment is not None and is_outdated(environment, PLUGIN_FOLDER):
        return tr("The compute environment was made for another version of the plugin.")
    return ""


def place() -> Place:
    """Returns where compute environments lie: in the user's profile, which updates of the plugin leave alone."""
    return Place(Path(QgsApplication.qgisSettingsDirPath()))


def how_to_get_an_environment() -> str:
    """Says how to make the environment, or how to name another Python."""
    return tr(
        "Run 'Set up the compute environment' in the Processing toolbox, group TWINNS (qgis_process run "
        "twinns:setupcompute), or name a Python that has the packages in the Processing options, group {group}, or in "
        "the environment variable {variable}."
    ).format(group=SETTINGS_GROUP, variable=VARIABLE)


def surroundings() -> Surroundings:
    """Returns what programs see that install the environment: the network as QGIS's options say."""
    kept = {name: value for name, value in os.environ.items() if name.upper() in _OF_INSTALLERS}
    variables = {**worker_environment(os.environ, qgis_folders()), **kept, **qgis_proxy().variables()}
    return Surroundings(PLUGIN_FOLDER, variables, dict(os.environ))


def qgis_proxy() -> Proxy:
    """Returns the proxy that is set in QGIS, with the password that its authentication settings may hold."""
    settings = QgsSettings()
    if not settings.value("proxy/proxyEnabled", False, type=bool):
        return Proxy("NoProxy")
    user, password = settings.value("proxy/proxyUser", ""), settings.value("proxy/proxyPassword", "")
    key = settings.value("proxy/authcfg", "")
    if key:
        stored = QgsAuthMethodConfig()
        found = QgsApplication.authManager().loadAuthenticationConfig(key, stored, True)
        loaded = found[1] if isinstance(found, tuple) else stored
        user, password = loaded.config("username") or user, loaded.config("password") or password
    excluded = settings.value("proxy/noProxyUrls", []) or settings.value("proxy/proxyExcludedUrls", [])
    return Proxy(
        settings.value("proxy/proxyType", ""),
        settings.value("proxy/proxyHost", ""),
        str(settings.value("proxy/proxyPort", "")),
        user,
        password,
        [excluded] if isinstance(excluded, str) and excluded else list(excluded or []),
    )


def worker_environment(
    variables: Mapping[str, str], qgis_folders: Iterable[str] = (), keras: str = ""
) -> dict[str, str]:
    """Returns the environment variables of the worker.

    Args:
        variables: Those of QGIS; they are left as they are.
        qgis_folders: Folders whose own folders leave the search path: on Windows, QGIS's libraries would be loaded.
        keras: Keras' backend, unless a variable names one.
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
        **({"KERAS_BACKEND": keras} if keras else {}),
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
