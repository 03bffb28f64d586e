"""Files on disk, in archives and on servers, and variables in NetCDF files, alike: products are read as they are."""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import urlsplit

from twinns_qgis.errors import InputError
from twinns_qgis.files import container_of, file_of
from twinns_qgis.rasters.remote.files import RemoteFile
from twinns_qgis.rasters.remote.requesting import get

_OF_MACOS = ("__MACOSX", "._")
"""What macOS lays beside each file in its archives and on foreign disks: it has the file's name, and no pixels."""


@dataclass(frozen=True, order=True)
class ZipMember:
    """A file in a zip archive.

    Args:
        archive: The archive.
        member: Path within it, with slashes on every system.
    """

    archive: Path
    member: str

    @property
    def name(self) -> str:
        """The file's name."""
        return PurePosixPath(self.member).name

    @property
    def gdal_name(self) -> str:
        """How GDAL calls the file; the braces let the archive have any suffix."""
        return f"/vsizip/{{{self.archive}}}/{self.member}"

    def __str__(self) -> str:
        return str(place(self))


@dataclass(frozen=True, order=True)
class Variable:
    """A variable of a NetCDF file.

    Args:
        path: The file, with what counts instead of what it says: ``file|crs=EPSG:code|nodata=0``.
        variable: Its name there.
    """

    path: Path
    variable: str

    @property
    def name(self) -> str:
        """The variable's name."""
        return self.variable

    @property
    def gdal_name(self) -> str:
        """How GDAL calls it."""
        return f'NETCDF:"{file_of(self.path)}":{self.variable}'

    def __str__(self) -> str:
        return str(place(self))


LocalFile: TypeAlias = Path | ZipMember | Variable
"""A file, on disk or in an archive, or a variable of a NetCDF file.

A path may go on within an archive, and tell what counts instead of what the file says: ``file|crs=EPSG:code|nodata=0``.
"""

File: TypeAlias = LocalFile | RemoteFile
"""The same, or a file on a server."""

_VARIABLE = re.compile(r'NETCDF:"?(?P<path>.+?)"?:(?P<variable>[^:|"]+)(?P<told>\|.+)?', re.IGNORECASE | re.DOTALL)


def as_file(given: Path) -> LocalFile:
    """Returns the file that a user or QGIS names: a path, or ``NETCDF:"file.nc":variable``.

    Example:
        >>> as_file(Path('NETCDF:"site.nc":B02|crs=EPSG:32631')).variable
        'B02'
    """
    match = _VARIABLE.fullmatch(str(given))
    return Variable(Path(match["path"] + (match["told"] or "")), match["variable"]) if match else given


def place(file: File) -> Path:
    """Returns the path of a file; that of a member or a variable goes on within its file as if that were a folder."""
    if isinstance(file, RemoteFile):
        return Path(file.host, *PurePosixPath(urlsplit(file.url).path).parts[1:])
    if isinstance(file, Path):
        return file_of(file)
    return file.archive / file.member if isinstance(file, ZipMember) else file_of(file.path) / file.variable.lstrip("/")


def on_disk(file: LocalFile) -> Path:
    """Returns the path on disk: that of the file, or of the archive or NetCDF file that it is in."""
    if isinstance(file, Path):
        return container_of(file)
    return file.archive if isinstance(file, ZipMember) else file_of(file.path)


@contextmanager
def damage_of(file: File) -> Iterator[None]:
    """Raises `InputError` for what reading the content of a file raises, within its block."""
    try:
        yield
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{file} can't be read: {error}.", "Download or copy it once more.") from error


def read_bytes(file: File) -> bytes:
    """Returns the content of a file.

    Raises:
        InputError: It can't be read.
    """
    with damage_of(file):
        if isinstance(file, RemoteFile):
            return get(file, {}).content
        if not isinstance(file, ZipMember):
            return on_disk(file).read_bytes()
        with zipfile.ZipFile(file.archive) as archive:
            return archive.read(file.member)


def read_start(file: LocalFile, size: int = 512) -> bytes:
    """Returns the first bytes of a file, which tell what kind it is.

    Raises:
        InputError: It can't be read.
    """
    with damage_of(file):
        if not isinstance(file, ZipMember):
            with on_disk(file).open("rb") as stream:
                return stream.read(size)
        with zipfile.ZipFile(file.archive) as archive, archive.open(file.member) as stream:
            return stream.read(size)


def files_below(folder: Path) -> list[File]:
    """Returns the files below a folder and those in the zip archives among them, in the order of their places.

    Raises:
        InputError: An archive is damaged, or a folder can't be read.
    """
    files: list[File] = []
    walked: set[str] = set()
    # "." has no name that could be a product's; archives are often folders of links.
    for root, folders, names in os.walk(folder.absolute(), onerror=_refuse, followlinks=True):
        real = os.path.realpath(root)
        if real in walked:
            folders.clear()  # a link back up, or two to one place
            continue
        walked.add(real)
        for name in names:
            path = Path(root, name)
            if name.startswith(_OF_MACOS):
                continue
            files.extend(_members(path) if path.suffix.lower() == ".zip" else [path])
    return sorted(files, key=place)


def _refuse(error: OSError) -> None:
    raise InputError(
        f"The folder {error.filename} can't be read: {error.strerror}.",
        "Ask for the right to read it, or move it elsewhere: what it holds would be missing.",
    ) from error


def _members(archive: Path) -> Iterator[ZipMember]:
    try:
        with zipfile.ZipFile(archive) as content:
            entries = content.infolist()
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(
            f"The archive {archive} can't be read: {error}.",
            "Download it once more; the download may have been cut short. Or move it elsewhere.",
        ) from error
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        if not entry.is_dir() and not any(part.startswith(_OF_MACOS) for part in parts):
            yield ZipMember(archive, entry.filename)
