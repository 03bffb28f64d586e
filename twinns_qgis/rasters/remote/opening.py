"""Opening files on servers for GDAL."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from rasterio.abc import FileContainer

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.blocks import Threads
from twinns_qgis.rasters.remote.cache import cache
from twinns_qgis.rasters.remote.files import RemoteFile
from twinns_qgis.rasters.remote.requesting import CONNECTIONS, get
from twinns_qgis.reporter import Reporter

Result = TypeVar("Result")

_HEAD = 32 * 1024
"""Bytes of the first read: the header of a cloud-optimised file."""
_LEAST = 4 * 1024
"""Smaller reads elsewhere are those of directories, which come in great number: more is read at once."""
_sizes: dict[str, int] = {}
_failures: dict[str, InputError] = {}


def failure(name: str) -> InputError | None:
    """Returns why GDAL could not read a file, which it does not tell, and forgets it; None if that is not known.

    Args:
        name: The file's key, or what rasterio calls it.
    """
    return _failures.pop(_key_of(name), None)


def address_of(name: str) -> str:
    """Returns the address of a file of which rasterio tells the name; the name of other files."""
    return _key_of(name).partition("?")[0]


def _key_of(name: str) -> str:
    return re.sub(r"^/vsiriopener_\w+/", "", name)


@dataclass(frozen=True)
class Opener(FileContainer):
    """Opens a file on a server for rasterio, and no other.

    Args:
        file: The file.
    """

    file: RemoteFile

    def open(self, path: str, mode: str = "rb", **options: Any) -> io.BufferedIOBase:
        """Returns the file, open."""
        self._check(path)
        return _told(self.file, lambda: _ForGdal(self.file))  # type: ignore[return-value]

    def isfile(self, path: str) -> bool:
        """Whether it is the file."""
        return path == self.file.key

    def isdir(self, path: str) -> bool:
        """Whether it is a folder: never."""
        return False

    def ls(self, path: str) -> list[str]:
        """Returns what lies beside the file: nothing that matters."""
        return []

    def mtime(self, path: str) -> int:
        """Returns when the file was changed: it is taken not to be."""
        return 0

    def rm(self, path: str) -> None:
        """Refuses to remove anything."""
        raise FileNotFoundError(path)

    def size(self, path: str) -> int:
        """Returns the size of the file."""
        self._check(path)
        return _told(self.file, lambda: size_of(self.file))

    def _check(self, path: str) -> None:
        if path != self.file.key:
            raise FileNotFoundError(path)


def size_of(file: RemoteFile) -> int:
    """Returns the number of bytes of a file.

    Raises:
        InputError: Its server does not give it.
    """
    return _Ranges(file).size


def fetch_heads(files: Iterable[object], reporter: Reporter) -> None:
    """Reads the heads of those files that are on servers, side by side: one by one, those of a year take minutes.

    Args:
        files: The files; others are passed over.
        reporter: Receives the progress.

    Raises:
        InputError: A server does not give one.
        Cancelled: The user asked the job to stop.
    """
    remote = [file for file in dict.fromkeys(files) if isinstance(file, RemoteFile)]
    with Threads(reporter, CONNECTIONS) as threads:
        for number, _ in enumerate(threads.map(_Ranges, remote), 1):
            reporter.progress(0.0, f"Looked at {number} of {len(remote)} files")


class _Ranges:
    """An open file."""

    def __init__(self, file: RemoteFile) -> None:
        self._file, self._at = file, 0
        if file.key not in _sizes:
            self._fetched(0, _HEAD)
        self.size = _sizes[file.key]

    def __enter__(self) -> _Ranges:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Does nothing: connections are kept."""

    def tell(self) -> int:
        """Returns where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to where the next read begins."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes."""
        left = max(0, self.size - self._at)
        size = left if size < 0 else min(size, left)
        content = self._read(self._at, size)
        self._at += size
        return content

    def _read(self, start: int, size: int) -> bytes:
        content = b""
        while len(content) < size:  # GDAL reads a tile in one piece here, in several there
            at, left = start + len(content), size - len(content)
            held = cache.find(self._file.key, at)
            content += (held or self._fetched(at, max(left, _HEAD) if at == 0 or left < _LEAST else left))[:left]
        return content

    def _fetched(self, start: int, size: int) -> bytes:
        response = get(self._file, {"Range": f"bytes={start}-{start + size - 1}"})
        content, total = response.content, response.headers.get("Content-Range", "").rpartition("/")[2]
        if response.status_code == requests.codes.partial_content and total.isdecimal():
            _sizes[self._file.key] = int(total)
            expected = min(size, int(total) - start)
        else:
            raise InputError(
                f"The server of {self._file} gives no ranges of files.", "Download the files, and give their folder."
            )
        if len(content) != expected:
            raise InputError(f"The server of {self._file} cut an answer short.", "Call it again: it goes on.")
        cache.keep(self._file.key, start, content)
        return content


class _ForGdal(_Ranges):
    """An open file whose reader hides why it could not read."""

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes."""
        return _told(self._file, lambda: super(_ForGdal, self).read(size))


def _told(file: RemoteFile, read: Callable[[], Result]) -> Result:
    """Returns what GDAL reads of a file; what goes wrong is kept for `failure`.

    GDAL asks again for what was refused, and would wait as long once more: it hears the same.
    """
    if earlier := _failures.get(file.key):
        raise earlier
    try:
        return read()
    except InputError as error:
        _failures[file.key] = error
        raise
