"""What the jobs of the group *Mapping* are called and can be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from ..parameters import (
    Declaration,
    Limit,
    choice,
    classes_table,
    extent,
    field_of,
    file,
    file_output,
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
from .shared import ABOVE_0, FROM_0, FROM_1, HTML, MEMORY, SCHEDULER, SEED, SHARE

_SHARE_BELOW_1 = Limit(0, 1, below=True)
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
_DEVICE = choice(
    "Compute on",
    "Where to compute; auto is the first GPU that can be used, else the processor.",
    default="auto",
    choices=DEVICES,
    advanced=True,
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
        limit=SHARE,
    )
    validation_share: float = number(
        "Share of each class's polygons to choose the best epoch by (0.2 is 20 %)",
        "Share of each class's objects to choose the best epoch or forest by; what remains is the test.",
        default=0.2,
        limit=SHARE,
    )
    split_blocks: float = number(
        "Split by squares of the ground of this side (m; 0: by polygon)",
        "Side of squares of the ground whose objects go into one part together, in units of the series' CRS, mostly "
        "metres; 0 draws by object.",
        default=0.0,
        decimals=4,
        limit=FROM_0,
        advanced=True,
    )
    max_pixels: int = whole_number(
        "Training pixels of a class at most (0: all)",
        "Training pixels of a class at most, shared evenly among its polygons, so that large ones are thinned first; 0 "
        "keeps all. Validation and test keep theirs.",
        default=0,
        limit=FROM_0,
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
        limit=SEED,
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
        limit=FROM_1,
    )
    batch_size: int = whole_number(
        "Batch size (pixels)", "Pixels between two updates of the weights.", default=64, limit=FROM_1, advanced=True
    )
    learning_rate: float | None = number(
        "Learning rate",
        "Step size of the optimiser, at its largest; by default as the recipe has it: 0.001, or the paper's 0.0002.",
        default=None,
        decimals=6,
        limit=ABOVE_0,
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
        "the recipe has it: 5, or the paper's 1.",
        default=None,
        limit=FROM_1,
        advanced=True,
    )
    patience: int = whole_number(
        "Stop after so many epochs without a better one (0: never)",
        "Epochs without a better validation accuracy after which training stops; 0 goes through all.",
        default=0,
        limit=FROM_0,
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
        limit=FROM_0,
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
        limit=FROM_0,
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
        kind=HTML,
        offered=True,
    )
    importance: str = choice(
        "What the accuracy rests on, in the report",
        "Whether the report tells how much accuracy is lost without each date and each band, on 1000 pixels of the "
        "test part: that takes as many tests as there are dates and bands.",
        default="no",
        choices={"no": "Not measured", "measured": "Measured for each date and each band"},
        advanced=True,
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
    validity: Path | None = raster(
        "Raster of the number of clear dates",
        "Number of clear dates of each pixel, which Prepare Sentinel-2 series wrote as VALIDITY, for UNCERTAINTY.",
        default=None,
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
    memory: int = MEMORY
    scheduler: str | None = SCHEDULER
    output: Path = raster_output("Land cover map", "The map to write, a GeoTIFF with names and colours of the classes.")
    confidence: Path | None = raster_output(
        "Confidence (%)", "A raster of the confidence in percent to write.", default=None
    )
    probabilities: Path | None = raster_output(
        "Class probabilities (%)", "A raster of the probability of each class in percent to write.", default=None
    )
    uncertainty: Path | None = raster_output(
        "Uncertainty (%)",
        "A raster to write: the entropy of the calibrated probabilities, 0 where one class is sure to 100 where all "
        "are alike, and the margin between the two highest; with VALIDITY also the number of clear dates.",
        default=None,
        advanced=True,
    )
    sensor_classes: Path | None = raster_output(
        "Class by each sensor",
        "A raster to write: the class by the classifiers on Sentinel-1 alone, that by those on Sentinel-2 alone, and "
        "where they disagree; of networks with classifiers on both.",
        default=None,
        advanced=True,
    )


class SmoothMap(Declaration):
    """A map and its probabilities to a smoother map."""

    command = "smooth-map"
    label = "Smooth map"
    group = "Mapping"
    summary = "Takes single wrong pixels out of a land cover map, by its probabilities or by a majority filter."
    description = (
        "Smooths a land cover map: each pixel's class in the light of its neighbours'.\n\n"
        "Bayesian smoothing draws each class's probability to that of the neighbourhood, the more the less the "
        "neighbourhood varies: what is sure stays, single pixels that are unsure go, and edges stay where they are "
        "(Camara et al. 2024, as in the R package sits). It needs the probabilities that Map land cover wrote. A "
        "majority filter needs the map alone. MINIMUM_UNIT then takes patches that are too small into their largest "
        "neighbours.\n\n"
        "Pixels without data stay so, and have no say. A run that was stopped goes on where it stopped."
    )
    tags = "smoothing,post-processing,bayesian,majority,filter,sieve,minimum mapping unit,land cover,twinns"
    page = "training-and-mapping.md#smoothing"

    map: Path = raster("Land cover map", "The map, as Map land cover wrote it, or another raster of class codes.")
    probabilities: Path | None = raster(
        "Class probabilities of the map (%)",
        "What Map land cover wrote as PROBABILITIES with the map; a majority filter needs none.",
        default=None,
    )
    filter: str = choice(
        "Filter",
        "How the map is smoothed.",
        default="bayes",
        choices={"bayes": "Bayesian: by the probabilities", "majority": "Majority filter: by the classes alone"},
    )
    window: int = whole_number(
        "Side of the neighbourhood (pixels, odd)",
        "Side of the square of neighbours round each pixel, in pixels; an odd number.",
        default=9,
        limit=Limit(3, 101),
    )
    smoothness: float = number(
        "Smoothness (variance of logits that counts as noise)",
        "Variance of the logits that is taken for noise, for Bayesian smoothing: more of it smooths more.",
        default=20.0,
        limit=ABOVE_0,
    )
    neighbours: float = number(
        "Share of the neighbours that have a say (0.5 is 50 %)",
        "Share of the neighbours, those where a class is likeliest, that its probability is drawn to, for Bayesian "
        "smoothing: so the other side of an edge has no say. More than 0, up to 1.",
        default=0.5,
        limit=Limit(0, 1, above=True),
        advanced=True,
    )
    minimum_unit: int = whole_number(
        "Minimum mapping unit (pixels; 0: none)",
        "Patches of fewer pixels go into their largest neighbour, after smoothing; 0 keeps all.",
        default=0,
        limit=FROM_0,
    )
    memory: int = MEMORY
    output: Path = raster_output("Smoothed map", "The map to write, a GeoTIFF with names and colours of the classes.")
