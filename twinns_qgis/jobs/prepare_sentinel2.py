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
        "Part to prepare, as xmin,xmax,ymin,ymax [EPSG:code], also over several tiles; by default all of the first "
        "product.",
        default=None,
    )
    resolution: float | None = parameter(
        "Size of a pixel, in units of the CRS; by default that of the first product.", default=None
    )
    crs: str | None = parameter(
        "CRS of the series, such as EPSG:32631; by default that of the first product.", default=None
    )
    max_cloud: float = parameter(
        "Dates with a larger share of clouds, in percent of what they show of the area, are left out.", default=100.0
    )
    dilation: float = parameter(
        "Width of the rim round clouds and their shadows that counts as cloudy too, in metres.", default=0.0
    )
    clear: str = parameter(
        "Mask values that count as clear, such as SCL=4,5,6,7,11; CLM=0; by default those of each kind of mask.",
        default="",
    )
    reflectance: str = parameter(
        "Of THEIA products: FRE, corrected for slope, or SRE, as of a flat surface.",
        default="FRE",
        choices=("FRE", "SRE"),
    )
    memory: int = parameter("Memory to use, in MB.", default=2048)
    scheduler: str | None = parameter(
        "Address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers do the work; by default this machine.",
        default=None,
    )
    output: Path = parameter("The series to write, a GeoTIFF.")
    validity: Path | None = parameter(
        "Raster of the number of clear dates of each pixel: where it is low, the series is interpolated.", default=None
    )
    report: Path | None = parameter(
        "Report as one HTML file: dates, products left out, map of validity, mean NDVI.", default=None
    )

    def run(self, reporter: Reporter) -> dict[str, Any]:
        """Prepares the series; see `twinns_qgis.series.sentinel2`."""
        from twinns_qgis.rasters.grid import Extent
        from twinns_qgis.rasters.production import Machine
        from twinns_qgis.series.area import Area, parse_crs
        from twinns_qgis.series.inputs import Inputs
        from twinns_qgis.series.period import Period
        from twinns_qgis.series.products.masks import parse_clear
        from twinns_qgis.series.products.search import Sentinel2Options
        from twinns_qgis.series.sentinel2.cloud_mask import Clouds
        from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2

        prepare_sentinel2(
            Outputs(self.output, self.validity, self.report),
            Inputs(self.layers, self.folder, self.dates),
            Period(self.start, self.end, self.step),
            area=Area(
                Extent.parse(self.extent) if self.extent else None,
                self.resolution,
                parse_crs(self.crs) if self.crs else None,
            ),
            clouds=Clouds(self.max_cloud, self.dilation),
            options=Sentinel2Options(parse_clear(self.clear), self.reflectance),
            machine=Machine(self.memory, self.scheduler),
            reporter=reporter,
        )
        outputs = {"output": self.output, "validity": self.validity, "report": self.report}
        return {name: str(path) for name, path in outputs.items() if path}
