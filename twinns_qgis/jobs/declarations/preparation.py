"""What the jobs of the group *Preparation* are called and can be asked for."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import ClassVar

from ..parameters import (
    Declaration,
    Limit,
    choice,
    crs,
    dates_table,
    day,
    extent,
    file,
    file_output,
    folder,
    folder_output,
    number,
    polygons,
    raster,
    raster_output,
    rasters,
    text,
    whole_number,
)
from .shared import ABOVE_0, FROM_0, HTML, MEMORY, SCHEDULER

_PERCENT = Limit(0, 100)
_DATES = dates_table(
    "Dates of the files (CSV table)",
    "CSV table with columns file and date, for files without a date.",
    default=None,
    extension="csv",
    of="layers",
    advanced=True,
)
_BANDS = text(
    "Names of the bands, where files don't tell them (names, or a CSV table)",
    "Names of the bands of files that don't describe them, in their order, such as B2,B3,B4,B8 or VV,VH, with - for a "
    "band that is not wanted, and B2,B3,B4,B8;SCL where masks lie in files of their own; or the path of a CSV table "
    "with columns file, band (from 1) and name.",
    default="",
    advanced=True,
)
_LAYERS = rasters("Or raster layers, instead of a folder", "Rasters to use, instead of a folder.", default=())
_SCENES = file(
    "Or a scene list, of files on servers (GeoJSON)",
    "Scene list, instead of a folder: STAC items in one GeoJSON, of whose files on servers the part is read that is "
    "needed.",
    default=None,
    extension="geojson",
)


class FindScenes(Declaration):
    """An area and a time to a scene list."""

    command = "find-scenes"
    label = "Find scenes"
    group = "Preparation"
    summary = "Searches an archive for the scenes of an area and a time, and writes their list."
    description = (
        "Searches an archive of satellite images by its STAC API for the scenes of an area and a time. Nothing is "
        "downloaded: the list, a GeoJSON of their footprints with clouds, date, orbit, tile and baseline, goes into "
        "the algorithms that prepare, which read from the archive's files what the area needs.\n\n"
        "earth-search, planetary-computer, digital-earth-africa and copernicus-data-space are known by name, any other "
        "archive by the address of its API. A catalogue on disk, such as that of the demo site, is searched too, "
        "without internet. No host is contacted but that of the API."
    )
    tags = "stac,search,download,archive,catalogue,cloud optimised,sentinel,twinns"
    page = "archives.md"
    servers = True
    numbers: ClassVar = {"scenes": "Number of scenes"}

    api: str = text(
        "Archive, address of a STAC API, or path of a STAC catalogue",
        "earth-search, planetary-computer, digital-earth-africa, copernicus-data-space, the address of a STAC API, "
        "https://..., or the path of a STAC catalogue on disk, catalog.json or its folder.",
        default="planetary-computer",
    )
    collections: str = text(
        "Collections: sentinel-2, sentinel-1, or the archive's own names",
        "Collections to search, separated by commas: sentinel-2 or sentinel-1 of the archives known by name, or an "
        "archive's own names of its collections.",
        default="sentinel-2",
    )
    extent: str | None = extent("Area", "Area, as xmin,xmax,ymin,ymax [EPSG:code].", default=None)
    polygons: str | None = polygons(
        "Or polygons, instead of an area",
        "Layer of polygons or points whose scenes are wanted, instead of an area; file|layername=name.",
        default=None,
        points=True,
    )
    start: date = day("First date", "First date of acquisition.")
    end: date = day("Last date", "Last date of acquisition.")
    max_cloud: float = number(
        "Leave out scenes with more clouds than (%)",
        "Scenes with more clouds, in percent of the whole scene as the archive tells it, are left out.",
        default=100.0,
        limit=_PERCENT,
    )
    orbit: str = text(
        "Orbit: any, ascending, descending or its relative number",
        "The orbit whose scenes are listed: any, ascending, descending or the number of a relative orbit.",
        default="any",
        advanced=True,
    )
    output: Path = file_output(
        "Scene list", "The list to write, a GeoJSON.", extension="geojson", kind="GeoJSON files (*.geojson)"
    )


class DownloadScenes(Declaration):
    """A scene list to a folder of its bands."""

    command = "download-scenes"
    label = "Download scenes"
    group = "Preparation"
    summary = "Fetches the bands of a scene list, as far as an area needs them, into a folder to prepare from."
    description = (
        "Fetches, of each scene of a list, the part of its bands that an area needs, into a folder that the algorithms "
        "that prepare take as their folder: for several series of one area, or to work without a network. The series "
        "is the same as from the list itself. To prepare one series, the list is enough.\n\n"
        "A call that was stopped goes on when it is started again: what is there is checked by its checksum, and what "
        "is damaged, or does not cover the area, is fetched once more. Only the hosts of the list are contacted."
    )
    tags = "stac,download,archive,cloud optimised,sentinel,offline,twinns"
    page = "archives.md#downloading"
    servers = True
    numbers: ClassVar = {"count": "Number of scenes"}

    scenes: Path = file(
        "Scene list (GeoJSON)",
        "Scene list: STAC items in one GeoJSON, such as Find scenes writes.",
        extension="geojson",
    )
    extent: str | None = extent(
        "Area to fetch",
        "Part to fetch, as xmin,xmax,ymin,ymax [EPSG:code]; by default whole bands, as the archive has them.",
        default=None,
    )
    bands: str = text(
        "Bands and masks (all, or names such as B2,B3,B4,B8,SCL)",
        "Bands and masks to fetch, separated by commas, such as B2,B3,B4,B8,SCL or VV,VH; by default all that a series "
        "can be made from.",
        default="",
    )
    margin: float = number(
        "Width of the margin round the area (m)",
        "Metres round the area that are fetched too: as wide as DILATION, the pixels of a coarser series, or another "
        "CRS, will need.",
        default=200.0,
        limit=Limit(0, 100_000),
        advanced=True,
    )
    folder: Path = folder_output(
        "Folder of the downloads", "Folder to write to; what a former call left there is used."
    )


class PrepareSentinel2(Declaration):
    """Sentinel-2 products to a series."""

    command = "prepare-sentinel2"
    label = "Prepare Sentinel-2 series"
    group = "Preparation"
    summary = "Turns Sentinel-2 level 2A products into one gap-filled time series raster."
    description = (
        "Turns Sentinel-2 level 2A products into one time series raster of surface reflectance at 10 m. Clouds, "
        "shadows and missing pixels are filled by linear interpolation in time; the 20 m bands are resampled by "
        "bicubic interpolation.\n\n"
        "Give a folder, below which the products are found, also in zip archives, or layers. The dates of layers "
        "come from the table of dates, else from their temporal range, their metadata or their name."
    )
    tags = "sentinel-2,s2,optical,cloud,gap filling,time series,theia,maja,twinns"
    page = "sentinel2.md"
    servers = True

    folder: Path | None = folder(
        "Folder of Sentinel-2 products (level 2A)",
        "Folder below which the products are found, also in zip archives.",
        default=None,
    )
    layers: tuple[Path, ...] = _LAYERS
    scenes: Path | None = _SCENES
    extent: str | None = extent(
        "Area to prepare",
        "Part to prepare, as xmin,xmax,ymin,ymax [EPSG:code], also over several tiles; by default all of the first "
        "product.",
        default=None,
    )
    start: date | None = day(
        "First date of the series", "First date of the series; by default that of the first product.", default=None
    )
    end: date | None = day(
        "Last date of the series", "Last date of the series; by default that of the last product.", default=None
    )
    step: int = whole_number(
        "Days from one date to the next (0: the products' own dates)",
        "Days from one date of the series to the next; 0 keeps the products' own dates.",
        default=0,
        limit=FROM_0,
    )
    max_cloud: float = number(
        "Leave out dates with more clouds than (%)",
        "Dates with a larger share of clouds, in percent of what they show of the area, are left out.",
        default=100.0,
        limit=_PERCENT,
    )
    dates: Path | None = _DATES
    bands: str = _BANDS
    clear: str = text(
        "Mask values that count as clear, such as SCL=4,5,6,7,11",
        "Mask values that count as clear, such as SCL=4,5,6,7,11; CLM=0; by default those of each kind of mask.",
        default="",
        advanced=True,
    )
    dilation: float = number(
        "Width of the buffer round clouds and shadows (m)",
        "Width of the buffer round clouds and their shadows that counts as cloudy too, in metres.",
        default=0.0,
        limit=Limit(0, 10_000),
        advanced=True,
    )
    reflectance: str = choice(
        "Reflectance to read from THEIA products",
        "Of THEIA products: FRE, corrected for slope, or SRE, as of a flat surface.",
        default="FRE",
        choices={"FRE": "FRE: corrected for the slope of the ground", "SRE": "SRE: as of a flat surface"},
        advanced=True,
    )
    offset: str = text(
        "Offset of files that do not tell it (auto, or a number such as -1000)",
        "What is added to the digital numbers of files that don't tell it, from 25 January 2022 on: -1000 for bands "
        "copied out of products, 0 where a service took it off already; with 'all' behind it, such as -1000 all, at "
        "all dates. auto is 0 before that day, and refuses later files.",
        default="auto",
        advanced=True,
    )
    resolution: float | None = number(
        "Pixel size (units of the CRS)",
        "Size of a pixel, in units of the CRS, mostly metres; by default that of the first product.",
        default=None,
        decimals=6,
        limit=ABOVE_0,
        advanced=True,
    )
    crs: str | None = crs(
        "Coordinate reference system of the series",
        "CRS of the series, such as EPSG:32631; by default that of the first product.",
        default=None,
        advanced=True,
    )
    memory: int = MEMORY
    scheduler: str | None = SCHEDULER
    output: Path = raster_output("Sentinel-2 series", "The series to write, a GeoTIFF.")
    validity: Path | None = raster_output(
        "Number of clear dates of each pixel",
        "Raster of the number of clear dates of each pixel: where it is low, the series is interpolated.",
        default=None,
    )
    report: Path | None = file_output(
        "Report on dates and clouds (HTML)",
        "Report as one HTML file: dates, products left out, map of validity, mean NDVI.",
        default=None,
        extension="html",
        kind=HTML,
        offered=True,
    )


class PrepareSentinel1(Declaration):
    """Sentinel-1 images to a series."""

    command = "prepare-sentinel1"
    label = "Prepare Sentinel-1 series"
    group = "Preparation"
    summary = "Turns calibrated Sentinel-1 backscatter into one time series raster on the grid of a reference."
    description = (
        "Turns calibrated, terrain-corrected Sentinel-1 backscatter, VV and VH, into one 8-bit time series raster "
        "on the grid of a reference: the Sentinel-2 series.\n\n"
        "Give a folder, below which the rasters are found, or layers. What their values are, decibels, power, "
        "amplitude or digital numbers, is found out where it can be. The dates of layers come from the table of "
        "dates, else from their temporal range, their metadata or their name."
    )
    tags = "sentinel-1,s1,radar,sar,backscatter,time series,twinns"
    page = "sentinel1.md"
    servers = True

    folder: Path | None = folder(
        "Folder of Sentinel-1 backscatter images",
        "Folder below which the images are found, also in zip archives.",
        default=None,
    )
    layers: tuple[Path, ...] = _LAYERS
    scenes: Path | None = _SCENES
    reference: Path = raster(
        "Sentinel-2 series, whose pixel grid is taken over", "Raster whose grid the series gets: the Sentinel-2 series."
    )
    units: str = choice(
        "Units of the Sentinel-1 images",
        "What the input's values are; auto finds out, or says why it can't. DN are whole numbers of which "
        "dB = 20 log10(DN) - 83.",
        default="auto",
        choices={
            "auto": "Automatic: found out from the images",
            "dB": "Decibels",
            "power": "Power, linear",
            "amplitude": "Amplitude, the square root of power",
            "DN": "Digital numbers: dB = 20 log10(DN) - 83",
        },
    )
    start: date | None = day(
        "First date of the series", "First date of the series; by default that of the first image.", default=None
    )
    end: date | None = day(
        "Last date of the series", "Last date of the series; by default that of the last image.", default=None
    )
    step: int = whole_number(
        "Days from one date to the next (0: the images' own dates)",
        "Days from one date of the series to the next; 0 keeps the images' own dates.",
        default=0,
        limit=FROM_0,
    )
    dates: Path | None = _DATES
    bands: str = _BANDS
    orbit: str = text(
        "Orbit: any, ascending, descending or its relative number",
        "The orbit whose images are used: any, ascending, descending or the number of a relative orbit.",
        default="any",
        advanced=True,
    )
    speckle: int = whole_number(
        "Width of the speckle filter (pixels; 0: no filter)",
        "Width of the window of the multitemporal speckle filter (Quegan and Yu 2001), an odd number of pixels; "
        "0 for no filter.",
        default=0,
        limit=Limit(0, 31),
        advanced=True,
    )
    db_range: str = text(
        "Range that the 8 bits span (dB, or percentiles)",
        "Decibels that the 8 bits span, for each polarisation, or percentiles of the images, such as "
        "VV=p1:p99,VH=p1:p99 or, in short, p1:p99.",
        default="VV=-25:5,VH=-32:-2",
        advanced=True,
    )
    memory: int = MEMORY
    scheduler: str | None = SCHEDULER
    output: Path = raster_output("Sentinel-1 series", "The series to write, a GeoTIFF.")
