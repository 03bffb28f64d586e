"""The job that downloads scenes."""

from __future__ import annotations

from typing import Any

from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter


class DownloadScenes(Job, declarations.DownloadScenes):
    """Fetches the bands of a scene list, as far as an area needs them, into a folder to prepare from."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Fetches them; see `twinns_qgis.series.scenes`."""
        from twinns_qgis.rasters.grid import Extent
        from twinns_qgis.series.scenes.download import download_scenes

        count = download_scenes(
            self.folder,
            self.scenes,
            reporter,
            extent=Extent.parse(self.extent) if self.extent else None,
            bands=self.bands,
            margin=self.margin,
        )
        return {"folder": str(self.folder), "count": count}
