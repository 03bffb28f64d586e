"""The archives that are known by name; any other is found by the address of its API, or as a catalogue of files.

Addresses and collections are those of the archives' own documentation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from twinns_qgis.errors import InputError


@dataclass(frozen=True)
class Known:
    """An archive.

    Args:
        api: Address of its STAC API, or of the first file of a static catalogue, a URL or an absolute path.
        collections: Its collections by the sensors that `preparesentinel1` and `preparesentinel2` want.
        signing: Address of what signs its files' addresses, on the API's host; empty for none.
        region: Region of its public buckets at AWS, where items name them as ``s3://``; empty for none.
    """

    api: str
    collections: Mapping[str, str] = field(default_factory=dict)
    signing: str = ""
    region: str = ""

    @property
    def is_static(self) -> bool:
        """Whether it is a catalogue of files, which nobody answers for."""
        return self.api.lower().endswith(".json")

    @property
    def folder(self) -> Path | None:
        """The folder of a catalogue on disk; None if it is on a server."""
        return None if self.api.startswith(("https://", "http://")) else Path(self.api).parent

    def address(self, href: str) -> str:
        """Returns the address of a file as servers understand it."""
        bucket = re.fullmatch(r"s3://([a-z0-9.-]+)/(.+)", href)
        return f"https://{bucket[1]}.s3.{self.region}.amazonaws.com/{bucket[2]}" if bucket and self.region else href


ARCHIVES = {
    "earth-search": Known("https://earth-search.aws.element84.com/v1", {"sentinel-2": "sentinel-2-l2a"}),
    "planetary-computer": Known(
        "https://planetarycomputer.microsoft.com/api/stac/v1",
        {"sentinel-2": "sentinel-2-l2a", "sentinel-1": "sentinel-1-rtc"},
        "https://planetarycomputer.microsoft.com/api/sas/v1/token",
    ),
    "digital-earth-africa": Known(
        "https://explorer.digitalearth.africa/stac", {"sentinel-2": "s2_l2a", "sentinel-1": "s1_rtc"}, "", "af-south-1"
    ),
    "copernicus-data-space": Known("https://stac.dataspace.copernicus.eu/v1", {"sentinel-2": "sentinel-2-l2a"}),
}  # fmt: skip
SENSORS = ("sentinel-2", "sentinel-1")
_OF_CATALOGUES = {"sentinel-2": "sentinel-2-l2a", "sentinel-1": "sentinel-1-rtc"}
"""What catalogues of files are taken to call the collections of the sensors: as most archives do."""


def parse_archive(text: str) -> Known:
    """Returns the archive of a name, of the address of an API, or of a catalogue of files or its folder.

    Raises:
        InputError: It is none of these.

    Example:
        >>> parse_archive("planetary-computer").collections["sentinel-1"]
        'sentinel-1-rtc'
    """
    text = text.strip()
    if text.lower() in ARCHIVES:
        return ARCHIVES[text.lower()]
    if text and (path := Path(text)).exists():
        return _on_disk(path)
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise InputError(
            f"API is '{text.partition('?')[0]}'.",
            f"Give {', '.join(ARCHIVES)}, the address of a STAC API, https://..., or the path of a STAC catalogue, "
            "catalog.json.",
        )
    other = Known(text.rstrip("/"))
    other = replace(other, collections=_OF_CATALOGUES) if other.is_static else other
    return next((known for known in ARCHIVES.values() if known.api == other.api), other)


def _on_disk(path: Path) -> Known:
    catalogue = path / "catalog.json" if path.is_dir() else path
    if catalogue.suffix.lower() != ".json" or not catalogue.is_file():
        raise InputError(
            f"API is {path}, which is no STAC catalogue.", "Give the path of a catalogue, catalog.json, or its folder."
        )
    return Known(os.path.normpath(catalogue.absolute()), _OF_CATALOGUES)


def parse_collections(text: str, archive: Known) -> list[str]:
    """Returns the collections of a text: names, or sensors of which the archive's collection is known.

    Raises:
        InputError: There is none, or the archive has none of the sensor.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    missing = [name for name in names if name in SENSORS and name not in archive.collections]
    if missing or not names:
        known = ", ".join(f"{name} ({collection})" for name, collection in archive.collections.items())
        raise InputError(
            f"COLLECTIONS is '{text}'; of {archive.api} is known: {known or 'nothing'}.",
            "Give the names that the archive has for its collections, such as sentinel-2-l2a.",
        )
    return [archive.collections.get(name, name) for name in names]
