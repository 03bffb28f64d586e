"""Static catalogues: STAC as files that link to one another, on disk or on a web server, without an API to ask.

All items of the wanted collections are read. Nobody knows where a stranger's links lead: of a catalogue on disk only
what lies below its folder is read, of one on a server only what is on that server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pystac
from pystac.link import HREF

from twinns_qgis.errors import InputError
from twinns_qgis.files import lies_below
from twinns_qgis.reporter import Reporter


class OnDisk(pystac.StacIO):
    """Reads what lies below the folder of a catalogue, and nothing else.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def read_text(self, source: HREF, *args: Any, **options: Any) -> str:
        """Returns the text of a file.

        Raises:
            InputError: It lies elsewhere.
        """
        href = str(os.fspath(source))
        path = path_of(href)
        if path is None or not lies_below(self._folder / path, self._folder):
            raise InputError(
                f"The catalogue in {self._folder} leads to {href}, which lies outside of its folder and is not read.",
                "Give a catalogue that holds all of its parts.",
            )
        return (self._folder / path).read_text(encoding="utf-8")

    def write_text(self, dest: HREF, txt: str, *args: Any, **options: Any) -> None:
        """Refuses to write."""
        raise PermissionError(str(os.fspath(dest)))


def path_of(href: str) -> Path | None:
    """Returns the path that an address on disk means, ``file://`` or none; None of another."""
    scheme, netloc, path = urlsplit(href)[:3]
    if scheme == "file":
        return None if netloc else Path(url2pathname(path))
    return None if netloc or "://" in href else Path(href)


def items_of_catalogue(
    address: str, stac_io: pystac.StacIO, collections: Sequence[str], reporter: Reporter
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the items of some collections of a catalogue, each with its address.

    Args:
        address: That of the catalogue, a path or a URL.
        stac_io: Reads what is at an address.
        collections: The collections.
        reporter: Receives progress, and says whether the user cancelled.

    Raises:
        InputError: The catalogue has none of the collections, or leads elsewhere.
        STACError: It is none; and what else pystac and `stac_io` raise of what is none.
    """
    waiting, seen = [_catalogue(address, stac_io.read_json(address), stac_io)], {address}
    names: set[str] = set()
    count = 0
    while waiting:
        parent = waiting.pop()
        collection = parent.id if isinstance(parent, pystac.Collection) else None
        if collection:
            names.add(collection)
        for link in parent.get_links():
            wanted = link.rel == pystac.RelType.CHILD or (
                link.rel == pystac.RelType.ITEM and (collection is None or collection in collections)
            )
            href = link.get_absolute_href()
            if not wanted or not href or href in seen:
                continue
            reporter.check_cancelled()
            seen.add(href)
            content = stac_io.read_json(href)
            if link.rel == pystac.RelType.CHILD:
                waiting.append(_catalogue(href, content, stac_io))
            elif content.get("collection", collection) in collections:
                count += 1
                reporter.progress(0.5, f"{count} scenes")
                yield href, content
    if not names.intersection(collections) and not count:
        raise InputError(
            f"{address} has no collection {', '.join(collections)}; it has {', '.join(sorted(names)) or 'none'}.",
            "Give the names that the catalogue has for its collections as COLLECTIONS.",
        )


def _catalogue(address: str, content: dict[str, Any], stac_io: pystac.StacIO) -> pystac.Catalog:
    found = stac_io.stac_object_from_dict(content, href=address, preserve_dict=False)
    if not isinstance(found, pystac.Catalog):
        raise InputError(
            f"{address} is no STAC catalogue or collection, but {type(found).__name__}.",
            "Give the catalogue's own file, mostly catalog.json.",
        )
    return found
