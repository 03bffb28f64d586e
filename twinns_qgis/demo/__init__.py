"""A simulated site of any size: products of both sensors, polygons and the true map (docs/demo-site.md)."""

from twinns_qgis.demo.site import create_demo_site

__all__ = ["create_demo_site"]
