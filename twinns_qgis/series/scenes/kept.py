"""What a folder of downloads holds of a scene: an item beside the files of its assets, with their checksums.

While a scene is being fetched its files, and the item as far as it is, have ``.unfinished`` behind their names, which
no reader takes. A file counts once that item has its checksum; when all are there, they get their names.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasterio.crs import CRS
from rasterio.errors import CRSError
from rasterio.transform import Affine
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.files import whole_file
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import disk_errors
from twinns_qgis.rasters.remote.files import parts_of
from twinns_qgis.series.readers.stac_items import Item
from twinns_qgis.series.readers.stac_reflectance import OFFSET_APPLIED
from twinns_qgis.series.scenes.checksums import checksum_of

SIZE, CHECKSUM = "file:size", "file:checksum"
_ORIGIN = "twinns:origin"
"""Field of an asset: the file that it is from, and which part of that."""
_EXTENSIONS = {
    "file": "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "projection": "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
}
_OF_THE_WHOLE = ("alternate", "proj:bbox", "proj:geometry", "proj:centroid")
"""Fields of an asset that hold of its original alone."""
_GEOTIFF = "image/tiff; application=geotiff"
_UNFINISHED = ".unfinished"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Origin:
    """Where a file that was fetched is from.

    Args:
        address: The original.
        grid: The original's pixel grid; None where it tells none.
        window: The part that was fetched; None for the whole file, byte by byte.
    """

    address: str
    grid: Grid | None
    window: Window | None

    def covers(self, window: Window | None) -> bool:
        """Whether the part that was fetched holds another part, or the whole file."""
        if self.window is None or window is None:
            return self.window is None
        (top, bottom), (left, right) = self.window.toranges()
        (first, last), (west, east) = window.toranges()
        return bool(top <= first and last <= bottom and left <= west and east <= right)

    def as_json(self) -> dict[str, Any]:
        """Returns it as an item tells it."""
        told: dict[str, Any] = {"href": self.address}
        if self.grid:
            told["crs"] = self.grid.crs.to_string()
            told["transform"] = list(self.grid.transform)[:6]
            told["shape"] = [self.grid.height, self.grid.width]
        if self.window:
            told["window"] = [round(number) for number in self.window.flatten()]
        return told

    @classmethod
    def of(cls, asset: Mapping[str, Any]) -> Origin | None:
        """Returns that of an asset; None if it tells none."""
        grid = window = None
        try:
            told = asset[_ORIGIN]
            if "crs" in told:
                height, width = map(int, told["shape"])
                grid = Grid(CRS.from_user_input(told["crs"]), Affine(*told["transform"]), width, height)
            if "window" in told:
                window = Window(*map(int, told["window"]))
            return cls(str(told["href"]), grid, window)
        except (KeyError, TypeError, ValueError, CRSError):
            return None


class KeptScene:
    """What a folder holds of a scene.

    Args:
        folder: The folder of all scenes.
        item: The scene as its archive describes it.

    Raises:
        InputError: Its own folder holds what did not come from here.
    """

    def __init__(self, folder: Path, item: Item) -> None:
        name = safe_name(item.name)
        self._item = item
        self._folder = folder / name
        self._path = self._folder / f"{name}.json"
        self._progress = _unfinished(self._path)
        there = _assets_of(self._path)
        self._assets: dict[str, Any] = {**there, **_assets_of(self._progress)}
        self._former = set(map(_name_of, self._assets.values()))
        self._places: dict[str, Path] = {}
        self._lock = threading.Lock()
        if (self._path.exists() and not there) or any(Origin.of(asset) is None for asset in self._assets.values()):
            raise InputError(
                f"{self._path} was not written by downloadscenes.",
                "Choose another folder, or remove it: it would be replaced.",
            )

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the assets whose files it holds, or has begun to hold."""
        return frozenset(self._assets)

    def origin(self, key: str) -> Origin | None:
        """Returns where the file of an asset is from; None if there is none."""
        return Origin.of(self._assets[key]) if key in self._assets else None

    def is_whole(self, key: str, between: Callable[[], None]) -> bool:
        """Whether the file of an asset is as it was when it was fetched, by its size and checksum.

        Args:
            key: The asset's key.
            between: Is called every now and then, and may raise.
        """
        asset = self._assets[key]
        path = self._folder / _name_of(asset)
        for place in (_unfinished(path), path):
            if (
                place.is_file()
                and place.stat().st_size == asset[SIZE]
                and checksum_of(place, between) == asset[CHECKSUM]
            ):
                self._places[path.name] = place
                return True
        return False

    def fetch(self, keys: Iterable[str], name: str, write: Callable[[Path], Origin]) -> None:
        """Adds a file.

        Args:
            keys: The assets whose file it is.
            name: Its name.
            write: Writes it to a path, and returns where it is from.

        Raises:
            InputError: Its place is taken by a file that did not come from here.
        """
        path = self._folder / name
        if path.exists() and name not in self._former:
            raise InputError(
                f"{path} was not written by downloadscenes.",
                "Choose another folder, or remove it: it would be replaced.",
            )
        place = _unfinished(path)
        with disk_errors(place):
            self._folder.mkdir(exist_ok=True)
            origin = write(place)
            with place.open("rb+") as file:
                os.fsync(file.fileno())
        told = {SIZE: place.stat().st_size, CHECKSUM: checksum_of(place)}
        with self._lock:
            self._places[name] = place
            self._assets |= {key: self._described(key, name, origin) | told for key in keys}
            _write(self._progress, self._content())

    def finish(self) -> None:
        """Gives the files and the item their names, now that all are there."""
        unfinished = {name: place for name, place in self._places.items() if place.name != name}
        if not (unfinished or self._progress.exists()):
            return
        # The item goes first, and its former state last: a kill in between leaves nothing that is taken for a product
        # of another kind, and all that it takes to go on.
        with disk_errors(self._path):
            _write(self._path, self._content())
            for name, place in unfinished.items():
                place.replace(self._folder / name)
            for name in self._former - set(map(_name_of, self._assets.values())):
                (self._folder / name).unlink(missing_ok=True)
            for left in self._folder.glob(f"*{_UNFINISHED}"):
                left.unlink()

    def _described(self, key: str, name: str, origin: Origin) -> dict[str, Any]:
        asset = {field: value for field, value in self._item.assets()[key].items() if field not in _OF_THE_WHOLE}
        asset |= {"href": f"./{name}", _ORIGIN: origin.as_json()}
        if origin.grid and origin.window:
            part = origin.grid.crop(origin.window)
            asset |= {"proj:shape": [part.height, part.width], "proj:transform": list(part.transform)[:6]}
            asset["type"] = _GEOTIFF
            if origin.address.lower().endswith(".jp2"):  # what is said of GeoTIFFs is not true of what was made of it
                asset |= {flag: False for flag in OFFSET_APPLIED if self._item.properties.get(flag) is True}
        return asset

    def _content(self) -> dict[str, Any]:
        content = dict(self._item.content)
        told = content.get("stac_extensions")
        extensions = [str(address) for address in told] if isinstance(told, list) else []
        extensions += [
            address for name, address in _EXTENSIONS.items() if not any(f"/{name}/" in known for known in extensions)
        ]
        links = content.get("links")
        kept = [
            {**link, "rel": "derived_from" if link.get("rel") == "self" else link.get("rel")}
            for link in (links if isinstance(links, list) else [])
            if isinstance(link, dict) and parts_of(str(link.get("href"))).scheme
        ]
        # In the order of the archive, whichever was there first.
        assets = {key: self._assets[key] for key in self._item.assets() if key in self._assets}
        return {**content, "stac_extensions": extensions, "links": kept, "assets": {**assets, **self._assets}}


def safe_name(text: str) -> str:
    """Returns a name for a file or folder from a text that others wrote.

    Example:
        >>> safe_name("../S2A 31UES/a")
        'S2A_31UES_a'
    """
    return _UNSAFE.sub("_", text).lstrip("._") or "_"


def _name_of(asset: Mapping[str, Any]) -> str:
    return safe_name(str(asset["href"]).rpartition("/")[2])


def _unfinished(path: Path) -> Path:
    return path.with_name(path.name + _UNFINISHED)


def _assets_of(path: Path) -> dict[str, Any]:
    """Returns the assets of an item in a file; none if it is not there or no item."""
    try:
        assets = json.loads(path.read_text(encoding="utf-8"))["assets"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    whole = isinstance(assets, dict) and all(
        isinstance(asset, dict) and {"href", SIZE, CHECKSUM} <= asset.keys() for asset in assets.values()
    )
    return assets if whole else {}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    with whole_file(path) as partial:
        partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
