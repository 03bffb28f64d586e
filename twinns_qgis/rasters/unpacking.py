"""Rasters of zip archives, unpacked on disk while blocks are made from them.

A deflated file can only be read from its beginning. So each block that begins further down in a raster without a
compression of its own would inflate all of the raster above it once more.
"""

from __future__ import annotations

import errno
import shutil
import zipfile
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from threading import Lock

from twinns_qgis.files import removed_in_the_end
from twinns_qgis.rasters.archives import File, ZipMember, damage_of
from twinns_qgis.rasters.layout import disk_errors

_GAIN = 0.8
"""Of a member that deflating made smaller than this, the archive's compression is what reading has to undo: tiles that
are compressed by themselves shrink no more, and to inflate them is cheap."""
_CHUNK = 1 << 20


class Unpacked:
    """Rasters that lie unpacked on disk, each from when it is first asked for until the context is left.

    Args:
        folder: Where they go; it must be there when the first one is asked for.
        spare: Bytes of the disk's free room that they leave for other things. A raster for which there is no room is
            read from its archive.
    """

    def __init__(self, folder: Path, spare: int) -> None:
        self._folder, self._spare = folder, spare
        self._removing = ExitStack()
        self._paths: dict[ZipMember, Path | None] = {}
        self._lock = Lock()

    def __enter__(self) -> Unpacked:
        return self

    def __exit__(self, *error: object) -> None:
        self._removing.close()
        self._paths.clear()

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Becomes None in another process, which may run elsewhere."""
        return type(None), ()

    def of(self, file: File) -> File:
        """Returns the file to read instead of one, which is the same unless it is dear to read in parts.

        Raises:
            InputError: The archive is damaged, or the disk can't be written to.
        """
        if not isinstance(file, ZipMember):
            return file
        if file not in self._paths:
            with self._lock:
                if file not in self._paths:
                    self._paths[file] = self._unpack(file)
        return self._paths[file] or file

    def _unpack(self, file: ZipMember) -> Path | None:
        """Unpacks a raster with what lies beside it under its name, such as its mask or its header."""
        with damage_of(file), zipfile.ZipFile(file.archive) as archive:
            member = archive.getinfo(file.member)
            if member.compress_type == zipfile.ZIP_STORED or member.compress_size > _GAIN * member.file_size:
                return None
            entries = [entry for entry in archive.infolist() if _belongs_to(file, entry.filename)]
            if sum(entry.file_size for entry in entries) > shutil.disk_usage(self._folder).free - self._spare:
                return None
            with ExitStack() as removing:
                for entry in entries:
                    path = removing.enter_context(removed_in_the_end(self._path(entry.filename)))
                    if not _copy(archive, entry, path):
                        return None
                self._removing.push(removing.pop_all())
        return self._path(file.member)

    def _path(self, member: str) -> Path:
        # Numbered, as many products have files of the same names; what belongs together has one number.
        return self._folder / f"{len(self._paths)}.{PurePosixPath(member).name}"


def _belongs_to(file: ZipMember, member: str) -> bool:
    path, other = PurePosixPath(file.member), PurePosixPath(member)
    return path.parent == other.parent and other.name.startswith(f"{path.stem}.")


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> bool:
    """Unpacks a member; returns whether there was room for it."""
    with disk_errors(path):
        try:
            with archive.open(entry) as packed, path.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, _CHUNK)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return False
            raise
    return True
