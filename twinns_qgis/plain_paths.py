"""Names of vector files that pyogrio and SQLite take as they are, where they would take others for addresses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from twinns_qgis.files import files_of

_OF_ADDRESSES = frozenset("!;?%")
"""What ends a path, or stands for something else, in an address."""


@contextmanager
def plain_to_read(path: Path) -> Iterator[Path]:
    """Yields the path of a vector file, or of a copy that lasts as long as the block where the name can't be read."""
    if _is_plain(path):
        yield path
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder, f"polygons{path.suffix}")
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            for file in files_of(path):
                shutil.copyfile(file, copy.with_name(f"polygons{file.name[len(path.stem) :]}"))
        yield copy


@contextmanager
def plain_to_write(path: Path) -> Iterator[Path]:
    """Yields a path to write a vector file to, which is at `path` once the block ends without an error."""
    if _is_plain(path):
        yield path
        return
    with TemporaryDirectory() as folder:
        yield Path(folder, path.name if _is_plain(Path(path.name)) else "polygons.gpkg")
        (written,) = Path(folder).iterdir()
        shutil.copyfile(written, path)


def _is_plain(path: Path) -> bool:
    return _OF_ADDRESSES.isdisjoint(str(path))
