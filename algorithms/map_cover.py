"""The algorithm that maps land cover."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingParameterDefinition

from .base import JobAlgorithm
from .definitions import (
    advanced,
    choice,
    device,
    extent,
    file,
    memory,
    number,
    polygons,
    raster,
    raster_output,
    scheduler,
)
from .styles import use_own_style
from .translation import tr


class MapCover(JobAlgorithm):
    """Maps land cover with a trained model."""

    JOB = "mapcover"

    def displayName(self) -> str:
        return tr("Map land cover")

    def group(self) -> str:
        return tr("Mapping")

    def groupId(self) -> str:
        return "mapping"

    def tags(self) -> list[str]:
        return tr("land cover,classification,deep learning,neural network,prediction,twinns").split(",")

    def shortDescription(self) -> str:
        return tr("Maps land cover with a trained model.")

    def shortHelpString(self) -> str:
        return tr(
            "Maps land cover with a model that Train model made, from series with the bands that it was trained on.\n\n"
            "The map holds the codes of the classes, 0 where there are no data, with their names and colours. The "
            "confidence is the score of the mapped class, the probabilities are the scores of all classes, both in "
            "percent, 255 where there are no data.\n\n"
            "A run that was stopped goes on where it stopped if it is started again with the same output: finished "
            "blocks lie beside it, in a folder of its name and .blocks."
        )

    def definitions(self) -> list[QgsProcessingParameterDefinition]:
        return [
            file("MODEL", tr("Model"), tr("The model file, .twinns."), "twinns"),
            raster("SENTINEL1", tr("Sentinel-1 series"), tr("The Sentinel-1 series."), optional=True),
            raster("SENTINEL2", tr("Sentinel-2 series"), tr("The Sentinel-2 series, on the same grid."), optional=True),
            extent(
                "EXTENT",
                tr("Extent"),
                tr("Part to map, as xmin,xmax,ymin,ymax [EPSG:code]; by default all of the series."),
            ),
            polygons(
                "MASK",
                tr("Mask"),
                tr("Polygons to map: pixels whose centre lies in none of them are no data. By default all is mapped."),
            ),
            device(),
            advanced(
                choice(
                    "PRECISION",
                    tr("Precision"),
                    tr(
                        "What the network's matrix products are computed in; auto is bfloat16 where that is clearly "
                        "faster, else float32."
                    ),
                    ("auto", "float32", "bfloat16"),
                    "auto",
                )
            ),
            advanced(
                choice(
                    "EARLY_EXIT",
                    tr("Early exit"),
                    tr(
                        "Whether to skip the ConvGRU branches where the classifiers of the CNN branches agree and are "
                        "sure enough."
                    ),
                    ("off", "on"),
                    "off",
                )
            ),
            advanced(
                number(
                    "AGREEMENT",
                    tr("Agreement of the early exit (%)"),
                    tr("Percentage of the pixels that an early exit is to leave their class, on the validation part."),
                    99.5,
                    minimum=0.01,
                    maximum=100,
                )
            ),
            memory(),
            scheduler(),
            raster_output("OUTPUT", tr("Land cover map"), tr("The map to write, a GeoTIFF.")),
            raster_output(
                "CONFIDENCE",
                tr("Confidence"),
                tr("A raster of the confidence in percent to write."),
                optional=True,
            ),
            raster_output(
                "PROBABILITIES",
                tr("Class probabilities"),
                tr("A raster of the probability of each class in percent to write."),
                optional=True,
            ),
        ]

    def style_outputs(self, results: dict[str, Any], context: QgsProcessingContext) -> None:
        for path in results.values():
            use_own_style(path, context)
