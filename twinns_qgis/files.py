"""Writing files so that a name never holds half a file."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twinns_qgis.errors import InputError

_URL = re.compile(r"(https?|s3|gs|az):/+(.+)")
"""The addresses that rasterio opens."""


_SIDECARS = {
    ".shp": (".dbf", ".shx", ".prj", ".cpg"),
    ".tab": (".dat", ".map", ".id"),
    ".mif": (".mid",),
}
"""The files beside one of a suffix that hold a part of its content."""


def check_output(path: Path) -> None:
    """Checks that a file can be written at `path`, before hours are spent on its content.

    Raises:
        InputError: The folder does not exist or can't be written to, or `path` is a folder.
    """
    folder = path.parent
    if not folder.is_dir():
        raise InputError(
            f"The folder {folder} of the output {path.name} does not exist.", "Make it, or choose another."
        )
    if path.is_dir():
        raise InputError(f"The output {path} is a folder, a file was expected.", "Choose a file name.")
    try:
        _probe(path)
    except OSError as error:
        raise InputError(
            f"The output {path} can't be written: {error.strerror}.", "Choose a folder that you may write to."
        ) from error


def check_outputs(paths: Iterable[Path]) -> None:
    """Checks that files can be written at all of these paths, and that no two of them are the same file.

    Raises:
        InputError: One can't be written, or is named twice.
    """
    seen: set[Path] = set()
    for path in paths:
        check_output(path)
        if path.resolve() in seen:
            raise InputError(f"Two outputs have the same name, {path}.", "Give each output a file of its own.")
        seen.add(path.resolve())


def check_spared(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Checks that no output replaces a file that it is made from.

    Raises:
        InputError: An output is one of the inputs, or one of its files.
    """
    read = {part.resolve() for path in inputs for part in (path, *(files_of(path) if path.exists() else ()))}
    for path in outputs:
        if path.resolve() in read or not read.isdisjoint(path.resolve().parents):
            raise InputError(f"The output {path} is one of the inputs, which it would replace.", "Choose another name.")


def files_of(path: Path) -> list[Path]:
    """Returns the files that hold a dataset's content: those of a folder, a shapefile's sidecars, or the file alone."""
    if path.is_dir():  # such as a FileGDB
        return sorted(file for file in path.rglob("*") if file.is_file())
    suffixes = _SIDECARS.get(path.suffix.lower(), ())
    beside = path.parent.iterdir() if suffixes else ()
    return [path, *sorted(file for file in beside if file.stem == path.stem and file.suffix.lower() in suffixes)]


def sha256_of(path: Path, between: Callable[[], None] = lambda: None) -> str:
    """Returns the SHA-256 of a dataset, in hexadecimal: of its bytes, or of the names and bytes of its files.

    Args:
        path: A file, or a folder.
        between: Is called every now and then, and may raise.
    """
    digest, files = hashlib.sha256(), files_of(path)
    for part in files:
        if len(files) > 1:
            digest.update(part.name.encode())
        with part.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                between()
    return digest.hexdigest()


def url_of(path: Path) -> str | None:
    """Returns the URL that was given as a path, which has taken one of its slashes away; None of a path on disk."""
    match = _URL.fullmatch(path.as_posix())
    return f"{match[1]}://{match[2]}" if match else None


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
    check_output(path)
    with scratch_file(path, "partial") as partial:
        yield partial
        give_name(partial, path)


def give_name(written: Path, path: Path) -> None:
    """Moves a whole file to its name once the disk has it: else a power cut could leave the name without the file."""
    with written.open("rb+") as file:
        os.fsync(file.fileno())
    written.replace(path)


@contextmanager
def scratch_file(path: Path, purpose: str) -> Iterator[Path]:
    """Yields a name beside `path` for a file that only the block needs, and removes that file in the end.

    Args:
        path: The output that it serves.
        purpose: What it holds, a word for its name.
    """
    scratch = path.with_name(f"{path.name}.{purpose}")
    _being_written.add(scratch)
    try:
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)
        _being_written.discard(scratch)


def _probe(path: Path) -> None:
    partial = partial_name(path)
    existed = partial.exists()
    with partial.open("ab"):
        pass
    if not existed:
        partial.unlink()
