"""What the job of the group *Demo* is called and can be asked for."""

from __future__ import annotations

from pathlib import Path

from ..parameters import Declaration, Limit, folder_output, number, whole_number
from .shared import SEED


class CreateDemoSite(Declaration):
    """A simulated site, to try the other algorithms on."""

    command = "create-demo-site"
    label = "Create demo site"
    group = "Demo"
    summary = "Makes simulated Sentinel-1 and Sentinel-2 products with labelled polygons, to try everything on."
    description = (
        "Makes a simulated site: a year of Sentinel-1 and Sentinel-2 products, with clouds and speckle, polygons "
        "with a class, and the true map.\n\n"
        "Its folders go into the algorithms that prepare, its polygons into the training; the true map tells how "
        "good the result is. Everything is simulated: it says nothing about any place."
    )
    tags = "demo,example,simulated,synthetic,test data,twinns"
    page = "demo-site.md"

    size: int = whole_number(
        "Width and height (pixels of 10 m)",
        "Width and height of the site in pixels of 10 m.",
        default=256,
        limit=Limit(2),
    )
    seed: int = whole_number(
        "Seed of all that is drawn at random",
        "The same seed gives the same site, byte by byte.",
        default=0,
        limit=SEED,
    )
    noise: float = number(
        "Noise (1 is the usual site; more is harder)",
        "Factor of how much objects of a class, pixels and measurements vary, speckle and missed clouds included.",
        default=1.0,
        decimals=2,
        limit=Limit(0, 3),
        advanced=True,
    )
    labelled: float = number(
        "Share of the objects that have a polygon (0.6 is 60 %)",
        "Share of the objects of each class that have a polygon; three of each class have at least.",
        default=0.6,
        decimals=3,
        limit=Limit(0, 1),
        advanced=True,
    )
    year: int = whole_number(
        "Year",
        "The year of the images: another one has other dates, other clouds and other weather, over the same fields.",
        default=2018,
        limit=Limit(2015, 2100),
        advanced=True,
    )
    folder: Path = folder_output("Folder of the demo site", "Folder to make the site in; it must be new or empty.")
    archive: Path | None = folder_output(
        "Folder of its scenes as a STAC archive",
        "Folder, new or empty and beside the other one, to write the same scenes to as public archives have them: a "
        "STAC catalogue of cloud-optimised GeoTIFFs, which Find scenes searches.",
        default=None,
    )
