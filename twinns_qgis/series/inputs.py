"""What the user gives to prepare a series from: layers, or a folder to search."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from os.path import commonpath
from pathlib import Path, PurePath

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, files_below, place
from twinns_qgis.series.band_names import BandNames
from twinns_qgis.series.names.origin import level_of, sensor_of, tile_of

_OF_DATES = re.compile(r"\d{1,4}|(?:year|month)=\d+")
_RASTER_SUFFIXES = (".tif", ".tiff")


@dataclass(frozen=True)
class Inputs:
    """Rasters, or a folder below which they are found; exactly one of the two is given.

    Args:
        layers: Rasters to use.
        folder: Folder to search, with all folders below it.
        dates: CSV table with the columns file and date.
        bands: Names of the bands of files that do not describe them.
    """

    layers: tuple[Path, ...] = ()
    folder: Path | None = None
    dates: Path | None = None
    bands: BandNames = field(default_factory=BandNames)

    def __post_init__(self) -> None:
        if bool(self.layers) == bool(self.folder):
            found = "Both layers and a folder were given" if self.layers else "Neither layers nor a folder were given"
            raise InputError(f"{found}; exactly one of the two is expected.", "Give LAYERS or FOLDER.")
        if self.folder and not self.folder.is_dir():
            raise InputError(f"The folder {self.folder} does not exist.", "Check the path.")

    @property
    def named(self) -> list[Path]:
        """The files that the user named one by one."""
        return [*self.layers, *([self.dates] if self.dates else [])]

    @property
    def root(self) -> Path | None:
        """The folder above which no name of a folder tells anything of an image; None where there is none.

        The name of the folder to search, or of that in which all layers lie, counts if it is that of a product, a tile,
        a year or a month; else it is the user's own.
        """
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
        """Returns the layers, or all files below the folder and in the zip archives there, in order.

        Raises:
            InputError: An archive is damaged.
        """
        return files_below(self.folder) if self.folder else list(self.layers)

    def __str__(self) -> str:
        return f"the folder {self.folder}" if self.folder else f"the {len(self.layers)} layers"


def is_geotiff(file: File) -> bool:
    """Whether a file is a GeoTIFF by its name."""
    return place(file).suffix.lower() in _RASTER_SUFFIXES
