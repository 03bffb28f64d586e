"""The job that prepares a Sentinel-1 series."""

from __future__ import annotations

from typing import Any

from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter


class PrepareSentinel1(Job, declarations.PrepareSentinel1):
    """Turns calibrated Sentinel-1 backscatter into one 8-bit time series raster on the grid of a reference."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Prepares the series; see `twinns_qgis.series.sentinel1`."""
        from twinns_qgis.rasters.production import Machine
        from twinns_qgis.series.band_names import BandNames
        from twinns_qgis.series.inputs import Inputs
        from twinns_qgis.series.period import Period
        from twinns_qgis.series.sentinel1.db_range import parse_db_range
        from twinns_qgis.series.sentinel1.preparation import prepare_sentinel1

        prepare_sentinel1(
            self.output,
            Inputs(self.layers, self.folder, self.dates, BandNames.parse(self.bands), self.scenes),
            Period(self.start, self.end, self.step),
            reference=self.reference,
            units=self.units,
            orbit=self.orbit,
            speckle=self.speckle,
            db_range=parse_db_range(self.db_range),
            machine=Machine(self.memory, self.scheduler),
            reporter=reporter,
        )
        return {"output": str(self.output)}
