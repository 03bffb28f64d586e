"""Searching a STAC API, and the scene list that comes of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pystac_client
import requests
from pystac.errors import STACError
from pystac_client.errors import ClientTypeError
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from rasterio.crs import CRS
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from twinns_qgis.errors import InputError
from twinns_qgis.files import check_output, whole_file
from twinns_qgis.rasters.grid import Extent
from twinns_qgis.rasters.remote.credentials import TOKENS, token_of
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.product import Orbit
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.readers.stac_items import API, SIGNING, Item
from twinns_qgis.series.readers.stac_reflectance import baseline_of, newest, tile_of
from twinns_qgis.series.scenes.archives import Known

_UNUSABLE = (
    APIError, ClientTypeError, STACError, requests.RequestException, ValueError, LookupError, TypeError, AttributeError,
    NotImplementedError,
)  # fmt: skip
"""What pystac-client raises of an API that refuses, or is none."""
_A_PAGE = 100
_TRIES = 5
_TIMEOUT = 60
_LONGITUDE_LATITUDE = CRS.from_epsg(4326)


@dataclass(frozen=True)
class Wanted:
    """What is searched for.

    Args:
        collections: The API's collections.
        extent: The area.
        period: The dates.
        most_clouds: Scenes with more clouds, in percent of the scene, are left out; those that tell none are not.
        orbit: Direction or relative orbit; nothing known means any.
    """

    collections: Sequence[str]
    extent: Extent
    period: Period
    most_clouds: float = 100.0
    orbit: Orbit = field(default_factory=Orbit)


def find_scenes(output: Path, archive: Known, wanted: Wanted, reporter: Reporter) -> int:
    """Writes the list of the scenes that an archive has of an area and a time.

    Args:
        output: The list to write: GeoJSON of STAC items with their footprints, one for each tile, date and take.
        archive: The archive. No other host than that of its API is contacted.
        wanted: What is searched for.
        reporter: Receives progress and warnings.

    Returns:
        The number of scenes.

    Raises:
        InputError: The API can't be searched, or has no such scene.
    """
    check_output(output)
    reporter.progress(0.0, f"Searching {archive.api}")
    found = [_absolute(item, archive) for item in _asked(archive, wanted, reporter)]
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
            "Check EXTENT with its CRS, START and END, and raise MAX_CLOUD.",
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
    items: list[dict[str, Any]] = []
    try:
        client = pystac_client.Client.open(archive.api, stac_io=_io(archive))
        search = client.search(
            collections=list(wanted.collections),
            bbox=wanted.extent.in_crs(_LONGITUDE_LATITUDE),
            datetime=_span(wanted.period),
            limit=_A_PAGE,
        )
        for page in search.pages_as_dicts():
            reporter.check_cancelled()
            items += page.get("features", [])
            reporter.progress(0.5, f"{len(items)} scenes")
    except _UNUSABLE as error:
        raise InputError(
            f"{archive.api} can't be searched: {_reason(error)}.",
            f"Check the address and the names of the collections; an archive that wants a token has it in {TOKENS}.",
        ) from error
    return [
        item for item in items if isinstance(item, dict) and item.get("id") and isinstance(item.get("assets"), dict)
    ]


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
        if token := token_of(host):
            request.headers["Authorization"] = f"Bearer {token}"
        return super().send(request, *args, **options)


def _io(archive: Known) -> StacApiIO:
    io = StacApiIO(timeout=_TIMEOUT)
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


def _absolute(item: dict[str, Any], archive: Known) -> dict[str, Any]:
    """Returns an item whose files have addresses of servers."""
    links = [link for link in item.get("links", []) if isinstance(link, dict) and link.get("rel") == "self"]
    base = str(links[0].get("href", "")) if links else ""
    assets = {
        key: {**asset, "href": archive.address(urljoin(base, asset["href"]))}
        for key, asset in item["assets"].items()
        if isinstance(asset, dict) and isinstance(asset.get("href"), str)
    }
    return {**item, "assets": assets}


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
    return sorted(
        {urlsplit(asset["href"]).netloc or "this disk" for scene in scenes for asset in scene.assets().values()}
    )


def _reason(error: Exception) -> str:
    """Returns what went wrong in a line, without what may be secret in an address."""
    return str(error).partition("?")[0].splitlines()[0][:200] if str(error) else type(error).__name__
