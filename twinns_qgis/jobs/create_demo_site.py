"""The job that makes a simulated site."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from twinns_qgis.jobs.job import Job, parameter
from twinns_qgis.reporter import Reporter


@dataclass(frozen=True, kw_only=True)
class CreateDemoSite(Job):
    """Makes a simulated site: Sentinel-1 and Sentinel-2 products of a year, polygons with classes, the true map."""

    id: ClassVar[str] = "createdemosite"
    command: ClassVar[str] = "create-demo-site"

    folder: Path = parameter("Folder to make the site in; it must be new or empty.")
    size: int = parameter("Width and height of the site in pixels of 10 m.", default=256)
    seed: int = parameter("The same seed gives the same site, byte by byte.", default=0)

    def run(self, reporter: Reporter) -> dict[str, Any]:
        """Makes the site; see `twinns_qgis.demo`."""
        from twinns_qgis.demo import create_demo_site

        create_demo_site(self.folder, size=self.size, seed=self.seed, reporter=reporter)
        return {"folder": str(self.folder)}
