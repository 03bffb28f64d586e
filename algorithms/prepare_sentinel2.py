"""The algorithm that prepares a Sentinel-2 series."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterDefinition

from .definitions import dates_table, extent, folder, memory, raster_output, rasters, scheduler
from .preparation import PreparationAlgorithm, period
from .translation import tr


class PrepareSentinel2(PreparationAlgorithm):
    """Makes a gap-filled series of Sentinel-2 products."""

    JOB = "preparesentinel2"

    def displayName(self) -> str:
        return tr("Prepare Sentinel-2 series")

    def tags(self) -> list[str]:
        return tr("sentinel-2,s2,optical,cloud,gap filling,time series,theia,maja,twinns").split(",")

    def shortDescription(self) -> str:
        return tr("Turns Sentinel-2 level 2A products into one gap-filled time series raster.")

    def shortHelpString(self) -> str:
        return tr(
            "Turns Sentinel-2 level 2A products into one time series raster of surface reflectance at 10 m. Clouds, "
            "shadows and missing pixels are filled by linear interpolation in time; the 20 m bands are resampled by "
            "bicubic interpolation.\n\n"
            "Give a folder, below which the products are found, or layers. The dates of layers come from the table of "
            "dates, else from their temporal range, their metadata or their name."
        )

    def definitions(self) -> list[QgsProcessingParameterDefinition]:
        return [
            folder("FOLDER", tr("Folder of products"), tr("Folder below which the products are found.")),
            rasters("LAYERS", tr("Layers, instead of a folder"), tr("Rasters to use, instead of a folder.")),
            *period("product products"),
            extent(
                "EXTENT",
                tr("Extent"),
                tr("Part to prepare, as xmin,xmax,ymin,ymax [EPSG:code]; by default all of the first product."),
            ),
            dates_table(),
            memory(),
            scheduler(),
            raster_output("OUTPUT", tr("Sentinel-2 series"), tr("The series to write, a GeoTIFF.")),
        ]
