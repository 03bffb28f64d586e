"""Where the compute environment lies, and which one counts.

Each is made in a folder of its own. One counts when the marker, which is written last and whole, names it: so one that
was broken half-way is never taken for whole, an old one serves until the new one is ready, and what an ended program
still writes does no harm.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError

_MARKER = "environment.json"
_LOCK = "setup.lock"
_IN_USE = "in-use.lock"
_PREFIX = "e-"
_LONGEST_PATH = 195
"""Characters of the longest path within an environment: a header of TensorFlow."""
_WINDOWS_LIMIT = 259
_TRIES = 5
_LOCK_SECONDS = 1.0


@dataclass(frozen=True)
class Environment:
    """A compute environment that was verified.

    Args:
        python: Its interpreter.
        backend: What it was made for, a word of BACKEND.
        keras: Keras' backend in it.
        lock: The hash of the locks that it was made from.
        own: Whether it was made here; else it is one of the user's.
    """

    python: str
    backend: str
    keras: str
    lock: str
    own: bool


class Place:
    """The folder of compute environments of a profile.

    Args:
        profile: The folder of the user's profile in QGIS.
    """

    def __init__(self, profile: Path) -> None:
        self.folder = profile / "twinns"

    def current(self) -> Environment | None:
        """Returns the environment that counts, None if there is none."""
        try:
            found = json.loads((self.folder / _MARKER).read_text(encoding="utf-8"))
            environment = Environment(**found)
        except (OSError, ValueError, TypeError):
            return None
        texts = (environment.python, environment.backend, environment.keras, environment.lock)
        return environment if all(isinstance(text, str) for text in texts) else None

    def mark(self, environment: Environment) -> None:
        """Has an environment count from now on."""
        partial = self.folder / f"{_MARKER}.{secrets.token_hex(3)}"
        with partial.open("w", encoding="utf-8") as file:
            json.dump(asdict(environment), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        _try_again(lambda: partial.replace(self.folder / _MARKER))

    def new_folder(self) -> Path:
        """Returns the folder of an environment that is to be made, not there yet."""
        while (folder := self.environments / f"{_PREFIX}{secrets.token_hex(2)}").exists():
            pass
        return folder

    @property
    def environments(self) -> Path:
        """The folder that environments are made in: on Windows that of the profile can be too deep."""
        return short_folder(self.folder, os.environ.get("LOCALAPPDATA", "")) if _needs_short_paths() else self.folder

    @property
    def cache(self) -> Path:
        """The folder of what is downloaded, on the same disk: an interrupted installation goes on from it."""
        return self.environments / "cache"

    @property
    def pythons(self) -> Path:
        """The folder of Pythons that were downloaded."""
        return self.environments / "python"

    def tidy(self) -> None:
        """Removes the environments that don't count; one that a program holds open stays until the next time."""
        current = self.current()
        for folder in self.environments.glob(f"{_PREFIX}*"):
            if (current is None or folder not in Path(current.python).parents) and not _is_in_use(folder):
                remove_tree(folder)
        for partial in self.folder.glob(f"{_MARKER}.*"):
            with suppress(OSError):
                partial.unlink()

    def remove(self) -> bool:
        """Removes the environment, and all that was made with it; one of the user's is only forgotten.

        Returns:
            Whether all of it is gone.
        """
        with suppress(FileNotFoundError):
            (self.folder / _MARKER).unlink()
        self.tidy()
        for folder in (self.cache, self.pythons):
            remove_tree(folder)
        return not any(folder.exists() for folder in (self.cache, self.pythons, *self.environments.glob(f"{_PREFIX}*")))

    @contextmanager
    def in_use(self, python: Path) -> Iterator[None]:
        """Keeps an environment from being removed while a job runs in it; does nothing for a Python of the user."""
        if sys.platform == "win32":  # it sees itself whether a file is open
            yield
            return
        folder = next((parent for parent in python.parents if parent.parent == self.environments), None)
        if folder is None:
            yield
            return
        try:
            file = (folder / _IN_USE).open("a+b")
        except OSError:  # read-only, and removed by nobody
            yield
            return
        with file:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps a second QGIS from setting up at the same time; the lock ends with the process that holds it.

        Raises:
            InputError: A second one is at it, or the folder can't be written.
        """
        path = self.folder / _LOCK
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = path.open("a+b")
        except OSError as error:
            raise InputError(
                f"The folder {self.folder} can't be written: {error.strerror or error}.",
                "Let your user write to it, or give INTERPRETER, a Python that has the packages.",
            ) from error
        with file:
            if not _locks(file):
                raise InputError(
                    "The compute environment is being set up already, perhaps by another QGIS.",
                    "Wait until that has ended.",
                )
            yield


def hash_of(locks: Sequence[Path]) -> str:
    """Returns the hash of the locks that an environment is made from."""
    total = hashlib.sha256()
    for path in locks:
        # Lines may end otherwise, after a zip was unpacked or a clone checked out.
        total.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()


def short_folder(folder: Path, local: str) -> Path:
    """Returns a folder that the paths of an environment fit into where paths end after 260 characters.

    Each profile has one of its own: what one tidies up is never another's.

    Args:
        folder: The one in the profile, to use if they fit.
        local: The user's folder for programs' own files.

    Raises:
        InputError: They fit nowhere.
    """
    room = _WINDOWS_LIMIT - _LONGEST_PATH - len(f"/{_PREFIX}0000/")
    name = f"twinns-{hashlib.sha256(os.path.normcase(folder).encode()).hexdigest()[:4]}"
    for candidate in (folder, Path(local) / name if local else folder):
        if len(str(candidate)) <= room:
            return candidate
    raise InputError(
        f"The path {folder} is too long: on this computer paths end after {_WINDOWS_LIMIT} characters, so it may have "
        f"{room}.",
        "Allow long paths in Windows (LongPathsEnabled), or give INTERPRETER, a Python in a folder near the root.",
    )


def python_in(environment: Path) -> Path:
    """Returns the interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def remove_tree(folder: Path) -> None:
    """Removes a folder as far as it goes: virus scanners hold files for a while."""
    for attempt in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists() or os.name != "nt":
            return
        time.sleep(attempt)


def _is_in_use(folder: Path) -> bool:
    """Returns whether a job runs in an environment that is to be removed."""
    if sys.platform == "win32":
        try:
            # Windows renames no folder of which a file is open.
            folder.rename(folder.with_name(f"{folder.name}x")).rename(folder)
        except OSError:
            return True
        return False
    try:
        with (folder / _IN_USE).open("a+b") as file:
            _lock(file)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _try_again(action: Callable[[], object]) -> None:
    """Does what a virus scanner may prevent for a moment."""
    for attempt in range(_TRIES - 1):
        with suppress(PermissionError):
            action()
            return
        time.sleep(0.2 * 2**attempt)
    action()


def _lock(file: Any) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _locks(file: Any) -> bool:
    """Locks a file, with patience: what a process that was killed was just starting still holds it for a moment."""
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            _lock(file)
            return True
        except (BlockingIOError, PermissionError):  # the latter on Windows
            pass
        except OSError:  # a disk of the network that knows no locks
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.05)


def _needs_short_paths() -> bool:
    if sys.platform != "win32":
        return False
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem") as key:
            return winreg.QueryValueEx(key, "LongPathsEnabled")[0] != 1
    except OSError:
        return True
