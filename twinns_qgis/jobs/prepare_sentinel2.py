"""The job that prepares a Sentinel-2 series."""

from __future__ import annotations

from typing import Any

from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter


class PrepareSentinel2(Job, declarations.PrepareSentinel2):
    """Turns Sentinel-2 level 2A products into one gap-filled time series raster."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Prepares the series; see `twinns_qgis.series.sentinel2`."""
        from twinns_qgis.rasters.grid import Extent
        from twinns_qgis.rasters.production import Machine
        from twinns_qgis.series.area import Area, parse_crs
        from twinns_qgis.series.band_names import BandNames
        from twinns_qgis.series.inputs import Inputs
        from twinns_qgis.series.period import Period
        from twinns_qgis.series.products.masks import parse_clear
        from twinns_qgis.series.products.offset import parse_offset
        from twinns_qgis.series.readers.search import Sentinel2Options
        from twinns_qgis.series.sentinel2.cloud_mask import Clouds
        from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2

        prepare_sentinel2(
            Outputs(self.output, self.validity, self.report),
            Inputs(self.layers, self.folder, self.dates, BandNames.parse(self.bands), self.scenes),
            Period(self.start, self.end, self.step),
            area=Area(
                Extent.parse(self.extent) if self.extent else None,
                self.resolution,
                parse_crs(self.crs) if self.crs else None,
            ),
            clouds=Clouds(self.max_cloud, self.dilation),
            options=Sentinel2Options(parse_clear(self.clear), self.reflectance, parse_offset(self.offset)),
            machine=Machine(self.memory, self.scheduler),
            reporter=reporter,
        )
        outputs = {"output": self.output, "validity": self.validity, "report": self.report}
        return {name: str(path) for name, path in outputs.items() if path}
