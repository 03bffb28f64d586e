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
    "TWINNS": "TWINNS",
    "TWINNS(S1)": "TWINNS(S1): Sentinel-1 alone",
    "TWINNS(S2)": "TWINNS(S2): Sentinel-2 alone",
    "FullCNN": "FullCNN: without the ConvGRU branches",
    "FullRNN": "FullRNN: without the CNN branches",
    "TWINNSNoAux": "TWINNSNoAux: without the auxiliary classifiers",
    "2ConvLSTM": "2ConvLSTM",
    "RF": "RF(S1,S2): random forest on both series",
    "RFLF": "RFLF(S1,S2): a random forest on each series",
    "RF(TWINNS)": "RF(TWINNS): random forest on the features of TWINNS",
}
"""The methods of the paper, and what dialogs call them."""
SPELLINGS = {"RF(S1,S2)": "RF", "RFLF(S1,S2)": "RFLF"}
"""The paper's names of two methods, which hold a comma: QGIS could not choose them."""
SIZES = {
    "auto": "Automatic: paper on a GPU, else compact",
    "paper": "Paper: 256 and 512 filters",
    "compact": "Compact: 64 and 128 filters",
    "small": "Small: 32 and 64 filters",
}
OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "sgd": "Stochastic gradient descent"}
PRECISIONS = {"auto": "Automatic", "float32": "float32: 32 bits", "bfloat16": "bfloat16: 16 bits"}
DEVICES = {"auto": "Automatic", "cpu": "Processor", "gpu": "GPU"}

_MEMORY = whole_number("Memory (MB)", "Memory to use, in MB.", default=2048, limit=_FROM_1, advanced=True)
_SCHEDULER = text(
    "Dask scheduler",
    "Address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers do the work; by default this machine.",
    default=None,
    advanced=True,
)
_DEVICE = choice("Device", "Where to compute.", default="auto", choices=DEVICES, advanced=True)
_DATES = dates_table(
    "Table of dates",
    "CSV table with columns file and date, for files without a date.",
    default=None,
    extension="csv",
    of="layers",
    advanced=True,
)
_LAYERS = rasters("Layers, instead of a folder", "Rasters to use, instead of a folder.", default=())
_SENTINEL1 = series("Sentinel-1 series", "The Sentinel-1 series.", default=None)
_SENTINEL2 = series("Sentinel-2 series", "The Sentinel-2 series, on the same grid.", default=None)


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

    size: int = whole_number(
        "Size (pixels)", "Width and height of the site in pixels of 10 m.", default=256, limit=Limit(2)
    )
    seed: int = whole_number("Seed", "The same seed gives the same site, byte by byte.", default=0, limit=_SEED)
    folder: Path = folder_output("Demo site", "Folder to make the site in; it must be new or empty.")


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

    folder: Path | None = folder("Folder of products", "Folder below which the products are found.", default=None)
    layers: tuple[Path, ...] = _LAYERS
    start: date | None = day(
        "First date", "First date of the series; by default that of the first product.", default=None
    )
    end: date | None = day("Last date", "Last date of the series; by default that of the last product.", default=None)
    step: int = whole_number(
        "Days between dates",
        "Days from one date to the next; 0 keeps the products' own dates.",
        default=0,
        limit=_FROM_0,
    )
    extent: str | None = extent(
        "Extent",
        "Part to prepare, as xmin,xmax,ymin,ymax [EPSG:code], also over several tiles; by default all of the first "
        "product.",
        default=None,
    )
    resolution: float | None = number(
        "Pixel size",
        "Size of a pixel, in units of the CRS; by default that of the first product.",
        default=None,
        limit=_ABOVE_0,
        advanced=True,
    )
    crs: str | None = crs(
        "CRS of the series",
        "CRS of the series, such as EPSG:32631; by default that of the first product.",
        default=None,
        advanced=True,
    )
    max_cloud: float = number(
        "Most clouds of a date (%)",
        "Dates with a larger share of clouds, in percent of what they show of the area, are left out.",
        default=100.0,
        limit=_PERCENT,
    )
    dilation: float = number(
        "Buffer round clouds (m)",
        "Width of the buffer round clouds and their shadows that counts as cloudy too, in metres.",
        default=0.0,
        limit=Limit(0, 10_000),
        advanced=True,
    )
    dates: Path | None = _DATES
    clear: str = text(
        "Clear values of the masks",
        "Mask values that count as clear, such as SCL=4,5,6,7,11; CLM=0; by default those of each kind of mask.",
        default="",
        advanced=True,
    )
    reflectance: str = choice(
        "Reflectance of THEIA products",
        "Of THEIA products: FRE, corrected for slope, or SRE, as of a flat surface.",
        default="FRE",
        choices={"FRE": "FRE: corrected for slope", "SRE": "SRE: as of a flat surface"},
        advanced=True,
    )
    memory: int = _MEMORY
    scheduler: str | None = _SCHEDULER
    output: Path = raster_output("Sentinel-2 series", "The series to write, a GeoTIFF.")
    validity: Path | None = raster_output(
        "Number of clear dates",
        "Raster of the number of clear dates of each pixel: where it is low, the series is interpolated.",
        default=None,
    )
    report: Path | None = file_output(
        "Report",
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

    folder: Path | None = folder("Folder of rasters", "Folder below which the rasters are found.", default=None)
    layers: tuple[Path, ...] = _LAYERS
    reference: Path = raster(
        "Reference: Sentinel-2 series", "Raster whose grid the series gets: the Sentinel-2 series."
    )
    units: str = choice(
        "Units of the input",
        "What the input's values are; auto finds out, or says why it can't. DN are whole numbers of which "
        "dB = 20 log10(DN) - 83.",
        default="auto",
        choices={
            "auto": "Automatic",
            "dB": "Decibels",
            "power": "Power, linear",
            "amplitude": "Amplitude",
            "DN": "Digital numbers",
        },
    )
    start: date | None = day(
        "First date", "First date of the series; by default that of the first raster.", default=None
    )
    end: date | None = day("Last date", "Last date of the series; by default that of the last raster.", default=None)
    step: int = whole_number(
        "Days between dates",
        "Days from one date to the next; 0 keeps the rasters' own dates.",
        default=0,
        limit=_FROM_0,
    )
    dates: Path | None = _DATES
    orbit: str = text(
        "Orbit",
        "The orbit whose images are used: any, ascending, descending or the number of a relative orbit.",
        default="any",
        advanced=True,
    )
    speckle: int = whole_number(
        "Window of the speckle filter (pixels)",
        "Width of the window of the multitemporal speckle filter (Quegan and Yu 2001), an odd number of pixels; "
        "0 for no filter.",
        default=0,
        limit=Limit(0, 31),
        advanced=True,
    )
    db_range: str = text(
        "Range in decibels",
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
    polygons: str = polygons(
        "Polygons", "Polygons with a class: a vector file, or file|layername=name; in QGIS the selected ones, or all."
    )
    class_field: str = field_of("Class field", "Field that holds the class: text, or a whole number.", of="polygons")
    object_field: str | None = field_of(
        "Object field",
        "Field whose equal values make one object of several polygons; by default each polygon is one.",
        default=None,
        of="polygons",
    )
    split_field: str | None = field_of(
        "Split field",
        "Field that holds train, validation or test; by default the split is drawn.",
        default=None,
        of="polygons",
    )
    sparse_classes: str = choice(
        "Sparse classes",
        "What happens to classes with too few objects for the split.",
        default="error",
        choices={"error": "Stop with an error", "drop": "Leave them out"},
    )
    train_share: float = number(
        "Training share", "Share of each class's objects to train on.", default=0.3, limit=_SHARE
    )
    validation_share: float = number(
        "Validation share",
        "Share of each class's objects to choose the best epoch or forest by.",
        default=0.2,
        limit=_SHARE,
    )
    split_blocks: float = number(
        "Side of the blocks of the split",
        "Side of squares of the ground whose objects go into one part together, in units of the series' CRS; 0 draws "
        "by object.",
        default=0.0,
        limit=_FROM_0,
        advanced=True,
    )
    touching_pixels: str = choice(
        "Pixels that touch training",
        "What happens to pixels of validation and test that have a training pixel in their 5 x 5 window.",
        default="drop",
        choices={"drop": "Leave them out", "keep": "Keep them"},
        advanced=True,
    )
    seed: int = whole_number(
        "Seed",
        "Fixes the split, the initial weights, the order of the samples, and the forests.",
        default=0,
        limit=_SEED,
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
        "assesses it on polygons that it has not seen.\n\n"
        "The polygons are split by object into parts for training, validation and testing; the epoch, or the "
        "random forest, that is best on the validation part is kept. Accuracy, F-measure and kappa are those of "
        "the test part.\n\n"
        "Cancelling keeps a network's best epoch so far, and the log says where. The same call again continues the "
        "training, also after a crash."
    )
    tags = "land cover,classification,deep learning,neural network,random forest,training,twinns"
    numbers: ClassVar = {
        "accuracy": "Accuracy, 0 to 1",
        "f_measure": "F-measure, weighted by class support, 0 to 1",
        "kappa": "Cohen's kappa",
    }

    method: str = choice("Method", "The method.", default="TWINNS", choices=METHODS, spellings=SPELLINGS)
    size: str = choice("Size", "Size of the network.", default="auto", choices=SIZES)
    epochs: int | None = whole_number(
        "Epochs",
        "How often the network sees all training pixels; by default 300 at the size paper, else 60.",
        default=None,
        limit=_FROM_1,
    )
    batch_size: int = whole_number(
        "Batch size", "Pixels between two updates of the weights.", default=64, limit=_FROM_1, advanced=True
    )
    learning_rate: float = number(
        "Learning rate",
        "Step size of the optimiser, in the first epoch.",
        default=2e-4,
        limit=_ABOVE_0,
        advanced=True,
    )
    optimizer: str = choice("Optimiser", "The optimiser.", default="adam", choices=OPTIMIZERS, advanced=True)
    schedule: str = choice(
        "Schedule of the learning rate",
        "Step size over the epochs: constant, or falling to 0 along half a cosine.",
        default="constant",
        choices={"constant": "Constant", "cosine": "Half a cosine"},
        advanced=True,
    )
    patience: int = whole_number(
        "Patience",
        "Epochs without a better validation accuracy after which training stops; 0 goes through all.",
        default=0,
        limit=_FROM_0,
        advanced=True,
    )
    class_weights: str = choice(
        "Class weights",
        "What counts alike in the loss: each pixel (none) or each class (balanced).",
        default="none",
        choices={"none": "Each pixel counts alike", "balanced": "Each class counts alike"},
        advanced=True,
    )
    augmentation: str = choice(
        "Augmentation",
        "How patches vary in training: not at all, or turned and mirrored in the 8 ways of a square.",
        default="none",
        choices={"none": "None", "symmetries": "Turned and mirrored"},
        advanced=True,
    )
    date_dropout: float = number(
        "Dropout of dates",
        "Probability of each date to be missing in training, drawn for each pixel and sensor; 0 or more, below 1.",
        default=0.0,
        limit=_SHARE_BELOW_1,
        advanced=True,
    )
    dropout: float = number(
        "Dropout",
        "Share of each block's outputs that training drops; 0 or more, below 1.",
        default=0.4,
        limit=_SHARE_BELOW_1,
        advanced=True,
    )
    auxiliary_weight: float = number(
        "Weight of the auxiliary classifiers",
        "Weight of each auxiliary classifier in the loss and in the score; that on all features has 1.",
        default=0.5,
        limit=_FROM_0,
        advanced=True,
    )
    scaling: str = choice(
        "Scaling of the variables",
        "What becomes 0 and 1 of each variable: its smallest and largest value (range), or its 1st and 99th "
        "percentile, with values beyond clipped (percentiles).",
        default="range",
        choices={"range": "Smallest and largest value", "percentiles": "1st and 99th percentile"},
        advanced=True,
    )
    batch_norm: str = choice(
        "Batch normalisation",
        "Normalises by the statistics of the batches (real), or scales and shifts alone (frozen).",
        default="real",
        choices={"real": "Statistics of the batches", "frozen": "Scale and shift alone"},
        advanced=True,
    )
    trees: str = text(
        "Trees of a forest",
        "Numbers of trees of a forest to choose from, separated by commas.",
        default="100,200,300,400,500",
        advanced=True,
    )
    depths: str = text(
        "Depths of a forest's trees",
        "Largest depths of a forest's trees to choose from, separated by commas.",
        default="20,40,60,80,100",
        advanced=True,
    )
    device: str = _DEVICE
    precision: str = choice(
        "Precision",
        "What the network's matrix products are computed in, in training; auto is bfloat16 where that is clearly "
        "faster, else float32.",
        default="auto",
        choices=PRECISIONS,
        advanced=True,
    )
    model: Path = file_output(
        "Model", "The model file to write, .twinns.", extension="twinns", kind="TWINNS model (*.twinns)"
    )
    report: Path | None = file_output(
        "Report", "An HTML report to write.", default=None, extension="html", kind=_HTML, offered=True
    )
    split: Path | None = polygons_output(
        "Polygons with their split",
        "A copy of the polygons to write, with their part of the split.",
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

    model: Path = file("Model", "The model file, .twinns.", extension="twinns")
    sentinel1: Path | None = _SENTINEL1
    sentinel2: Path | None = _SENTINEL2
    extent: str | None = extent(
        "Extent", "Part to map, as xmin,xmax,ymin,ymax [EPSG:code]; by default all of the series.", default=None
    )
    mask: str | None = polygons(
        "Mask",
        "Polygons to map: pixels whose centre lies in none of them are no data. By default all is mapped.",
        default=None,
    )
    device: str = _DEVICE
    precision: str = choice(
        "Precision",
        "What the network's matrix products are computed in; auto is bfloat16 where that is clearly faster, else "
        "float32.",
        default="auto",
        choices=PRECISIONS,
        advanced=True,
    )
    early_exit: str = choice(
        "Early exit",
        "Whether to skip the ConvGRU branches where the classifiers of the CNN branches agree and are sure enough.",
        default="off",
        choices={"off": "Off", "on": "On"},
        advanced=True,
    )
    agreement: float = number(
        "Agreement of the early exit (%)",
        "Percentage of the pixels that an early exit is to leave their class, on the validation part.",
        default=99.5,
        limit=Limit(0, 100, above=True),
        advanced=True,
    )
    memory: int = _MEMORY
    scheduler: str | None = _SCHEDULER
    output: Path = raster_output("Land cover map", "The map to write, a GeoTIFF.")
    confidence: Path | None = raster_output(
        "Confidence", "A raster of the confidence in percent to write.", default=None
    )
    probabilities: Path | None = raster_output(
        "Class probabilities", "A raster of the probability of each class in percent to write.", default=None
    )


DECLARATIONS: tuple[type[Declaration], ...] = (
    CreateDemoSite,
    PrepareSentinel2,
    PrepareSentinel1,
    TrainModel,
    MapCover,
)
"""All jobs, in the order of the work."""
