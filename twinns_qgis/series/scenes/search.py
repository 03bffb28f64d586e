"""Searching a STAC API or a catalogue of files, and the scene list that comes of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pystac_client
import requests
from pystac.errors import STACError, STACTypeError
from pystac.link import HREF
from pystac_client.errors import ClientTypeError
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from twinns_qgis.errors import InputError
from twinns_qgis.files import check_output, whole_file
from twinns_qgis.rasters.remote.credentials import TOKENS, authorization_of
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.product import Orbit
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.readers.stac_items import API, SIGNING, Item
from twinns_qgis.series.readers.stac_reflectance import baseline_of, newest, tile_of
from twinns_qgis.series.scenes.archives import Known
from twinns_qgis.series.scenes.catalogue import OnDisk, items_of_catalogue, path_of
from twinns_qgis.series.scenes.place import Place

_UNUSABLE = (
    APIError, ClientTypeError, STACError, STACTypeError, requests.RequestException, ValueError, LookupError, TypeError,
    AttributeError, NotImplementedError, OSError, RecursionError,
)  # fmt: skip
"""What pystac and pystac-client raise of an API that refuses, and of what is none."""
_A_PAGE = 100
_TRIES = 5
_TIMEOUT = 60


@dataclass(frozen=True)
class Wanted:
    """What is searched for.

    Args:
        collections: The archive's collections.
        place: The area.
        period: The dates.
        most_clouds: Scenes with more clouds, in percent of the scene, are left out; those that tell none are not.
        orbit: Direction or relative orbit; nothing known means any.
    """

    collections: Sequence[str]
    place: Place
    period: Period
    most_clouds: float = 100.0
    orbit: Orbit = field(default_factory=Orbit)


def find_scenes(output: Path, archive: Known, wanted: Wanted, reporter: Reporter) -> int:
    """Writes the list of the scenes that an archive has of an area and a time.

    Args:
        output: The list to write: GeoJSON of STAC items with their footprints, one for each tile, date and take.
        archive: The archive. No other host than that of its API is contacted, nothing outside of a catalogue's folder
            is read.
        wanted: What is searched for.
        reporter: Receives progress and warnings.

    Returns:
        The number of scenes.

    Raises:
        InputError: The archive can't be searched, or has no such scene.
    """
    check_output(output)
    reporter.progress(0.0, f"Searching {archive.api}")
    found = _asked(archive, wanted, reporter)
    items = [Item(output, item, {}) for item in found if isinstance(item.get("properties"), dict)]
    kept = [item for item in items if _is_wanted(item, wanted)]
    search = Search(AcquisitionDates(None, reporter), reporter)
    scenes = sorted(newest(kept, search), key=lambda item: (item.day, item.name))
    if not scenes:
        raise InputError(
            f"{archive.api} has {len(found)} scenes of the collections {', '.join(wanted.collections)} there and then, "
            f"and none of them with at most {wanted.most_clouds:g} % of clouds and the orbit {wanted.orbit}."
            if found
            else f"{archive.api} has no scene of the collections {', '.join(wanted.collections)} there and then.",
            "Check EXTENT or POLYGONS with their CRS, START and END, and raise MAX_CLOUD.",
        )
    content = {
        "type": "FeatureCollection",
        API: archive.api,
        **({SIGNING: archive.signing} if archive.signing else {}),
        "features": [_with_columns(scene) for scene in scenes],
    }
    with whole_file(output) as path:
        path.write_text(json.dumps(content), encoding="utf-8")
    days = sorted({scene.day for scene in scenes})
    tiles = sorted({tile for scene in scenes if (tile := tile_of(scene))})
    reporter.info(
        f"{len(scenes)} scenes of {len(days)} dates, {days[0]} to {days[-1]}"
        f"{f', of the tiles {chr(44).join(tiles)}' if tiles else ''}. Their files are on {', '.join(_hosts(scenes))}."
    )
    return len(scenes)


def _asked(archive: Known, wanted: Wanted, reporter: Reporter) -> list[dict[str, Any]]:
    """Returns what an archive has of an area and a time, with the addresses of its files."""
    try:
        read = _of_catalogue if archive.is_static else _of_api
        found = [
            (base, item)
            for base, item in read(archive, wanted, reporter)
            if isinstance(item, dict) and item.get("id") and isinstance(item.get("assets"), dict)
        ]
    except _UNUSABLE as error:
        raise InputError(
            f"{archive.api} can't be searched: {_reason(error)}.",
            f"Check the address and the names of the collections; an archive that wants a token has it in {TOKENS}.",
        ) from error
    return [_with_addresses(item, base, archive) for base, item in found if wanted.place.touches(item)]


def _of_api(archive: Known, wanted: Wanted, reporter: Reporter) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the items that an API finds, each with the address that its files' addresses are relative to."""
    client = pystac_client.Client.open(archive.api, stac_io=_io(archive))
    search = client.search(
        collections=list(wanted.collections), datetime=_span(wanted.period), limit=_A_PAGE, **wanted.place.query
    )
    count = 0
    for page in search.pages_as_dicts():
        reporter.check_cancelled()
        for item in page.get("features", []):
            links = [link for link in item.get("links", []) if isinstance(link, dict) and link.get("rel") == "self"]
            yield str(links[0].get("href", "")) if links else "", item
            count += 1
        reporter.progress(0.5, f"{count} scenes")


def _of_catalogue(archive: Known, wanted: Wanted, reporter: Reporter) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the items of a catalogue of files; see `_of_api`."""
    stac_io = OnDisk(archive.folder) if archive.folder else _io(archive)
    return items_of_catalogue(archive.api, stac_io, wanted.collections, reporter)


class _OneHost(HTTPAdapter):
    """Contacts one host alone, wherever an API sends us."""

    def __init__(self, host: str) -> None:
        self._host = host
        retry = Retry(_TRIES, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None)
        super().__init__(max_retries=retry)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Sends a request."""
        host = urlsplit(request.url or "").netloc
        if host != self._host:
            raise InputError(
                f"The API on {self._host} sends us to another host, {host}, which is not contacted.",
                "Give the address of the API that answers itself.",
            )
        if authorization := authorization_of(host):
            request.headers["Authorization"] = authorization
        return super().send(request, *args, **options)


class _OnServer(StacApiIO):
    """Reads what is on servers, and nothing on disk, wherever links lead."""

    def read_text(self, source: HREF, *args: Any, **options: Any) -> str:
        """Returns the text at an address."""
        href = str(os.fspath(source))
        if not href.startswith(("https://", "http://")):
            raise InputError(f"The archive leads to {href}, which is not read.", "Choose another archive.")
        return super().read_text(source, *args, **options)


def _io(archive: Known) -> StacApiIO:
    io = _OnServer(timeout=_TIMEOUT)
    adapter = _OneHost(urlsplit(archive.api).netloc)
    for scheme in ("https://", "http://"):
        io.session.mount(scheme, adapter)
    return io


def _span(period: Period) -> str:
    start, end = period.start, period.end
    return f"{f'{start}T00:00:00Z' if start else '..'}/{f'{end}T23:59:59Z' if end else '..'}"


def _is_wanted(item: Item, wanted: Wanted) -> bool:
    clouds = item.properties.get("eo:cloud_cover")
    clear = not isinstance(clouds, int | float) or clouds <= wanted.most_clouds
    return clear and item.orbit.matches(wanted.orbit) and item.day in wanted.period


def _with_addresses(item: dict[str, Any], base: str, archive: Known) -> dict[str, Any]:
    """Returns an item whose files have addresses of servers, or paths below the folder of their catalogue."""
    assets = {
        key: {**asset, "href": address}
        for key, asset in item["assets"].items()
        if isinstance(asset, dict)
        and isinstance(asset.get("href"), str)
        and (address := _address(asset["href"], base, archive))
    }
    # Links of a catalogue of files lead nowhere from the list.
    return {**item, "assets": assets, **({"links": []} if archive.is_static else {})}


def _address(href: str, base: str, archive: Known) -> str | None:
    """Returns the address of a file; None of one on disk that lies outside of its catalogue's folder."""
    if archive.folder is None:
        return archive.address(urljoin(base, href))
    path = path_of(href)
    if path is None:
        return href
    whole = Path(os.path.normpath(Path(base).parent / path))
    return whole.relative_to(archive.folder).as_posix() if whole.is_relative_to(archive.folder) else None


def _with_columns(scene: Item) -> Mapping[str, Any]:
    """Returns an item with what a table should show of it first."""
    baseline = baseline_of(scene)
    columns = {
        "cloud": scene.properties.get("eo:cloud_cover"),
        "date": scene.day.isoformat(),
        "orbit": "" if scene.orbit == Orbit() else str(scene.orbit),
        "tile": tile_of(scene) or "",
        "baseline": f"{baseline[:2]}.{baseline[2:]}" if baseline else "",
    }
    return {**scene.content, "properties": {**columns, **scene.properties}}


def _hosts(scenes: Iterable[Item]) -> list[str]:
    addresses = [urlsplit(asset["href"]) for scene in scenes for asset in scene.assets().values()]
    return sorted({
        f"s3://{address.netloc}" if address.scheme == "s3" else address.netloc or "this disk" for address in addresses
    })  # fmt: skip


def _reason(error: Exception) -> str:
    """Returns what went wrong in a line, without what may be secret in an address."""
    return str(error).partition("?")[0].splitlines()[0][:200] if str(error) else type(error).__name__
