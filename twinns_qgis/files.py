"""Writing files so that a name never holds half a file."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from twinns_qgis.errors import InputError

_URL = re.compile(r"(https?|s3|gs|az):/+(.+)")
"""The addresses that rasterio opens."""
_OPTIONS = re.compile(r"(?P<file>.+?)(?:\|crs=(?P<crs>.+?))?(?:\|nodata=(?P<nodata>[-+.\w,]+))?", re.DOTALL)
"""How a raster is given of which not all that its file says of it counts."""

DAMAGE = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, RuntimeError,
)  # fmt: skip
"""What zipfile, and readers of what lies in an archive, raise of a file that is damaged or was none of theirs."""

_MOST_NODATA = 2
"""GDAL's virtual rasters can take one value for another."""
_WINDOWS = os.name == "nt"
_LONGER = 30
"""The names of what lies beside an output while it is made are longer by so many characters at most."""

_SIDECARS = {
    ".shp": (".dbf", ".shx", ".prj", ".cpg"),
    ".tab": (".dat", ".map", ".id"),
    ".mif": (".mid",),
    ".csv": (".csvt", ".prj"),
    ".gml": (".xsd", ".gfs"),
}
"""The files beside one of a suffix that hold a part of its content."""
_DATABASES = (".gpkg", ".sqlite")
"""Files whose latest changes may be in another one, as long as QGIS has them open."""


def check_output(path: Path) -> None:
    """Checks that a file can be written at `path`, before hours are spent on its content.

    Raises:
        InputError: The folder does not exist or can't be written to, `path` is a folder, or another program has the
            file there open and Windows does not let go of it.
    """
    check_folder(path)
    _check_writable(path)
    _check_replaceable(path)


def check_folder(path: Path) -> None:
    """Checks that the folder of an output exists, and that the output is none itself.

    Raises:
        InputError: The folder does not exist, or `path` is a folder.
    """
    folder = path.parent
    if not folder.is_dir():
        raise InputError(
            f"The folder {folder} of the output {path.name} does not exist.", "Make it, or choose another."
        )
    try:
        if path.is_dir():
            raise InputError(f"The output {path} is a folder, a file was expected.", "Choose a file name.")
        with suppress(FileNotFoundError):
            path.with_name(path.name + "_" * _LONGER).lstat()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise InputError(
            f"The name of the output {path} is too long.",
            f"Choose a shorter one: what lies beside it meanwhile has up to {_LONGER} characters more.",
        ) from error


def check_outputs(paths: Iterable[Path]) -> None:
    """Checks that files can be written at all of these paths, and that no two of them are the same file.

    Raises:
        InputError: One can't be written, or is named twice.
    """
    paths = list(paths)
    for path in paths:
        check_output(path)
    check_distinct(paths)


def check_distinct(paths: Iterable[Path]) -> None:
    """Checks that no two outputs are the same file.

    Raises:
        InputError: One is named twice.
    """
    seen: set[Path] = set()
    for path in paths:
        if _identity(path) in seen:
            raise InputError(f"Two outputs have the same name, {path}.", "Give each output a file of its own.")
        seen.add(_identity(path))


def check_spared(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Checks that no output replaces a file that it is made from.

    Raises:
        InputError: An output is one of the inputs, or one of its files.
    """
    files = [container_of(path) for path in inputs]
    read = {_identity(part) for path in files for part in (path, *(files_of(path) if path.exists() else ()))}
    for path in outputs:
        if _identity(path) in read or not read.isdisjoint(_identity(path).parents):
            raise InputError(f"The output {path} is one of the inputs, which it would replace.", "Choose another name.")


def files_of(path: Path) -> list[Path]:
    """Returns the files that hold a dataset's content: those of a folder, or a file with those that belong to it."""
    if path.is_dir():  # such as a FileGDB, whose locks come and go with the programs that look at it
        return sorted(file for file in path.rglob("*") if file.is_file() and file.suffix.lower() != ".lock")
    suffix = path.suffix.lower()
    suffixes = _SIDECARS.get(suffix, ())
    beside = path.parent.iterdir() if suffixes else ()
    sidecars = sorted(file for file in beside if file.stem == path.stem and file.suffix.lower() in suffixes)
    log = path.with_name(f"{path.name}-wal")
    if suffix in _DATABASES and log.is_file() and log.stat().st_size:
        sidecars.append(log)
    return [path, *sidecars]


def sha256_of(path: Path, between: Callable[[], None] = lambda: None) -> str:
    """Returns the SHA-256 of a dataset, in hexadecimal: of its bytes, or of the names, sizes and bytes of its files.

    Args:
        path: A file, or a folder.
        between: Is called every now and then, and may raise.
    """
    path = container_of(path)
    digest, files = hashlib.sha256(), files_of(path)
    for part in files:
        if len(files) > 1:  # else it is what `sha256sum` tells
            digest.update(f"{part.relative_to(path.parent)} {part.stat().st_size}\n".encode())
        add_to_digest(digest, part, between)
    return digest.hexdigest()


def add_to_digest(digest: hashlib._Hash, path: Path, between: Callable[[], None] = lambda: None) -> None:
    """Adds the bytes of a file to a digest.

    Args:
        digest: One of `hashlib`.
        path: The file.
        between: Is called every now and then, and may raise.
    """
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            between()


def lies_below(path: Path, folder: Path) -> bool:
    """Whether a path lies below a folder, wherever ``..`` and links in it lead."""
    return path.resolve().is_relative_to(folder.resolve())


def url_of(path: Path) -> str | None:
    """Returns the URL that was given as a path, which has taken one of its slashes away; None of a path on disk."""
    match = _URL.fullmatch(path.as_posix())
    return f"{match[1]}://{match[2]}" if match else None


def file_of(path: Path) -> Path:
    """Returns the file of a raster that is given as ``file|crs=EPSG:code|nodata=0``, both or none of the options."""
    return Path(_parts(path).file)


def container_of(path: Path) -> Path:
    """Returns the file that holds a raster: its own, or a zip archive where a path goes on within it."""
    file = file_of(path)
    return next((parent for parent in file.parents if parent.is_file()), file)


def crs_of(path: Path) -> str | None:
    """Returns the CRS that a raster was given with, ``file|crs=EPSG:code``; None where the file's own counts."""
    return _parts(path).crs


def nodata_of(path: Path) -> tuple[float, ...] | None:
    """Returns the values that a raster was given as no data, ``file|nodata=-32768,0``; None where the file's own count.

    Of ``nodata=none`` these are none.

    Raises:
        InputError: They are no numbers, or more than two.
    """
    text = _parts(path).nodata
    if text is None:
        return None
    try:
        values = () if text == "none" else tuple(map(float, text.split(",")))
        if len(values) > _MOST_NODATA:
            raise ValueError(text)
    except ValueError as error:
        hint = f"Expected are up to {_MOST_NODATA} numbers, such as nodata=-32768,0, or none."
        raise InputError(f"{path} has '{text}' as no data.", hint) from error
    return values


class _Parts(NamedTuple):
    """What a path of a raster consists of."""

    file: str
    crs: str | None
    nodata: str | None


def _parts(path: Path) -> _Parts:
    match = _OPTIONS.fullmatch(str(path))
    return _Parts(**match.groupdict()) if match else _Parts(str(path), None, None)


_being_written: set[Path] = set()


def discard_partial_files() -> None:
    """Removes what is being written, before the process ends without unwinding."""
    for partial in tuple(_being_written):
        with suppress(OSError):  # Windows does not remove a file that is open
            partial.unlink(missing_ok=True)


def partial_name(path: Path) -> Path:
    """Returns the name under which the file at `path` is written until it is whole."""
    return path.with_name(f"{path.name}.partial")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields a name to write to, and moves the file to `path` once the block ends without an error.

    Whatever was at `path` stays until then, and stays for good if the block raises.
    """
    check_folder(path)  # no more: a file that is open by now is no reason to lose the new one, see `give_name`
    with scratch_file(path, "partial") as partial:
        yield partial
        give_name(partial, path)


def give_name(written: Path, path: Path, replacing: bool = True) -> Path:
    """Moves a whole file to its name once the disk has it: else a power cut could leave the name without the file.

    Where another program has the file of that name open, and Windows does not let go of it, the new one gets a name
    beside it; see `kept_beside`.

    Args:
        written: The file.
        path: Its name.
        replacing: Whether it may replace the file that has that name.

    Returns:
        The name that it got.
    """
    with written.open("rb+") as file:
        os.fsync(file.fileno())
    if replacing or not path.exists():
        try:
            written.replace(path)
        except PermissionError:
            if not path.exists():
                raise
        else:
            _kept_beside.pop(path, None)
            return path
    numbered = (path.with_stem(f"{path.stem} ({number})") for number in itertools.count(1))
    beside = next(name for name in numbered if not name.exists())
    written.replace(beside)
    _kept_beside[path] = beside
    return beside


_kept_beside: dict[Path, Path] = {}


def kept_beside(path: Path) -> Path | None:
    """Returns where an output lies that could not take its name, as a program had the file there open; else None."""
    return _kept_beside.get(path)


@contextmanager
def scratch_file(path: Path, purpose: str) -> Iterator[Path]:
    """Yields a name beside `path` for a file that only the block needs, and removes that file in the end.

    Args:
        path: The output that it serves.
        purpose: What it holds, a word for its name.
    """
    with removed_in_the_end(path.with_name(f"{path.name}.{purpose}")) as scratch:
        yield scratch


@contextmanager
def removed_in_the_end(path: Path) -> Iterator[Path]:
    """Yields the name of a file that only the block needs, and removes that file in the end."""
    _being_written.add(path)
    try:
        yield path
    finally:
        with suppress(PermissionError):  # Windows does not remove a file that is open
            path.unlink(missing_ok=True)
        _being_written.discard(path)


def _identity(path: Path) -> Path:
    """Returns a path that is the same for all names of a file, also where names that differ in case are one file."""
    resolved = path.resolve()
    return Path(str(resolved).casefold()) if _ignores_case(resolved.parent) else resolved


def _ignores_case(folder: Path) -> bool:
    """Whether names that differ in case alone are the same file there, as on macOS and Windows."""
    try:
        for file in itertools.chain(folder.iterdir(), (folder, *folder.parents)):
            other = file.with_name(file.name.swapcase())
            if other.name != file.name:  # a name without letters tells nothing
                return other.samefile(file)
    except OSError:
        pass
    return False


def _check_writable(path: Path) -> None:
    partial = partial_name(path)
    existed = partial.exists()
    try:
        with partial.open("ab"):
            pass
        if not existed:
            partial.unlink()
    except OSError as error:
        raise InputError(
            f"The output {path} can't be written: {error.strerror}.", "Choose a folder that you may write to."
        ) from error


def _check_replaceable(path: Path) -> None:
    """Checks that the file at `path` can be replaced: on Windows it can't while another program has it open.

    Raises:
        InputError: It can't.
    """
    if not (_WINDOWS and path.exists()):
        return
    try:
        path.rename(path)  # to its own name, so that a kill can't leave it under another one
    except PermissionError as error:
        raise InputError(
            f"The output {path} can't be replaced: another program has it open, such as QGIS that shows it.",
            "Remove its layer from the project, or choose another name.",
        ) from error
