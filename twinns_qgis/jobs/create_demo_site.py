"""The job that makes a simulated site."""

from __future__ import annotations

from typing import Any

from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter


class CreateDemoSite(Job, declarations.CreateDemoSite):
    """Makes a simulated site: Sentinel-1 and Sentinel-2 products of a year, polygons with classes, the true map."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Makes the site; see `twinns_qgis.demo`."""
        from twinns_qgis.demo import create_demo_site
        from twinns_qgis.demo.conditions import Conditions

        conditions = Conditions(self.noise, self.labelled, self.year)
        create_demo_site(
            self.folder,
            size=self.size,
            seed=self.seed,
            conditions=conditions,
            archive=self.archive,
            reporter=reporter,
        )
        outputs = {"folder": self.folder, "archive": self.archive}
        return {name: str(path) for name, path in outputs.items() if path}
