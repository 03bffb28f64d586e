"""The job that searches an archive for scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinns_qgis.errors import InputError
from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter

if TYPE_CHECKING:
    from twinns_qgis.series.scenes.place import Place


class FindScenes(Job, declarations.FindScenes):
    """Searches an archive for the scenes of an area and a time, and writes their list."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Writes the list; see `twinns_qgis.series.scenes`."""
        from twinns_qgis.series.period import Period
        from twinns_qgis.series.scenes.archives import parse_archive, parse_collections
        from twinns_qgis.series.scenes.search import Wanted, find_scenes
        from twinns_qgis.series.sentinel1.orbits import parse_orbit

        archive = parse_archive(self.api)
        wanted = Wanted(
            parse_collections(self.collections, archive),
            self._place(),
            Period(self.start, self.end),
            self.max_cloud,
            parse_orbit(self.orbit),
        )
        count = find_scenes(self.output, archive, wanted, reporter)
        return {"output": str(self.output), "scenes": count}

    def _place(self) -> Place:
        from twinns_qgis.rasters.grid import Extent
        from twinns_qgis.samples.polygons import read_table
        from twinns_qgis.series.scenes.place import Place

        if self.extent and self.polygons:
            raise InputError("Both an area and polygons were given.", "Give EXTENT or POLYGONS.")
        if self.extent:
            return Place.of_extent(Extent.parse(self.extent))
        if self.polygons:
            table, _ = read_table(self.polygons, points=True)
            return Place.of_polygons(table.geometry, self.polygons)
        raise InputError("Neither an area nor polygons were given.", "Give EXTENT or POLYGONS.")
