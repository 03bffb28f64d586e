"""The reference data of the site: the polygons, the true map and the list of classes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas
import pyogrio
from rasterio.windows import Window

from twinns_qgis.demo.classes import CLASSES
from twinns_qgis.demo.ground import Ground
from twinns_qgis.demo.landscape import Landscape
from twinns_qgis.mapping.layouts import COVER, cover_layout
from twinns_qgis.mapping.outputs import map_raster
from twinns_qgis.plain_paths import plain_to_write
from twinns_qgis.rasters.grid import Grid


def write_polygons(path: Path, landscape: Landscape, grid: Grid) -> None:
    """Writes the polygons of the labelled objects to the layer ``polygons`` of a GeoPackage.

    Its fields are ``id``, the number of the object, ``class``, the class's name, and ``code``, its code.
    """
    labelled = [index for index, polygon in enumerate(landscape.polygons) if polygon is not None]
    codes = landscape.codes[labelled].astype("int32")
    table = geopandas.GeoDataFrame(
        {
            "id": [index + 1 for index in labelled],
            "class": [CLASSES[code - 1].land_cover.name for code in codes],
            "code": codes,
        },
        geometry=[landscape.polygons[index] for index in labelled],
        crs=grid.crs,
    )
    with _same_bytes(), plain_to_write(path) as plain:
        table.to_file(plain, layer="polygons", driver="GPKG", engine="pyogrio", geometry_type="Polygon", VERSION="1.2")


def write_truth(path: Path, ground: Ground, grid: Grid) -> None:
    """Writes the true map as maps of land cover are written: class codes, names, colours; no pixel lacks a class."""
    classes = [item.land_cover for item in CLASSES]
    with map_raster(COVER, path, cover_layout(grid, classes, tags={}), classes) as writer:
        writer.write(ground.truth, Window(0, 0, grid.width, grid.height))


def write_classes(path: Path) -> None:
    """Writes code, name and colour of each class as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["code", "class", "color"])
        writer.writerows([item.land_cover.code, item.land_cover.name, item.land_cover.color] for item in CLASSES)


@contextmanager
def _same_bytes() -> Iterator[None]:
    """Has GDAL write a GeoPackage the same way each time: dated at a fixed time, its index not built by a thread."""
    options = {"OGR_CURRENT_DATE": "2018-01-01T00:00:00.000Z", "OGR_GPKG_ALLOW_THREADED_RTREE": "NO"}
    before = {name: pyogrio.get_gdal_config_option(name) for name in options}
    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)
