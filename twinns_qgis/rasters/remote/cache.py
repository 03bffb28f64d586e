"""What was read of files on servers, so that nothing is asked for twice."""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
from bisect import bisect_right, insort
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

_Start = tuple[str, int]
"""A file's key, and where in it a range begins."""


class Cache:
    """The ranges that were read: the last ones within a number of bytes, the others in a file that nobody sees.

    Blocks of a series lie on the same tiles, and those of all dates and bands are more than memory holds.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._held: OrderedDict[_Start, bytes] = OrderedDict()
        self._spilt: dict[_Start, tuple[int, int]] = {}
        self._starts: dict[str, list[int]] = {}
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()

    def use(self, limit: int, folder: Path) -> None:
        """Bounds the memory, and says where the file may be."""
        with self._lock:
            self._limit = limit
            self._spilt.clear()
            if self._file is not None:
                self._file.close()
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # until the next job, or the process, ends

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None

    def find(self, key: str, at: int) -> bytes:
        """Returns what is held of a file from a place on, to the end of the range that was read; nothing if none is."""
        with self._lock:
            starts = self._starts.get(key, [])
            number = bisect_right(starts, at)
            start = starts[number - 1] if number else at
            return self._get((key, start))[at - start :]

    def keep(self, key: str, start: int, content: bytes) -> None:
        """Holds a range."""
        with self._lock:
            starts = self._starts.setdefault(key, [])
            if start not in starts:
                insort(starts, start)
            self._spilt.pop((key, start), None)
            self._put((key, start), content)

    def _get(self, key: _Start) -> bytes:
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        if key not in self._spilt or self._file is None:
            return b""
        place, size = self._spilt[key]
        self._file.seek(place)
        content = self._file.read(size)
        self._put(key, content)
        return content

    def _put(self, key: _Start, content: bytes) -> None:
        self._size += len(content) - len(self._held.pop(key, b""))
        self._held[key] = content
        while self._size > self._limit and len(self._held) > 1:
            oldest, dropped = self._held.popitem(last=False)
            self._size -= len(dropped)
            if self._file is not None and oldest not in self._spilt:
                self._spill(self._file, oldest, dropped)

    def _spill(self, file: BinaryIO, key: _Start, content: bytes) -> None:
        try:
            place = file.seek(0, os.SEEK_END)
            file.write(content)
            file.flush()
        except OSError:  # the disk is full: it is read from its server once more
            return
        self._spilt[key] = place, len(content)


cache = Cache(limit=64 * 2**20)
atexit.register(cache.close)


def use_memory(megabytes: int, folder: Path) -> None:
    """Bounds what is kept of files on servers by a share of the memory that a job may use; more goes to a folder."""
    cache.use(megabytes * 2**20 // 8, folder)
