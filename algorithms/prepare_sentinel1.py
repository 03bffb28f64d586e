"""The algorithm that prepares a Sentinel-1 series."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterDefinition, QgsProcessingParameterString

from .definitions import (
    advanced,
    choice,
    dates_table,
    folder,
    helped,
    memory,
    raster,
    raster_output,
    rasters,
    scheduler,
    whole_number,
)
from .preparation import PreparationAlgorithm, period
from .translation import tr


class PrepareSentinel1(PreparationAlgorithm):
    """Makes a series of Sentinel-1 backscatter on the grid of a reference."""

    JOB = "preparesentinel1"

    def displayName(self) -> str:
        return tr("Prepare Sentinel-1 series")

    def tags(self) -> list[str]:
        return tr("sentinel-1,s1,radar,sar,backscatter,time series,twinns").split(",")

    def shortDescription(self) -> str:
        return tr("Turns calibrated Sentinel-1 backscatter into one time series raster on the grid of a reference.")

    def shortHelpString(self) -> str:
        return tr(
            "Turns calibrated, terrain-corrected Sentinel-1 backscatter, VV and VH, into one 8-bit time series raster "
            "on the grid of a reference: the Sentinel-2 series.\n\n"
            "Give a folder, below which the rasters are found, or layers. What their values are, decibels, power, "
            "amplitude or digital numbers, is found out where it can be. The dates of layers come from the table of "
            "dates, else from their temporal range, their metadata or their name."
        )

    def definitions(self) -> list[QgsProcessingParameterDefinition]:
        db_range = QgsProcessingParameterString("DB_RANGE", tr("Range in decibels"), "VV=-25:5,VH=-32:-2")
        orbit = QgsProcessingParameterString("ORBIT", tr("Orbit"), "any")
        return [
            folder("FOLDER", tr("Folder of rasters"), tr("Folder below which the rasters are found.")),
            rasters("LAYERS", tr("Layers, instead of a folder"), tr("Rasters to use, instead of a folder.")),
            raster(
                "REFERENCE",
                tr("Reference: Sentinel-2 series"),
                tr("Raster whose grid the series gets: the Sentinel-2 series."),
            ),
            choice(
                "UNITS",
                tr("Units of the input"),
                tr(
                    "What the input's values are; auto finds out, or says why it can't. DN are whole numbers "
                    "of which dB = 20 log10(DN) - 83."
                ),
                ("auto", "dB", "power", "amplitude", "DN"),
                "auto",
            ),
            *period("raster rasters"),
            dates_table(),
            advanced(
                helped(
                    orbit,
                    tr(
                        "The orbit whose images are used: any, ascending, descending or the number of a relative orbit."
                    ),
                )
            ),
            advanced(
                whole_number(
                    "SPECKLE",
                    tr("Window of the speckle filter (pixels)"),
                    tr(
                        "Width of the window of the multitemporal speckle filter (Quegan and Yu 2001), an odd number "
                        "of pixels; 0 for no filter."
                    ),
                    0,
                )
            ),
            advanced(
                helped(
                    db_range,
                    tr(
                        "Decibels that the 8 bits span, for each polarisation, or percentiles of the images, such as "
                        "VV=p1:p99,VH=p1:p99 or, in short, p1:p99."
                    ),
                )
            ),
            memory(),
            scheduler(),
            raster_output("OUTPUT", tr("Sentinel-1 series"), tr("The series to write, a GeoTIFF.")),
        ]
