"""The algorithm that makes a simulated site."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterDefinition, QgsProcessingParameterFolderDestination

from .base import JobAlgorithm
from .definitions import helped, whole_number
from .translation import tr


class CreateDemoSite(JobAlgorithm):
    """Makes a site to try the other algorithms on."""

    JOB = "createdemosite"

    def displayName(self) -> str:
        return tr("Create demo site")

    def group(self) -> str:
        return tr("Demo")

    def groupId(self) -> str:
        return "demo"

    def tags(self) -> list[str]:
        return tr("demo,example,simulated,synthetic,test data,twinns").split(",")

    def shortDescription(self) -> str:
        return tr("Makes simulated Sentinel-1 and Sentinel-2 products with labelled polygons, to try everything on.")

    def shortHelpString(self) -> str:
        return tr(
            "Makes a simulated site: a year of Sentinel-1 and Sentinel-2 products, with clouds and speckle, polygons "
            "with a class, and the true map.\n\n"
            "Its folders go into the algorithms that prepare, its polygons into the training; the true map tells how "
            "good the result is. Everything is simulated: it says nothing about any place."
        )

    def definitions(self) -> list[QgsProcessingParameterDefinition]:
        return [
            whole_number("SIZE", tr("Size (pixels)"), tr("Width and height of the site in pixels of 10 m."), 256, 2),
            whole_number("SEED", tr("Seed"), tr("The same seed gives the same site, byte by byte."), 0),
            helped(
                QgsProcessingParameterFolderDestination("FOLDER", tr("Demo site")),
                tr("Folder to make the site in; it must be new or empty."),
            ),
        ]
