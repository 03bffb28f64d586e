"""Where scenes are wanted: how an archive is asked for them, and whether one lies there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas
import numpy as np
import shapely
from rasterio.crs import CRS
from shapely.errors import ShapelyError
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Extent

MOST_VERTICES = 500
"""Archives refuse long requests: they are asked for the hull of polygons with more vertices."""
_LONGITUDE_LATITUDE = CRS.from_epsg(4326)


@dataclass(frozen=True)
class Place:
    """A rectangle or polygons in which scenes are wanted.

    Args:
        area: What scenes are to touch, in degrees of longitude and latitude.
        query: The parameter of a STAC API's search that asks for it, ``bbox`` or ``intersects``.
    """

    area: BaseGeometry
    query: Mapping[str, Any]

    @classmethod
    def of_extent(cls, extent: Extent) -> Place:
        """Returns the place of a rectangle."""
        bounds = extent.in_crs(_LONGITUDE_LATITUDE)
        return cls(shapely.box(*bounds), {"bbox": bounds})

    @classmethod
    def of_polygons(cls, polygons: geopandas.GeoSeries, source: str) -> Place:
        """Returns the place of polygons, or points, in any CRS.

        Args:
            polygons: The polygons.
            source: Where they are from, for messages.

        Raises:
            InputError: They do not lie where their CRS has degrees.
        """
        area = polygons.to_crs(_LONGITUDE_LATITUDE.to_wkt()).union_all()
        west, south, east, north = area.bounds
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # nor where they are not finite
            raise InputError(
                f"The polygons {source} lie nowhere on Earth, by their coordinate reference system.",
                "Assign the one in which they were drawn: in QGIS right-click on the layer, Layer CRS, Set Layer CRS.",
            )
        asked = area
        for coarser in (shapely.convex_hull, shapely.envelope):
            if shapely.get_num_coordinates(asked) > MOST_VERTICES:
                asked = coarser(asked)
        return cls(area, {"intersects": mapping(asked)})

    def touches(self, item: Mapping[str, Any]) -> bool:
        """Whether a STAC item's footprint touches it; one without a footprint is taken by its bounds, or at all."""
        footprint = _footprint(item)
        return footprint is None or bool(self.area.intersects(footprint))


def _footprint(item: Mapping[str, Any]) -> BaseGeometry | None:
    try:
        return shape(item["geometry"])
    except (ShapelyError, ValueError, TypeError, LookupError, AttributeError):
        pass
    try:
        bounds = np.array(item["bbox"], float)
        axes = len(bounds) // 2  # of height, too, or not
        return shapely.box(*bounds[:2], *bounds[axes : axes + 2])
    except (ShapelyError, ValueError, TypeError, LookupError):
        return None
