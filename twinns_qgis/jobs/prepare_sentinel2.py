"""The job that prepares a Sentinel-2 series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from twinns_qgis.jobs.job import Job, parameter
from twinns_qgis.reporter import Reporter


@dataclass(frozen=True, kw_only=True)
class PrepareSentinel2(Job):
    """Turns Sentinel-2 level 2A products into one gap-filled time series raster."""

    id: ClassVar[str] = "preparesentinel2"
    command: ClassVar[str] = "prepare-sentinel2"

    layers: tuple[Path, ...] = parameter("Rasters to use, instead of a folder.", default=())
    folder: Path | None = parameter("Folder below which the products are found.", default=None)
    dates: Path | None = parameter("CSV table with columns file and date, for files without a date.", default=None)
    start: date | None = parameter("First date of the series; by default that of the first product.", default=None)
    end: date | None = parameter("Last date of the series; by default that of the last product.", default=None)
    step: int = parameter("Days from one date to the next; 0 keeps the products' own dates.", default=0)
    extent: str | None = parameter(
        "Part to prepare, as xmin,xmax,ymin,ymax [EPSG:code]; by default all of the first product.", default=None
    )
    memory: int = parameter("Memory to use, in MB.", default=2048)
    scheduler: str | None = parameter(
        "Address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers do the work; by default this machine.",
        default=None,
    )
    output: Path = parameter("The series to write, a GeoTIFF.")

    def run(self, reporter: Reporter) -> dict[str, Any]:
        """Prepares the series; see `twinns_qgis.series.sentinel2`."""
        from twinns_qgis.series.grid import Extent
        from twinns_qgis.series.inputs import Inputs
        from twinns_qgis.series.period import Period
        from twinns_qgis.series.preparation import Machine
        from twinns_qgis.series.sentinel2 import prepare_sentinel2

        prepare_sentinel2(
            self.output,
            Inputs(self.layers, self.folder, self.dates),
            Period(self.start, self.end, self.step),
            extent=Extent.parse(self.extent) if self.extent else None,
            machine=Machine(self.memory, self.scheduler),
            reporter=reporter,
        )
        return {"output": str(self.output)}
