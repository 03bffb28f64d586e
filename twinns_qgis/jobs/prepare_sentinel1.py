"""The job that prepares a Sentinel-1 series."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from twinns_qgis.jobs.job import Job, parameter
from twinns_qgis.reporter import Reporter


@dataclass(frozen=True, kw_only=True)
class PrepareSentinel1(Job):
    """Turns calibrated Sentinel-1 backscatter into one 8-bit time series raster on the grid of a reference."""

    id: ClassVar[str] = "preparesentinel1"
    command: ClassVar[str] = "prepare-sentinel1"

    layers: tuple[Path, ...] = parameter("Rasters to use, instead of a folder.", default=())
    folder: Path | None = parameter("Folder below which the rasters are found.", default=None)
    reference: Path = parameter("Raster whose grid the series gets: the Sentinel-2 series.")
    units: str = parameter(
        "What the input's values are; auto finds out, or says why it can't. DN are whole numbers of "
        "which dB = 20 log10(DN) - 83.",
        default="auto",
        choices=("auto", "dB", "power", "amplitude", "DN"),
    )
    dates: Path | None = parameter("CSV table with columns file and date, for files without a date.", default=None)
    start: date | None = parameter("First date of the series; by default that of the first raster.", default=None)
    end: date | None = parameter("Last date of the series; by default that of the last raster.", default=None)
    step: int = parameter("Days from one date to the next; 0 keeps the rasters' own dates.", default=0)
    orbit: str = parameter(
        "The orbit whose images are used: any, ascending, descending or the number of a relative orbit.", default="any"
    )
    speckle: int = parameter(
        "Width of the window of the multitemporal speckle filter (Quegan and Yu 2001), an odd number of pixels; "
        "0 for no filter.",
        default=0,
    )
    db_range: str = parameter(
        "Decibels that the 8 bits span, for each polarisation, or percentiles of the images, such as "
        "VV=p1:p99,VH=p1:p99 or, in short, p1:p99.",
        default="VV=-25:5,VH=-32:-2",
    )
    memory: int = parameter("Memory to use, in MB.", default=2048)
    scheduler: str | None = parameter(
        "Address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers do the work; by default this machine.",
        default=None,
    )
    output: Path = parameter("The series to write, a GeoTIFF.")

    def run(self, reporter: Reporter) -> dict[str, Any]:
        """Prepares the series; see `twinns_qgis.series.sentinel1`."""
        from twinns_qgis.rasters.production import Machine
        from twinns_qgis.series.inputs import Inputs
        from twinns_qgis.series.period import Period
        from twinns_qgis.series.sentinel1.db_range import parse_db_range
        from twinns_qgis.series.sentinel1.preparation import prepare_sentinel1

        prepare_sentinel1(
            self.output,
            Inputs(self.layers, self.folder, self.dates),
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
