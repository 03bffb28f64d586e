"""What every job is called and can be asked for: the one place where parameters stand.

The jobs, the command line, QGIS's algorithms and the reference in the documentation are made from it. To add an
algorithm is to add a class here, and a job of the same name that runs it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import ClassVar

from .parameters import (
    Declaration,
    Limit,
    choice,
    classes_table,
    crs,
    dates_table,
    day,
    extent,
    field_of,
    file,
    file_output,
    folder,
    folder_output,
    number,
    polygons,
    polygons_output,
    raster,
    raster_output,
    rasters,
    series,
    text,
    whole_number,
)

_FROM_0 = Limit(0)
_FROM_1 = Limit(1)
_ABOVE_0 = Limit(0, above=True)
_SHARE = Limit(0, 1, above=True, below=True)
_SHARE_BELOW_1 = Limit(0, 1, below=True)
_PERCENT = Limit(0, 100)
_SEED = Limit(0, 2**32 - 1)

_HTML = "HTML files (*.html)"

METHODS = {
    "TWINNS": "TWINNS: the whole network",
    "TWINNS(S1)": "TWINNS(S1): Sentinel-1 alone",
    "TWINNS(S2)": "TWINNS(S2): Sentinel-2 alone",
    "FullCNN": "FullCNN: TWINNS without its ConvGRU branches",
    "FullRNN": "FullRNN: TWINNS without its CNN branches",
    "TWINNSNoAux": "TWINNSNoAux: TWINNS without auxiliary classifiers",
    "2ConvLSTM": "2ConvLSTM: a ConvLSTM for each sensor",
    "RF": "RF(S1,S2): one random forest, takes minutes",
    "RFLF": "RFLF(S1,S2): a random forest for each sensor",
    "RF(TWINNS)": "RF(TWINNS): a random forest on the features of TWINNS",
}
"""The methods of the paper, and what dialogs call them."""
SPELLINGS = {"RF(S1,S2)": "RF", "RFLF(S1,S2)": "RFLF"}
"""The paper's names of two methods, which hold a comma: QGIS could not choose them."""
SIZES = {
    "auto": "Automatic: paper on a GPU, else compact",
    "paper": "Paper: 256 and 512 filters, wants a GPU",
    "compact": "Compact: 64 and 128 filters, for a processor",
    "small": "Small: 32 and 64 filters, for a first look",
}
OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW, with weight decay", "sgd": "Stochastic gradient descent, with momentum"}
PRECISIONS = {
    "auto": "Automatic: bfloat16 where it is clearly faster, else float32",
    "float32": "float32: numbers of 32 bits",
    "bfloat16": "bfloat16: numbers of 16 bits",
}
DEVICES = {"auto": "GPU if there is one, else processor", "cpu": "Processor", "gpu": "GPU, or stop"}

_MEMORY = whole_number(
    "Memory to use (MB)",
    "Memory to use, in MB: with more of it, work goes on in larger blocks.",
    default=2048,
    limit=_FROM_1,
    advanced=True,
)
_SCHEDULER = text(
    "Dask scheduler of a cluster (address)",
    "Address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers do the work; by default this machine.",
    default=None,
    advanced=True,
)
_DEVICE = choice(
    "Compute on",
    "Where to compute; auto is the first GPU that can be used, else the processor.",
    default="auto",
    choices=DEVICES,
    advanced=True,
)
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
_SENTINEL1 = series(
    "Sentinel-1 series",
    "The Sentinel-1 series: the raster that Prepare Sentinel-1 series wrote.",
    default=None,
)
_SENTINEL2 = series(
    "Sentinel-2 series",
    "The Sentinel-2 series, on the same grid: the raster that Prepare Sentinel-2 series wrote.",
    default=None,
)
_STATIC = rasters(
    "Rasters without dates, such as elevation or embeddings",
    "Rasters without dates that tell more of the land, such as elevation, slope or the yearly embeddings of a "
    "foundation model, on any grid; mapping needs the same ones, in the same order.",
    default=(),
    advanced=True,
)


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
        limit=_SEED,
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
        limit=_FROM_0,
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
        limit=_ABOVE_0,
        advanced=True,
    )
    crs: str | None = crs(
        "Coordinate reference system of the series",
        "CRS of the series, such as EPSG:32631; by default that of the first product.",
        default=None,
        advanced=True,
    )
    memory: int = _MEMORY
    scheduler: str | None = _SCHEDULER
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
        kind=_HTML,
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
        limit=_FROM_0,
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
    memory: int = _MEMORY
    scheduler: str | None = _SCHEDULER
    output: Path = raster_output("Sentinel-1 series", "The series to write, a GeoTIFF.")


class Sampling(Declaration):
    """What all that learns from polygons can be asked for: the series, the polygons and their split."""

    sentinel1: Path | None = _SENTINEL1
    sentinel2: Path | None = _SENTINEL2
    static: tuple[Path, ...] = _STATIC
    polygons: str = polygons(
        "Polygons or points whose land cover is known",
        "Polygons with a class, for each class several: a vector file, or file|layername=name; in QGIS the selected "
        "ones, or all. Or points, each of which labels the pixel below it.",
        points=True,
    )
    class_field: str = field_of(
        "Field with the land cover class",
        "Field that holds the class: its name, or its code in the map, a whole number from 1 to 254.",
        of="polygons",
    )
    object_field: str | None = field_of(
        "Field that tells which polygons belong together",
        "Field whose equal values make one object of several polygons, such as the fields of one farm: all fall in "
        "one part of the split. By default each polygon is one object.",
        default=None,
        of="polygons",
    )
    split_field: str | None = field_of(
        "Field with the part of the split: train, validation or test",
        "Field that holds train, validation or test, such as an earlier training wrote it; by default the split is "
        "drawn.",
        default=None,
        of="polygons",
        advanced=True,
    )
    sparse_classes: str = choice(
        "Classes with too few polygons",
        "What happens to classes that have too few polygons for a part of the split.",
        default="error",
        choices={"error": "Stop, and list them", "drop": "Leave them out of the map"},
    )
    train_share: float = number(
        "Share of each class's polygons to train on (0.3 is 30 %)",
        "Share of each class's polygons, or objects of several polygons, to train on.",
        default=0.3,
        limit=_SHARE,
    )
    validation_share: float = number(
        "Share of each class's polygons to choose the best epoch by (0.2 is 20 %)",
        "Share of each class's objects to choose the best epoch or forest by; what remains is the test.",
        default=0.2,
        limit=_SHARE,
    )
    split_blocks: float = number(
        "Split by squares of the ground of this side (m; 0: by polygon)",
        "Side of squares of the ground whose objects go into one part together, in units of the series' CRS, mostly "
        "metres; 0 draws by object.",
        default=0.0,
        decimals=4,
        limit=_FROM_0,
        advanced=True,
    )
    max_pixels: int = whole_number(
        "Training pixels of a class at most (0: all)",
        "Training pixels of a class at most, shared evenly among its polygons, so that large ones are thinned first; 0 "
        "keeps all. Validation and test keep theirs.",
        default=0,
        limit=_FROM_0,
        advanced=True,
    )
    touching_pixels: str = choice(
        "Test pixels within 2 pixels of a training pixel",
        "What happens to pixels of validation and test that have a training pixel in their 5 x 5 window.",
        default="drop",
        choices={"drop": "Leave them out, as the network has seen them", "keep": "Keep them"},
        advanced=True,
    )
    seed: int = whole_number(
        "Seed of all that is drawn at random",
        "Fixes the split, the initial weights, the order of the samples, and the forests.",
        default=0,
        limit=_SEED,
        advanced=True,
    )
    classes: Path | None = classes_table(
        "Table of classes",
        "CSV table with the columns class, name and color (#rrggbb): order, names and colours of the classes in "
        "legends. By default QGIS gives those of the polygons' categorised style, if they have one.",
        default=None,
        extension="csv",
        of="class_field",
        advanced=True,
    )


class TrainModel(Sampling):
    """Series and polygons to a model."""

    command = "train-model"
    label = "Train model"
    group = "Mapping"
    summary = "Trains a network or forests on two series and polygons with a class, and assesses them."
    description = (
        "Trains TWINNS, or another METHOD, on a Sentinel-1 and a Sentinel-2 series and polygons with a class, and "
        "assesses it on polygons that it has not seen. One of the two series is enough, but for the methods that are "
        "named after the other.\n\n"
        "The polygons are split by object into parts for training, validation and testing; the epoch, or the "
        "random forest, that is best on the validation part is kept. Accuracy, F-measure and kappa are those of "
        "the test part.\n\n"
        "Cancelling keeps a network's best epoch so far, and the log says where. The same call again continues the "
        "training, also after a crash."
    )
    tags = "land cover,classification,deep learning,neural network,random forest,training,twinns"
    page = "training-and-mapping.md"
    numbers: ClassVar = {
        "accuracy": "Accuracy, 0 to 1",
        "f_measure": "F-measure, weighted by class support, 0 to 1",
        "kappa": "Cohen's kappa",
    }

    method: str = choice(
        "Method",
        "What is trained: the network of the paper, a part of it, or a rival.",
        default="TWINNS",
        choices=METHODS,
        spellings=SPELLINGS,
    )
    size: str = choice(
        "Size of the network",
        "Size of the network: a larger one can learn more, and takes longer; the log tells how long before training "
        "starts.",
        default="auto",
        choices=SIZES,
    )
    recipe: str = choice(
        "Recipe: what holds for all that is left open",
        "What holds for the size and for all settings of the training that are left open: few epochs that end "
        "calmly (default), or what the paper's authors do (paper).",
        default="default",
        choices={"default": "Default: few epochs, which end calmly", "paper": "Paper: as its authors do, for days"},
    )
    epochs: int | None = whole_number(
        "Epochs: how often the network sees all training pixels",
        "How often the network sees all training pixels; by default as the recipe has it: 30, or the paper's 300.",
        default=None,
        limit=_FROM_1,
    )
    batch_size: int = whole_number(
        "Batch size (pixels)", "Pixels between two updates of the weights.", default=64, limit=_FROM_1, advanced=True
    )
    learning_rate: float | None = number(
        "Learning rate",
        "Step size of the optimiser, at its largest; by default as the recipe has it: 0.001, or the paper's 0.0002.",
        default=None,
        decimals=6,
        limit=_ABOVE_0,
        advanced=True,
    )
    optimizer: str = choice(
        "Optimiser", "What turns the gradient into the next weights.", default="adam", choices=OPTIMIZERS, advanced=True
    )
    schedule: str = choice(
        "Learning rate over the epochs",
        "Step size over the epochs: constant, as the paper has it, or falling to 0 along half a cosine, as the default "
        "recipe has it.",
        default="auto",
        choices={
            "auto": "As the recipe has it",
            "constant": "Constant",
            "cosine": "Falls to 0 along half a cosine",
        },
        advanced=True,
    )
    warm_up: float | None = number(
        "Share of the epochs in which the learning rate rises at first (0.06 is 6 %)",
        "Share of the epochs in which the step size rises at first; by default as the recipe has it: 0.06, or the "
        "paper's 0.",
        default=None,
        limit=_SHARE_BELOW_1,
        advanced=True,
    )
    label_smoothing: float | None = number(
        "Share of each label that goes to all classes alike (0.1 is 10 %)",
        "Share of each label that goes to all classes alike, so that the network does not strive to be surer than "
        "labels deserve; by default as the recipe has it: 0.1, or the paper's 0.",
        default=None,
        decimals=3,
        limit=_SHARE_BELOW_1,
        advanced=True,
    )
    smoothing: int | None = whole_number(
        "Epochs whose validation accuracy is averaged to choose the best",
        "Epochs, an epoch and those before it, whose validation accuracy is averaged to choose the best; by default as "
        "the recipe has it: 3, or the paper's 1.",
        default=None,
        limit=_FROM_1,
        advanced=True,
    )
    patience: int = whole_number(
        "Stop after so many epochs without a better one (0: never)",
        "Epochs without a better validation accuracy after which training stops; 0 goes through all.",
        default=0,
        limit=_FROM_0,
        advanced=True,
    )
    class_weights: str = choice(
        "What counts alike in training",
        "What counts alike in the loss: each pixel (none) or each class (balanced).",
        default="none",
        choices={"none": "Each pixel", "balanced": "Each class, however few its pixels"},
        advanced=True,
    )
    augmentation: str = choice(
        "How patches vary in training",
        "How patches vary in training: not at all, or turned and mirrored in the 8 ways of a square.",
        default="none",
        choices={"none": "As they are", "symmetries": "Turned and mirrored at random"},
        advanced=True,
    )
    date_dropout: float = number(
        "Share of the dates that training leaves out at random (0.2 is 20 %)",
        "Probability of each date to be missing in training, drawn for each pixel and sensor; 0 or more, below 1.",
        default=0.0,
        limit=_SHARE_BELOW_1,
        advanced=True,
    )
    date_shift: float = number(
        "Days by which training shifts the calendar at most (0: not at all)",
        "Each pixel's year is moved forth or back by so many days at most, by interpolation in time, anew each time "
        "training sees it: for a model that is to map other years.",
        default=0.0,
        decimals=1,
        limit=_FROM_0,
        advanced=True,
    )
    dropout: float = number(
        "Share of the features that training leaves out at random (0.4 is 40 %)",
        "Share of each block's outputs that training drops; 0 or more, below 1.",
        default=0.4,
        limit=_SHARE_BELOW_1,
        advanced=True,
    )
    auxiliary_weight: float = number(
        "Weight of each auxiliary classifier",
        "Weight of each auxiliary classifier in the loss and in the score; that on all features has 1.",
        default=0.5,
        limit=_FROM_0,
        advanced=True,
    )
    scaling: str = choice(
        "Values of each variable that become 0 and 1",
        "What becomes 0 and 1 of each variable: its smallest and largest value (range), or its 1st and 99th "
        "percentile, with values beyond clipped (percentiles).",
        default="range",
        choices={"range": "The smallest and the largest", "percentiles": "The 1st and the 99th percentile"},
        advanced=True,
    )
    batch_norm: str = choice(
        "Batch normalisation",
        "Normalises by the statistics of the batches (real), or scales and shifts alone (frozen).",
        default="real",
        choices={"real": "By the statistics of the batches", "frozen": "A scale and a shift alone"},
        advanced=True,
    )
    trees: str = text(
        "Forests: numbers of trees to choose from",
        "Numbers of trees of a forest to choose from, separated by commas.",
        default="100,200,300,400,500",
        advanced=True,
    )
    depths: str = text(
        "Forests: largest depths to choose from",
        "Largest depths of a forest's trees to choose from, separated by commas.",
        default="20,40,60,80,100",
        advanced=True,
    )
    device: str = _DEVICE
    precision: str = choice(
        "Precision of the matrix products",
        "What the network's matrix products are computed in, in training; auto is bfloat16 where that is clearly "
        "faster, else float32.",
        default="auto",
        choices=PRECISIONS,
        advanced=True,
    )
    model: Path = file_output(
        "Model file", "The model file to write, .twinns.", extension="twinns", kind="TWINNS model (*.twinns)"
    )
    report: Path | None = file_output(
        "Report on the training (HTML)",
        "An HTML report to write: the split, the learning, the measures, the confusion between classes.",
        default=None,
        extension="html",
        kind=_HTML,
        offered=True,
    )
    split: Path | None = polygons_output(
        "Polygons with their part of the split",
        "A copy of the polygons to write, with their part of the split, for later trainings with the same split.",
        default=None,
        extension="gpkg",
    )


class MapCover(Declaration):
    """A model and series to a map."""

    command = "map-cover"
    label = "Map land cover"
    group = "Mapping"
    summary = "Maps land cover with a trained model."
    description = (
        "Maps land cover with a model that Train model made, from series with the bands that it was trained on.\n\n"
        "The map holds the codes of the classes, 0 where there are no data, with their names and colours. The "
        "confidence is the score of the mapped class, the probabilities are the scores of all classes, both in "
        "percent, 255 where there are no data.\n\n"
        "A run that was stopped goes on where it stopped if it is started again with the same output: finished "
        "blocks lie beside it, in a folder of its name and .blocks."
    )
    tags = "land cover,classification,deep learning,neural network,prediction,twinns"
    page = "training-and-mapping.md#mapping"

    model: Path = file("Model file that Train model wrote (.twinns)", "The model file, .twinns.", extension="twinns")
    sentinel1: Path | None = _SENTINEL1
    sentinel2: Path | None = _SENTINEL2
    static: tuple[Path, ...] = _STATIC
    extent: str | None = extent(
        "Area to map", "Part to map, as xmin,xmax,ymin,ymax [EPSG:code]; by default all of the series.", default=None
    )
    mask: str | None = polygons(
        "Map within these polygons alone",
        "Polygons to map: pixels whose centre lies in none of them are no data. By default all is mapped.",
        default=None,
    )
    device: str = _DEVICE
    precision: str = choice(
        "Precision of the matrix products",
        "What the network's matrix products are computed in; auto is bfloat16 where that is clearly faster, else "
        "float32.",
        default="auto",
        choices=PRECISIONS,
        advanced=True,
    )
    early_exit: str = choice(
        "Spare the ConvGRU branches where the network is sure (early exit)",
        "Whether to skip the ConvGRU branches where the classifiers of the CNN branches agree and are sure enough.",
        default="off",
        choices={"off": "No", "on": "Yes: faster, some pixels get another class"},
        advanced=True,
    )
    agreement: float = number(
        "Pixels that keep their class in an early exit (%)",
        "Percentage of the pixels that an early exit is to leave their class, on the validation part.",
        default=99.5,
        limit=Limit(0, 100, above=True),
        advanced=True,
    )
    memory: int = _MEMORY
    scheduler: str | None = _SCHEDULER
    output: Path = raster_output("Land cover map", "The map to write, a GeoTIFF with names and colours of the classes.")
    confidence: Path | None = raster_output(
        "Confidence (%)", "A raster of the confidence in percent to write.", default=None
    )
    probabilities: Path | None = raster_output(
        "Class probabilities (%)", "A raster of the probability of each class in percent to write.", default=None
    )


DECLARATIONS: tuple[type[Declaration], ...] = (
    CreateDemoSite,
    FindScenes,
    DownloadScenes,
    PrepareSentinel2,
    PrepareSentinel1,
    TrainModel,
    MapCover,
)
"""All jobs, in the order of the work."""
