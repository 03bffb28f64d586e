"""The simulated site as a STAC archive: a static catalogue of items with a cloud-optimised GeoTIFF for each band.

It is written as public archives are: Sentinel-2 level 2A as numbers of 16 bits with their scale, no data 0, and the
scene classification at 20 m, as Sen2Cor makes them; Sentinel-1 as gamma nought, linear power, as the Planetary
Computer keeps it. Pixels are those of the site's own files.

Format: STAC 1.1 with the extensions eo, grid, processing, projection, raster and sat.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import from_bounds
from rasterio.warp import transform_geom
from shapely import box
from shapely.geometry import mapping, shape

from twinns_qgis.demo.acquisitions import Overpass, sentinel1_dates, sentinel2_overpasses
from twinns_qgis.demo.atmosphere import CLOUD_BIT
from twinns_qgis.demo.sentinel1 import NODATA as NO_BACKSCATTER
from twinns_qgis.demo.sentinel1 import file_name
from twinns_qgis.demo.sentinel2 import product_name
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.series import SENTINEL1_BANDS, SENTINEL2_BANDS

SENTINEL2, SENTINEL1 = "sentinel-2-l2a", "sentinel-1-rtc"
"""The collections, by the names that public archives have for them."""
NODATA_POWER = -32768.0
"""Value of missing pixels of radar."""

_EXTENSIONS = [
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in ("eo/v2.0.0", "grid/v1.1.0", "processing/v1.2.0", "projection/v2.0.0", "raster/v2.0.0", "sat/v1.0.0")
]
_COMMON_NAMES = (
    "blue", "green", "red", "rededge071", "rededge075", "rededge078", "nir", "nir08", "swir16", "swir22",
)  # fmt: skip
"""Those of `SENTINEL2_BANDS`."""
_VEGETATION, _SHADOW, _CLOUD = 4, 3, 9
"""Classes of the scene classification; what else is clear is not told apart."""
_BLOCK = 256
"""Width and height of the files' tiles, in pixels."""
_LONGITUDE_LATITUDE = CRS.from_epsg(4326)


def write_archive(folder: Path, site: Path, grid: Grid, year: int, reporter: Reporter) -> None:
    """Writes the scenes of a site as an archive.

    Args:
        folder: Folder to write to, which is there and empty.
        site: The site, with its folders ``sentinel2`` and ``sentinel1``.
        grid: Its pixels of 10 m.
        year: The year of its images.
        reporter: Receives the progress, and says between dates whether the user cancelled.
    """
    overpasses, days = sentinel2_overpasses(year), sentinel1_dates(year)
    total = len(overpasses) + len(days)
    optical: list[pystac.Item] = []
    radar: list[pystac.Item] = []
    for index, overpass in enumerate(overpasses):
        reporter.check_cancelled()
        reporter.progress(index / total, f"Archive, Sentinel-2, {overpass.day}")
        optical.append(_write_optical(folder / SENTINEL2, site / "sentinel2", overpass, grid))
    for index, day in enumerate(days, start=len(overpasses)):
        reporter.check_cancelled()
        reporter.progress(index / total, f"Archive, Sentinel-1, {day}")
        radar.append(_write_radar(folder / SENTINEL1, site / "sentinel1", day, grid))
    catalog = pystac.Catalog("demo-site", "Scenes of a simulated site: they show no place on Earth.", "Demo site")
    catalog.add_children(
        [
            _collection(SENTINEL2, "Simulated Sentinel-2 level 2A: surface reflectance.", optical),
            _collection(SENTINEL1, "Simulated Sentinel-1, terrain-corrected: gamma nought as linear power.", radar),
        ]
    )
    catalog.normalize_hrefs(str(folder / "catalog.json"))
    catalog.save(pystac.CatalogType.SELF_CONTAINED)


def _collection(name: str, description: str, items: Sequence[pystac.Item]) -> pystac.Collection:
    collection = pystac.Collection(name, description, pystac.Extent.from_items(items))
    collection.add_items(items)
    return collection


def _write_optical(collection: Path, products: Path, overpass: Overpass, grid: Grid) -> pystac.Item:
    name = f"S2{overpass.platform}_31UES_{overpass.day:%Y%m%d}_0_L2A"
    product = products / product_name(overpass)
    folder = collection / name
    folder.mkdir(parents=True)
    mask = _read(product / "MASKS" / f"{product.name}_CLM_R2.tif")
    classes = np.where(mask & CLOUD_BIT, _CLOUD, np.where(mask, _SHADOW, _VEGETATION)).astype(np.uint8)
    item = _item(name, grid, overpass.day, time(10, 54, 21))
    item.properties |= {
        "platform": f"sentinel-2{overpass.platform.lower()}",
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "eo:cloud_cover": round(100 * float((classes == _CLOUD).mean()), 2),
        "grid:code": "MGRS-31UES",
        "processing:level": "L2A",
        "processing:version": "02.08",  # before 04.00, with which an offset came
        "sat:relative_orbit": 51,
    }
    for band, common_name in zip(SENTINEL2_BANDS, _COMMON_NAMES, strict=True):
        key = f"B{band[1:].zfill(2)}"  # B02, and B8A as it is
        numbers = _read(product / f"{product.name}_FRE_{band}.tif").astype(np.uint16)
        _add(item, folder / f"{key}.tif", numbers, grid, nodata=0, resampling="average", said={
            "bands": [{"name": key, "eo:common_name": common_name}], "raster:scale": 0.0001, "raster:offset": 0,
        })  # fmt: skip
    _add(item, folder / "SCL.tif", classes, grid, nodata=0, resampling="mode", said={"bands": [{"name": "SCL"}]})
    return item


def _write_radar(collection: Path, images: Path, day: date, grid: Grid) -> pystac.Item:
    name = f"S1A_IW_GRDH_1SDV_{day:%Y%m%d}T055000_{day:%Y%m%d}T055025_rtc"
    folder = collection / name
    folder.mkdir(parents=True)
    item = _item(name, grid, day, time(5, 50))
    item.properties |= {"platform": "sentinel-1a", "constellation": "sentinel-1", "sat:relative_orbit": 110}
    for band in SENTINEL1_BANDS:
        backscatter_db = _read(images / file_name(day, band)).astype(np.float64)
        power = np.where(backscatter_db == NO_BACKSCATTER, NODATA_POWER, 10 ** (backscatter_db / 10))
        _add(item, folder / f"{band.lower()}.tif", power.astype(np.float32), grid, nodata=NODATA_POWER,
             resampling="average", said={"bands": [{"name": band, "description": "gamma nought, linear power"}]},
        )  # fmt: skip
    return item


def _item(name: str, grid: Grid, day: date, at: time) -> pystac.Item:
    footprint = shape(transform_geom(grid.crs, _LONGITUDE_LATITUDE, mapping(box(*grid.bounds)), precision=6))
    item = pystac.Item(
        name,
        geometry=mapping(footprint),
        bbox=list(footprint.bounds),
        datetime=datetime.combine(day, at, timezone.utc),
        properties={
            "processing:lineage": "Simulated by TWINNS",
            "proj:code": str(grid.crs),
            "sat:orbit_state": "descending",
        },
    )
    item.stac_extensions = list(_EXTENSIONS)
    return item


def _read(path: Path) -> NDArray[Any]:
    with rasterio.open(path) as dataset:
        values: NDArray[Any] = dataset.read(1)
    return values


def _add(
    item: pystac.Item,
    path: Path,
    values: NDArray[Any],
    grid: Grid,
    *,
    nodata: float,
    resampling: str,
    said: dict[str, Any],
) -> None:
    """Writes a band that covers the grid, in pixels of 10 or 20 m, and adds it to an item as an asset."""
    height, width = values.shape
    transform = from_bounds(*grid.bounds, width, height)
    with rasterio.open(
        path, "w", driver="COG", crs=grid.crs, transform=transform, width=width, height=height, count=1,
        dtype=values.dtype, nodata=nodata, blocksize=_BLOCK, compress="deflate", predictor="yes",
        overview_resampling=resampling,
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
    fields = {
        "data_type": str(values.dtype), "nodata": nodata, "gsd": transform.a,
        "proj:shape": [height, width], "proj:transform": list(transform)[:6],
    }  # fmt: skip
    item.add_asset(
        path.stem, pystac.Asset(f"./{path.name}", None, None, pystac.MediaType.COG, ["data"], {**said, **fields})
    )
