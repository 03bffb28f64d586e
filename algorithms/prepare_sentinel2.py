"""The algorithm that prepares a Sentinel-2 series."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterDefinition, QgsProcessingParameterString

from .definitions import (
    advanced,
    choice,
    crs,
    dates_table,
    extent,
    folder,
    helped,
    memory,
    number,
    raster_output,
    rasters,
    report,
    scheduler,
)
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
            "Give a folder, below which the products are found, also in zip archives, or layers. The dates of layers "
            "come from the table of dates, else from their temporal range, their metadata or their name."
        )

    def definitions(self) -> list[QgsProcessingParameterDefinition]:
        return [
            folder("FOLDER", tr("Folder of products"), tr("Folder below which the products are found.")),
            rasters("LAYERS", tr("Layers, instead of a folder"), tr("Rasters to use, instead of a folder.")),
            *period("product products"),
            extent(
                "EXTENT",
                tr("Extent"),
                tr(
                    "Part to prepare, as xmin,xmax,ymin,ymax [EPSG:code], also over several tiles; by default all of "
                    "the first product."
                ),
            ),
            *self._grid(),
            *self._clouds(),
            dates_table(),
            advanced(
                helped(
                    QgsProcessingParameterString("CLEAR", tr("Clear values of the masks"), "", optional=True),
                    tr(
                        "Mask values that count as clear, such as SCL=4,5,6,7,11; CLM=0; by default those of each kind "
                        "of mask."
                    ),
                )
            ),
            advanced(
                choice(
                    "REFLECTANCE",
                    tr("Reflectance of THEIA products"),
                    tr("Of THEIA products: FRE, corrected for slope, or SRE, as of a flat surface."),
                    ("FRE", "SRE"),
                    "FRE",
                )
            ),
            memory(),
            scheduler(),
            raster_output("OUTPUT", tr("Sentinel-2 series"), tr("The series to write, a GeoTIFF.")),
            raster_output(
                "VALIDITY",
                tr("Number of clear dates"),
                tr("Raster of the number of clear dates of each pixel: where it is low, the series is interpolated."),
                optional=True,
            ),
            report(tr("Report as one HTML file: dates, products left out, map of validity, mean NDVI.")),
        ]

    def _grid(self) -> list[QgsProcessingParameterDefinition]:
        return [
            advanced(
                number(
                    "RESOLUTION",
                    tr("Pixel size"),
                    tr("Size of a pixel, in units of the CRS; by default that of the first product."),
                    None,
                    0,
                )
            ),
            advanced(
                crs(
                    "CRS",
                    tr("CRS of the series"),
                    tr("CRS of the series, such as EPSG:32631; by default that of the first product."),
                )
            ),
        ]

    def _clouds(self) -> list[QgsProcessingParameterDefinition]:
        return [
            number(
                "MAX_CLOUD",
                tr("Most clouds of a date (%)"),
                tr("Dates with a larger share of clouds, in percent of what they show of the area, are left out."),
                100.0,
                0,
                100,
            ),
            advanced(
                number(
                    "DILATION",
                    tr("Rim round clouds (m)"),
                    tr("Width of the rim round clouds and their shadows that counts as cloudy too, in metres."),
                    0.0,
                    0,
                )
            ),
        ]
