"""Polygons of the tiny site, changed."""

import geopandas
import pytest

from twinns_qgis.samples.polygons import read_polygons
from twinns_qgis.series.series import Series


@pytest.fixture
def grid(site):
    return Series.open(site.sentinel2).grid


@pytest.fixture
def with_rare_class(site, tmp_path):
    """The site's polygons, two of them of a class of its own and one without class."""
    table = geopandas.read_file(site.polygons)
    table.loc[[0, 1], "name"] = "quarry"
    table.loc[2, "name"] = None
    table.to_file(tmp_path / "rare.gpkg")
    return read_polygons(str(tmp_path / "rare.gpkg"), "name")
