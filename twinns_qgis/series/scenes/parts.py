"""A file of a scene, and the part of it that is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rasterio.windows import Window, round_window_to_full_blocks

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File
from twinns_qgis.rasters.copies import geotiff_of, pieces_of, size_of
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.series.scenes.checksums import agrees
from twinns_qgis.series.scenes.kept import CHECKSUM, SIZE, KeptScene, Origin

_GEOTIFFS = (".tif", ".tiff")


class Failed(Exception):
    """A scene can't be had, for a reason that need not hold for others."""


@dataclass(frozen=True)
class Part:
    """A file of a scene, and what is wanted of it.

    Args:
        scene: The scene's name.
        kept: What the folder holds of the scene.
        keys: The assets whose file it is.
        file: The file.
        name: Its name.
        told: What the item says of it.
        grid: Its pixel grid; None where it was not looked at.
        tile: Height and width of what can be read at once of it; a pixel where it was not looked at.
        window: The pixels that are wanted; None for the whole file.
        size: Bytes that are about to be read.
    """

    scene: str
    kept: KeptScene
    keys: tuple[str, ...]
    file: File
    name: str
    told: Mapping[str, Any]
    grid: Grid | None = None
    tile: tuple[int, int] = (1, 1)
    window: Window | None = None
    size: float = 0.0

    @property
    def there(self) -> Origin | None:
        """What the folder holds of the file, as far as it tells."""
        origins = [self.kept.origin(key) for key in self.keys]
        same = all(origin and origin.address == str(self.file) for origin in origins)
        return origins[0] if same else None

    def is_there(self, between: Callable[[], None]) -> bool:
        """Whether the folder holds all that is wanted, undamaged."""
        origin = self.there
        return bool(origin and origin.covers(self.window) and self.kept.is_whole(self.keys[0], between))

    def looked_at(self) -> Part:
        """Returns the part with its pixel grid; of a file that is there no server is asked.

        Raises:
            Failed: It can't be read.
        """
        origin = self.there
        if origin and origin.grid:
            return replace(self, grid=origin.grid)
        with _of_a_scene(), open_raster(self.file) as dataset:
            return replace(self, grid=Grid.of(dataset), tile=dataset.block_shapes[0])

    def limited_to(self, window: Window) -> Part:
        """Returns the part with the pixels that are wanted."""
        all_of_it = self.grid and (window.width, window.height) == (self.grid.width, self.grid.height)
        return self if all_of_it else replace(self, window=window)

    def sized(self) -> Part:
        """Returns the part with its size: of a window, about, that of the tiles that it touches.

        Raises:
            Failed: It can't be read.
        """
        share = 1.0
        if self.grid and self.window:
            tiles = round_window_to_full_blocks(self.window, [self.tile], self.grid.height, self.grid.width)
            share = tiles.width * tiles.height / (self.grid.width * self.grid.height)
        with _of_a_scene():
            return replace(self, size=share * size_of(self.file))

    def fetch(self, between: Callable[[], None]) -> None:
        """Fetches it.

        Args:
            between: Is called every now and then, and may raise.

        Raises:
            Failed: It can't be had.
            InputError: The disk takes no more, or the place is taken.
        """
        path = Path(self.name)
        name = path.name if self.window is None or path.suffix.lower() in _GEOTIFFS else f"{path.stem}.tif"
        self.kept.fetch(self.keys, name, lambda place: self._write(place, between))

    def _write(self, path: Path, between: Callable[[], None]) -> Origin:
        with path.open("wb") as stream:
            for piece in self._pieces(between):
                stream.write(piece)
        grid = self.grid
        if self.window is None:
            with _of_a_scene():
                self._compare(path, between)
            with _of_a_scene(), open_raster(path) as dataset, suppress(InputError):  # an item may tell what it lacks
                grid = Grid.of(dataset)
        return Origin(str(self.file), grid, self.window)

    def _pieces(self, between: Callable[[], None]) -> Iterator[bytes]:
        with _of_a_scene():
            if self.window is not None:
                yield geotiff_of(self.file, self.window, between)
                return
            for piece in pieces_of(self.file):
                between()
                yield piece

    def _compare(self, path: Path, between: Callable[[], None]) -> None:
        """Raises `InputError` if a whole file is not what its archive says of it."""
        size, checksum = self.told.get(SIZE), self.told.get(CHECKSUM)
        if (isinstance(size, int) and path.stat().st_size != size) or (
            isinstance(checksum, str) and agrees(path, checksum, between) is False
        ):
            raise InputError(
                f"{self.file} is not the file of which its item tells size and checksum.",
                "Search once more: the archive may have made it anew. Else ask those who keep it.",
            )


@contextmanager
def _of_a_scene() -> Iterator[None]:
    """Takes the errors of its block for those of a scene."""
    try:
        yield
    except InputError as error:
        raise Failed(error) from error
