"""A new raster in the place of a former one, and of what lies beside that."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from twinns_qgis.files import check_output, give_name, scratch_file


def sidecars_of(path: Path) -> list[Path]:
    """Returns what GDAL reads beside a raster, and would take for the new one's: metadata, pyramids, mask."""
    return [path.with_name(f"{path.name}{suffix}") for suffix in (".aux.xml", ".ovr", ".msk")]


def check_raster_output(path: Path) -> None:
    """Checks that a raster can be written at `path`, and that what lies beside the one that is there can be removed.

    Raises:
        InputError: It can't.
    """
    for file in (path, *sidecars_of(path)):
        check_output(file)


def give_raster_name(written: Path, path: Path, styles: Iterable[Path] = ()) -> Path:
    """Moves a whole raster to its name, in the place of a former one, whose sidecars and styles go before.

    So no kill leaves the new one beside what belongs to the former. Where another program has one of these files open,
    and Windows does not let go of it, the former raster keeps all that it has, and the new one gets a name beside it.

    Returns:
        The name that it got.
    """
    with ExitStack() as stack:
        aside: dict[Path, Path] = {}
        is_held = False
        for old in (*sidecars_of(path), *styles):
            if old.exists():
                former = stack.enter_context(scratch_file(old, "former"))
                try:
                    old.replace(former)
                except PermissionError:
                    is_held = True
                else:
                    aside[old] = former
        found = give_name(written, path, replacing=not is_held)
        if found != path:
            for old, former in aside.items():
                former.replace(old)
    return found
