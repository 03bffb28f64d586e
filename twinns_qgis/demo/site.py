"""The simulated site as files (docs/demo-site.md)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.demo.acquisitions import sentinel1_dates, sentinel2_overpasses
from twinns_qgis.demo.archive import write_archive
from twinns_qgis.demo.conditions import USUAL, Conditions
from twinns_qgis.demo.ground import Ground
from twinns_qgis.demo.landscape import draw_landscape
from twinns_qgis.demo.reference import write_classes, write_polygons, write_truth
from twinns_qgis.demo.sentinel1 import write_date
from twinns_qgis.demo.sentinel2 import write_product
from twinns_qgis.errors import InputError
from twinns_qgis.files import partial_name
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter

SMALLEST_SIZE = 64
"""Smallest width and height of a site, in pixels: room for three polygons of each class."""

# The upper left corner, on the grid of Sentinel-2 tile 31UES.
_CRS = CRS.from_epsg(32631)
_ORIGIN = (540000.0, 5640000.0)
_RESOLUTION = 10.0


def create_demo_site(
    folder: Path,
    *,
    size: int = 256,
    seed: int = 0,
    conditions: Conditions = USUAL,
    archive: Path | None = None,
    reporter: Reporter,
) -> None:
    """Writes a simulated site: Sentinel-1 and Sentinel-2 products of a year, polygons with classes, the true map.

    The same size, seed and conditions give the same bytes; the same size and seed the same fields.

    Args:
        folder: Folder to make the site in; it must be new or empty. It is there when the site is whole.
        size: Width and height of the site in pixels of 10 m, an even number.
        seed: Fixes everything that is random but the weather of years.
        conditions: How hard the site is, and the year.
        archive: Folder to write the same scenes to as a STAC archive, new or empty; see `archive`.
        reporter: Receives the progress, and says between dates whether the user cancelled.

    Raises:
        InputError: A folder holds something or can't be made, one lies in the other, or size or seed is out of range.
        Cancelled: The user stopped the job; nothing is left behind.

    Example:
        >>> create_demo_site(Path("demo"), size=64, reporter=Reporter())
        >>> sorted(path.name for path in Path("demo").iterdir() if path.is_dir())
        ['sentinel1', 'sentinel2']
    """
    _check(size, seed)
    _check_folder(folder, "site")
    if archive is not None:
        _check_folder(archive, "archive")
        _check_apart(folder.resolve(), archive.resolve())
    grid = site_grid(size)
    with ExitStack() as stack:
        # The folder that is left first gets its name first: a site with an archive has both.
        partial = stack.enter_context(_whole_folder(folder, "site", reporter))
        partial_archive = stack.enter_context(_whole_folder(archive, "archive", reporter)) if archive else None
        reporter.progress(0, "Drawing the landscape")
        landscape = draw_landscape(grid, seed, conditions.labelled)
        ground = Ground(landscape, grid, seed, conditions)
        write_polygons(partial / "polygons.gpkg", landscape, grid)
        write_truth(partial / "truth.tif", ground, grid)
        write_classes(partial / "classes.csv")
        share = 0.5 if partial_archive else 1.0
        _write_products(partial, ground, grid, seed, conditions, reporter.part(0, share))
        if partial_archive:
            write_archive(partial_archive, partial, grid, conditions.year, reporter.part(share, 1))
    reporter.progress(1, "The site is made")


def site_grid(size: int) -> Grid:
    """Returns the grid of a site of `size` x `size` pixels."""
    return Grid(_CRS, from_origin(*_ORIGIN, _RESOLUTION, _RESOLUTION), size, size)


def _write_products(
    folder: Path, ground: Ground, grid: Grid, seed: int, conditions: Conditions, reporter: Reporter
) -> None:
    overpasses, dates = sentinel2_overpasses(conditions.year), sentinel1_dates(conditions.year)
    total = len(overpasses) + len(dates)
    for index, overpass in enumerate(overpasses):
        reporter.check_cancelled()
        reporter.progress(index / total, f"Sentinel-2, {overpass.day}")
        write_product(folder / "sentinel2", ground, overpass, grid, seed, conditions.noise)
    (folder / "sentinel1").mkdir()
    for index, day in enumerate(dates, start=len(overpasses)):
        reporter.check_cancelled()
        reporter.progress(index / total, f"Sentinel-1, {day}")
        write_date(folder / "sentinel1", ground, day, grid, seed, conditions.noise)


def _check(size: int, seed: int) -> None:
    if size < SMALLEST_SIZE or size % 2:
        raise InputError(
            f"The size of the site is {size}; an even number of at least {SMALLEST_SIZE} pixels was expected.",
            "Smaller sites have too few polygons of each class; pixels of 20 m need an even number of 10 m.",
        )
    if seed < 0:
        raise InputError(f"The seed is {seed}; a number of 0 or more was expected.", "Choose another seed.")


def _check_folder(folder: Path, what: str) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        state = "is not empty" if folder.is_dir() else "is a file"
        raise InputError(f"The folder {folder} of the {what} {state}.", "Choose a new or an empty folder.")
    if not folder.parent.is_dir():
        raise InputError(f"The folder {folder.parent} of the {what} {folder.name} does not exist.", "Make it first.")


def _check_apart(folder: Path, archive: Path) -> None:
    if folder == archive or folder in archive.parents or archive in folder.parents:
        raise InputError(
            f"The folders {folder} of the site and {archive} of the archive are one, or one lies in the other.",
            "Give them two folders side by side: else a search of the one would find each scene twice.",
        )


@contextmanager
def _whole_folder(folder: Path, what: str, reporter: Reporter) -> Iterator[Path]:
    """Yields a new folder to write to, and moves it to `folder` once the block ends without an error."""
    folder = folder.resolve()
    partial = partial_name(folder)
    try:
        partial.mkdir()
    except FileExistsError as error:
        raise InputError(
            f"{partial} exists: another run is making this {what}, or one was stopped in the midst of it.",
            "Wait for it, or delete that folder.",
        ) from error
    except OSError as error:
        raise InputError(
            f"The folder {partial} can't be made: {error.strerror}.", "Choose a place that you may write to."
        ) from error

    def discard() -> str:
        shutil.rmtree(partial, ignore_errors=True)
        return f"The unfinished {what} {partial} was removed."

    with reporter.last_resort(discard):
        try:
            yield partial
            if folder.exists():
                folder.rmdir()  # Windows moves nothing over a folder, even an empty one
            partial.replace(folder)
        finally:
            discard()
