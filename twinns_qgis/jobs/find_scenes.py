"""The job that searches an archive for scenes."""

from __future__ import annotations

from typing import Any

from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter


class FindScenes(Job, declarations.FindScenes):
    """Searches a STAC API for the scenes of an area and a time, and writes their list."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Writes the list; see `twinns_qgis.series.scenes`."""
        from twinns_qgis.rasters.grid import Extent
        from twinns_qgis.series.period import Period
        from twinns_qgis.series.scenes.archives import parse_archive, parse_collections
        from twinns_qgis.series.scenes.search import Wanted, find_scenes
        from twinns_qgis.series.sentinel1.orbits import parse_orbit

        archive = parse_archive(self.api)
        wanted = Wanted(
            parse_collections(self.collections, archive),
            Extent.parse(self.extent),
            Period(self.start, self.end),
            self.max_cloud,
            parse_orbit(self.orbit),
        )
        count = find_scenes(self.output, archive, wanted, reporter)
        return {"output": str(self.output), "scenes": count}
