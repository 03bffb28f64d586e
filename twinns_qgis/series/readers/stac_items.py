"""Items of STAC catalogues: what they say of an acquisition, and which files beside them are meant.

Formats: the item specification 1.0 and 1.1 with its extensions eo, raster, projection, sat and processing. What 1.0
says in ``eo:bands`` and ``raster:bands``, 1.1 says in ``bands``, and what all bands have in common in the asset itself.

An item is what somebody else wrote. Below a folder only files that the user gave are read for it: its addresses tell
names. Of a scene list its addresses are read, of servers that the user saw before, and on disk what lies below its
folder; of one that was made from a catalogue on disk, instead what lies below the folder of the catalogue.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from twinns_qgis.errors import InputError
from twinns_qgis.files import lies_below
from twinns_qgis.rasters.archives import File, LocalFile, place, read_bytes
from twinns_qgis.rasters.remote.buckets import address_in, is_bucket
from twinns_qgis.rasters.remote.files import Archive, RemoteFile, parts_of
from twinns_qgis.series.dates import Tags, by_acquisition
from twinns_qgis.series.products.product import Orbit
from twinns_qgis.series.readers.search import Search

_SUFFIXES = (".json", ".geojson")
_RASTERS = (".tif", ".tiff", ".jp2")
_PICTURES = frozenset({"visual", "overview", "thumbnail", "metadata"})
"""Roles of assets that are no measurement."""
_PICTURE_KEY = re.compile(r"visual|overview|thumbnail|preview|tci|true_?colou?r", re.IGNORECASE)
_DIRECTIONS = ("ascending", "descending")
_LARGEST = 200_000_000
"""Bytes: a year of a continent's items is smaller."""


@dataclass(frozen=True)
class ItemBand:
    """A band of an asset, or an asset of one band.

    Args:
        asset: The asset's key in its item.
        file: Where its pixels are.
        index: Number of the file's band, from 1.
        said: What is said of it: the asset's fields, the band's own, ``eo:bands`` and ``raster:bands`` alike.
        alone: Whether it is the asset's only band.
    """

    asset: str
    file: File
    index: int
    said: Mapping[str, Any]
    alone: bool

    @property
    def words(self) -> tuple[str, ...]:
        """What may name the band, the most telling first: its name, the asset's key, its common name."""
        name, common = self.said.get("name"), self.said.get("eo:common_name", self.said.get("common_name"))
        key = re.sub(r"_\d+m$|-jp2$", "", self.asset) if self.alone else None
        return tuple(word for word in (name, key, common) if isinstance(word, str))

    @property
    def jpeg2000(self) -> bool:
        """Whether it is as the agency delivers it, and not made from that by an archive."""
        return place(self.file).suffix.lower() == ".jp2"

    @property
    def spacing(self) -> float:
        """Width of a pixel in metres, as far as it is said, else infinity."""
        suffix = re.search(r"_(\d+)m$", self.asset)
        for key in ("raster:spatial_resolution", "spatial_resolution", "gsd"):
            if (value := self.number(key)) is not None:
                return value
        return float(suffix[1]) if suffix else float("inf")

    def number(self, *keys: str) -> float | None:
        """Returns the first of some fields that is a finite number."""
        for key in keys:
            value = self.said.get(key)
            if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf"):
                return float(value)
        return None


@dataclass(frozen=True)
class Item:
    """An acquisition, as an item describes it.

    Args:
        source: The file that holds the item.
        content: The item.
        files: The files that the user gave, among which those of its assets are found, by their names.
        archive: Where its addresses lead; None where they are not to be read.
        folder: Of a scene list the folder below which files on disk are read; None: that of its own file.
    """

    source: LocalFile
    content: Mapping[str, Any]
    files: Mapping[str, Sequence[File]] = field(repr=False)
    archive: Archive | None = None
    folder: Path | None = None

    @property
    def name(self) -> str:
        """The item's identifier."""
        return str(self.content["id"])

    @property
    def place(self) -> Path:
        """A path that no other item has, for its date."""
        return place(self.source).parent / self.name.replace("/", "_")

    @property
    def properties(self) -> Mapping[str, Any]:
        """The item's properties."""
        return _mapping(self.content.get("properties"))

    @property
    def tags(self) -> Tags:
        """What it says of the time of acquisition, as files' metadata do."""
        properties = self.properties
        return {"ACQUISITION": str(properties.get("datetime") or properties.get("start_datetime"))}

    @property
    def day(self) -> date:
        """Day of acquisition, in UTC.

        Raises:
            InputError: The item tells none.
        """
        if day := by_acquisition(self.tags):
            return day
        raise InputError(
            f"The STAC item {self.name} in {self.source} has no datetime.", "Get the item from its archive once more."
        )

    @property
    def sensor(self) -> str:
        """All that may say which satellite and level it is of, in lower case, parted by spaces."""
        properties = self.properties
        said = [self.name, self.content.get("collection"), *map(properties.get, _OF_SENSOR)]
        return " ".join(str(word) for word in said if word).lower().replace("_", "-")

    @property
    def orbit(self) -> Orbit:
        """The orbit, as far as the item tells it."""
        state, relative = self.properties.get("sat:orbit_state"), self.properties.get("sat:relative_orbit")
        return Orbit(
            state if state in _DIRECTIONS else None,
            relative if isinstance(relative, int) and not isinstance(relative, bool) else None,
        )

    def assets(self) -> dict[str, Mapping[str, Any]]:
        """Returns the assets that may be measurements, by their keys."""
        assets = {str(key): _mapping(asset) for key, asset in _mapping(self.content.get("assets")).items()}
        return {key: asset for key, asset in assets.items() if isinstance(asset.get("href"), str)}

    def file(self, asset: Mapping[str, Any]) -> File | None:
        """Returns the file of an asset: where the item says, else the one beside or below it that has its name.

        Raises:
            InputError: It is on a server from which nothing may be read.
        """
        address = parts_of(asset["href"])
        if self.archive and address.netloc:
            return RemoteFile.of(_address(asset), self.archive)
        path = unquote(address.path) if address.scheme else asset["href"]
        candidates = self.files.get(PurePosixPath(path.replace("\\", "/")).name.lower(), ())
        folder = self.folder or place(self.source).parent
        said = _plain(Path(path) if address.scheme == "file" else folder / path)
        if self.archive:
            return said if lies_below(said, folder) and said.is_file() else None
        if address.scheme in ("", "file") and (exact := [file for file in candidates if place(file) == said]):
            return exact[0]
        near = [file for file in candidates if place(file).parent == folder]
        below = [file for file in candidates if folder / self.name in place(file).parents]
        return near[0] if len(near) == 1 else below[0] if len(below) == 1 else None

    def rasters(self) -> list[File]:
        """Returns the files of all assets."""
        return list(dict.fromkeys(file for asset in self.assets().values() if (file := self.file(asset))))

    def bands(self) -> Iterator[ItemBand]:
        """Yields the bands of those assets whose files are there, but no pictures."""
        for key, asset in self.assets().items():
            roles = asset.get("roles")
            if _PICTURE_KEY.search(key) or (isinstance(roles, list) and not _PICTURES.isdisjoint(map(str, roles))):
                continue
            file = self.file(asset)
            if file is None or place(file).suffix.lower() not in _RASTERS:
                continue
            lists = [_mappings(asset.get(field)) for field in ("bands", "eo:bands", "raster:bands")]
            count = max(1, *map(len, lists))
            for index in range(count):
                own = {name: value for of in lists if index < len(of) for name, value in of[index].items()}
                yield ItemBand(key, file, index + 1, {**asset, **own}, alone=count == 1)


API, SIGNING = "twinns:api", "twinns:signing"
"""Members of a scene list: the API that it is from, and what signs its files' addresses."""
ABSENT = "STAC items whose files are not there, beside them or below a folder of their name"
"""Why an item gives nothing."""
_OF_SENSOR = (
    "constellation", "platform", "processing:level", "s2:product_type", "s2:product_uri", "product:type",
)  # fmt: skip


def holders(files: Sequence[File]) -> list[LocalFile]:
    """Returns the files that are items or collections of items by their names."""
    return [file for file in files if not isinstance(file, RemoteFile) and place(file).suffix.lower() in _SUFFIXES]


def items_of(files: Sequence[File], search: Search) -> list[Item]:
    """Returns the items in files, in order; JSON of other kinds holds none.

    Args:
        files: The files; of a scene list its own addresses count besides.
        search: Tells whether they are scene lists.

    Raises:
        InputError: A file can't be read.
    """
    by_name: defaultdict[str, list[File]] = defaultdict(list)
    for file in files:
        by_name[place(file).name.lower()].append(file)
    return [item for file in holders(files) for item in _items(file, by_name, search)]


def _items(file: LocalFile, files: Mapping[str, Sequence[File]], search: Search) -> list[Item]:
    if isinstance(file, Path) and file.stat().st_size > _LARGEST:
        return []
    try:
        content = _mapping(json.loads(read_bytes(file)))
    except (ValueError, RecursionError):  # no JSON, which is nothing to us
        return []
    archive = folder = None
    if search.scenes:
        archive = Archive(str(content.get(API, "")), str(content.get(SIGNING, "")))
        folder = _folder_of_catalogue(file, content)
    found = _mappings(content.get("features")) if content.get("type") == "FeatureCollection" else [content]
    return [
        Item(file, item, files, archive, folder)
        for item in found
        if "stac_version" in item and item.get("id") and "assets" in item
    ]


def origins_of(scenes: Path) -> list[str]:
    """Returns the servers to which a scene list leads, by name, and the folder of the catalogue that it is from.

    Raises:
        InputError: It can't be read, or holds no items; or its catalogue is gone.
    """
    try:
        content = _mapping(json.loads(read_bytes(scenes)))
    except (ValueError, RecursionError):
        content = {}
    items = _mappings(content.get("features"))
    if not items:
        raise InputError(f"{scenes} is no scene list.", "Give a GeoJSON of STAC items, such as findscenes writes.")
    assets = [_mapping(asset) for item in items for asset in _mapping(item.get("assets")).values()]
    addresses = [_address(asset) for asset in assets if isinstance(asset.get("href"), str)]
    addresses = [address_in(address) if is_bucket(address) else address for address in addresses]
    hosts = {host for address in [*addresses, str(content.get(SIGNING, ""))] if (host := parts_of(address).netloc)}
    folder = _folder_of_catalogue(scenes, content)
    return [*sorted(hosts), *([f"the folder {folder}"] if folder else [])]


def _folder_of_catalogue(scenes: LocalFile, content: Mapping[str, Any]) -> Path | None:
    """Returns the folder of the catalogue on disk that a scene list was made from; None if it is from elsewhere.

    Raises:
        InputError: There is no catalogue: so a list can't name any folder.
    """
    api = str(content.get(API, ""))
    if not api or parts_of(api).scheme in ("https", "http"):
        return None
    path = place(scenes).absolute().parent / api
    try:
        catalogue = _mapping(json.loads(read_bytes(path)))
    except (InputError, ValueError, RecursionError):
        catalogue = {}
    if catalogue.get("type") not in ("Catalog", "Collection"):
        raise InputError(
            f"The scene list {scenes} was made from the STAC catalogue {path}, which is not there.",
            "Check that its disk is there, or search once more, with findscenes.",
        )
    return path.parent


def _address(asset: Mapping[str, Any]) -> str:
    """Returns the address of an asset; of several a raster's that wants no keys, else one in a bucket."""
    others = _mapping(asset.get("alternate")).values()
    addresses = [asset["href"], *(str(_mapping(other).get("href")) for other in others)]
    servers = [address for address in addresses if address.startswith(("https:", "http:"))]
    rasters = [address for address in servers if parts_of(address).path.lower().endswith(_RASTERS)]
    return next(iter([*rasters, *filter(is_bucket, addresses), *servers]), addresses[0])


def _plain(path: Path) -> Path:
    """Returns a path without ``..`` and ``.``."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return Path(*parts)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [_mapping(one) for one in value] if isinstance(value, list) else []
