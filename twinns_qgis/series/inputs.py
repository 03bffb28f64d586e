"""What the user gives to prepare a series from: layers, a folder to search, or a list of scenes on servers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from os.path import commonpath
from pathlib import Path, PurePath

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, as_file, files_below, place
from twinns_qgis.series.band_names import BandNames
from twinns_qgis.series.names.origin import level_of, sensor_of, tile_of

_OF_DATES = re.compile(r"\d{1,4}|(?:year|month)=\d+")
_RASTER_SUFFIXES = (".tif", ".tiff")


@dataclass(frozen=True)
class Inputs:
    """Rasters, a folder below which they are found, or a list of scenes; exactly one of the three is given.

    Args:
        layers: Rasters to use.
        folder: Folder to search, with all folders below it.
        dates: CSV table with the columns file and date.
        bands: Names of the bands of files that do not describe them.
        scenes: Scene list: STAC items in one GeoJSON, whose files are on servers or beside it.
    """

    layers: tuple[Path, ...] = ()
    folder: Path | None = None
    dates: Path | None = None
    bands: BandNames = field(default_factory=BandNames)
    scenes: Path | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("layers", "folder", "scenes") if getattr(self, name)]
        if len(given) != 1:
            raise InputError(
                f"{' and '.join(given).capitalize() or 'Nothing'} was given; exactly one of layers, a folder and a "
                "scene list is expected.",
                "Give LAYERS, FOLDER or SCENES.",
            )
        if self.scenes and not self.scenes.is_file():
            raise InputError(f"The scene list {self.scenes} does not exist.", "Check the path; findscenes writes it.")
        if self.folder and not self.folder.is_dir():
            raise InputError(f"The folder {self.folder} does not exist.", "Check the path.")

    @property
    def named(self) -> list[Path]:
        """The files that the user named one by one."""
        return [*self.layers, *filter(None, (self.scenes, self.dates))]

    @property
    def root(self) -> Path | None:
        """The folder above which no name of a folder tells anything of an image; None where there is none.

        The name of the folder to search, or of that in which all layers lie, counts if it is that of a product, a tile,
        a year or a month; else it is the user's own.
        """
        if self.scenes:
            return self.scenes.absolute().parent
        folders = {self.folder.absolute()} if self.folder else {layer.absolute().parent for layer in self.layers}
        if self.layers and len(folders) == 1:
            return None
        if len({folder.anchor for folder in folders}) > 1:
            return None
        root = Path(commonpath(folders))
        while _OF_DATES.fullmatch(root.name):
            root = root.parent
        name = PurePath(root.name)
        return root.parent if sensor_of(name) or level_of(name) or tile_of(name) else root

    def files(self) -> list[File]:
        """Returns the layers, the scene list, or all files below the folder and in the zip archives there, in order.

        Raises:
            InputError: An archive is damaged.
        """
        if self.scenes:
            return [self.scenes]
        return files_below(self.folder) if self.folder else [as_file(layer) for layer in self.layers]

    def __str__(self) -> str:
        if self.scenes:
            return f"the scene list {self.scenes}"
        return f"the folder {self.folder}" if self.folder else f"the {len(self.layers)} layers"


def is_geotiff(file: File) -> bool:
    """Whether a file is a GeoTIFF by its name."""
    return place(file).suffix.lower() in _RASTER_SUFFIXES
