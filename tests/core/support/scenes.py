"""Scenes to search for, and the area that the first of them show."""

from twinns_qgis.rasters.grid import Extent
from twinns_qgis.series.scenes.place import Place

AREA = Place.of_extent(Extent.parse("3.2,3.3,50.2,50.3 [EPSG:4326]"))
SCENES = (
    ("2021-06-01", "03.00", 10.0, 3, 51),
    ("2021-06-01", "05.00", 10.0, 3, 51),
    ("2021-06-11", "05.00", 80.0, 3, 51),
    ("2021-07-01", "05.00", 20.0, 3, 8),
    ("2021-07-11", "05.00", 20.0, 9, 51),
    ("2022-07-01", "05.00", 20.0, 3, 51),
)
"""Day, processing baseline, clouds in percent, western edge in degrees, relative orbit."""
