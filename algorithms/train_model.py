"""The algorithm that trains a model."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputNumber,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)

from .base import JobAlgorithm
from .definitions import advanced, choice, device, helped, number, raster, report, whole_number
from .translation import tr

_METHODS = (
    "TWINNS",
    "TWINNS(S1)",
    "TWINNS(S2)",
    "FullCNN",
    "FullRNN",
    "TWINNSNoAux",
    "2ConvLSTM",
    "RF(S1,S2)",
    "RFLF(S1,S2)",
    "RF(TWINNS)",
)


class TrainModel(JobAlgorithm):
    """Trains a network or forests on two series and labelled polygons."""

    JOB = "trainmodel"

    def displayName(self) -> str:
        return tr("Train model")

    def group(self) -> str:
        return tr("Mapping")

    def groupId(self) -> str:
        return "mapping"

    def tags(self) -> list[str]:
        return tr("land cover,classification,deep learning,neural network,random forest,training,twinns").split(",")

    def shortDescription(self) -> str:
        return tr("Trains a network or forests on two series and polygons with a class, and assesses them.")

    def shortHelpString(self) -> str:
        return tr(
            "Trains TWINNS, or another METHOD, on a Sentinel-1 and a Sentinel-2 series and polygons with a class, and "
            "assesses it on polygons that it has not seen.\n\n"
            "The polygons are split by object into parts for training, validation and testing; the epoch, or the "
            "random forest, that is best on the validation part is kept. Accuracy, F-measure and kappa are those of "
            "the test part.\n\n"
            "Cancelling keeps a network's best epoch so far, and the log says where. The same call again continues the "
            "training, also after a crash."
        )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        super().initAlgorithm(configuration)
        self.addOutput(QgsProcessingOutputNumber("ACCURACY", tr("Accuracy, 0 to 1")))
        self.addOutput(QgsProcessingOutputNumber("F_MEASURE", tr("F-measure, weighted by class support, 0 to 1")))
        self.addOutput(QgsProcessingOutputNumber("KAPPA", tr("Cohen's kappa")))

    def definitions(self) -> list[QgsProcessingParameterDefinition]:
        return [*self._samples(), *self._network(), *self._fitting(), *self._outputs()]

    def _samples(self) -> list[QgsProcessingParameterDefinition]:
        polygons = [QgsProcessing.SourceType.TypeVectorPolygon]
        return [
            raster("SENTINEL1", tr("Sentinel-1 series"), tr("The Sentinel-1 series."), optional=True),
            raster("SENTINEL2", tr("Sentinel-2 series"), tr("The Sentinel-2 series, on the same grid."), optional=True),
            helped(
                QgsProcessingParameterFeatureSource("POLYGONS", tr("Polygons"), polygons),
                tr("Polygons with a class; the selected ones, or all."),
            ),
            _field("CLASS_FIELD", tr("Class field"), tr("Field that holds the class: text, or a whole number.")),
            _field(
                "OBJECT_FIELD",
                tr("Object field"),
                tr("Field whose equal values make one object of several polygons; by default each polygon is one."),
                optional=True,
            ),
            _field(
                "SPLIT_FIELD",
                tr("Split field"),
                tr("Field that holds train, validation or test; by default the split is drawn."),
                optional=True,
            ),
            choice(
                "SPARSE_CLASSES",
                tr("Sparse classes"),
                tr("What happens to classes with too few objects for the split."),
                ("error", "drop"),
                "error",
            ),
            number("TRAIN_SHARE", tr("Training share"), tr("Share of each class's objects to train on."), 0.3, 0, 1),
            number(
                "VALIDATION_SHARE",
                tr("Validation share"),
                tr("Share of each class's objects to choose the best epoch or forest by."),
                0.2,
                0,
                1,
            ),
            advanced(
                number(
                    "SPLIT_BLOCKS",
                    tr("Side of the blocks of the split"),
                    tr(
                        "Side of squares of the ground whose objects go into one part together, in units of the "
                        "series' CRS; 0 draws by object."
                    ),
                    0.0,
                    0,
                )
            ),
            advanced(
                choice(
                    "TOUCHING_PIXELS",
                    tr("Pixels that touch training"),
                    tr(
                        "What happens to pixels of validation and test that have a training pixel in their 5 x 5 "
                        "window."
                    ),
                    ("drop", "keep"),
                    "drop",
                )
            ),
        ]

    def _network(self) -> list[QgsProcessingParameterDefinition]:
        sizes = ("paper", "compact", "small")
        return [
            choice("METHOD", tr("Method"), tr("The method."), _METHODS, "TWINNS"),
            choice("SIZE", tr("Size"), tr("Size of the network."), sizes, "paper"),
        ]

    def _fitting(self) -> list[QgsProcessingParameterDefinition]:
        return [
            whole_number("EPOCHS", tr("Epochs"), tr("How often the network sees all training pixels."), 300, 1),
            advanced(
                whole_number("BATCH_SIZE", tr("Batch size"), tr("Pixels between two updates of the weights."), 64, 1)
            ),
            advanced(
                number(
                    "LEARNING_RATE", tr("Learning rate"), tr("Step size of the optimiser, in the first epoch."), 2e-4, 0
                )
            ),
            advanced(choice("OPTIMIZER", tr("Optimiser"), tr("The optimiser."), ("adam", "adamw", "sgd"), "adam")),
            advanced(
                choice(
                    "SCHEDULE",
                    tr("Schedule of the learning rate"),
                    tr("Step size over the epochs: constant, or falling to 0 along half a cosine."),
                    ("constant", "cosine"),
                    "constant",
                )
            ),
            advanced(
                whole_number(
                    "SEED",
                    tr("Seed"),
                    tr("Fixes the split, the initial weights, the order of the samples, and the forests."),
                    0,
                )
            ),
            advanced(
                whole_number(
                    "PATIENCE",
                    tr("Patience"),
                    tr("Epochs without a better validation accuracy after which training stops; 0 goes through all."),
                    0,
                )
            ),
            advanced(
                choice(
                    "CLASS_WEIGHTS",
                    tr("Class weights"),
                    tr("What counts alike in the loss: each pixel (none) or each class (balanced)."),
                    ("none", "balanced"),
                    "none",
                )
            ),
            advanced(
                choice(
                    "AUGMENTATION",
                    tr("Augmentation"),
                    tr("How patches vary in training: not at all, or turned and mirrored in the 8 ways of a square."),
                    ("none", "symmetries"),
                    "none",
                )
            ),
            advanced(
                number(
                    "DATE_DROPOUT",
                    tr("Dropout of dates"),
                    tr(
                        "Probability of each date to be missing in training, drawn for each pixel and sensor; 0 or "
                        "more, below 1."
                    ),
                    0.0,
                    0,
                    0.99,
                )
            ),
            advanced(
                number(
                    "DROPOUT",
                    tr("Dropout"),
                    tr("Share of each block's outputs that training drops; 0 or more, below 1."),
                    0.4,
                    0,
                    0.99,
                )
            ),
            advanced(
                number(
                    "AUXILIARY_WEIGHT",
                    tr("Weight of the auxiliary classifiers"),
                    tr("Weight of each auxiliary classifier in the loss and in the score; that on all features has 1."),
                    0.5,
                    0,
                )
            ),
            advanced(
                choice(
                    "SCALING",
                    tr("Scaling of the variables"),
                    tr(
                        "What becomes 0 and 1 of each variable: its smallest and largest value (range), or its 1st "
                        "and 99th percentile, with values beyond clipped (percentiles)."
                    ),
                    ("range", "percentiles"),
                    "range",
                )
            ),
            advanced(
                choice(
                    "BATCH_NORM",
                    tr("Batch normalisation"),
                    tr("Normalises by the statistics of the batches (real), or scales and shifts alone (frozen)."),
                    ("real", "frozen"),
                    "real",
                )
            ),
            advanced(
                helped(
                    QgsProcessingParameterString("TREES", tr("Trees of a forest"), "100,200,300,400,500"),
                    tr("Numbers of trees of a forest to choose from, separated by commas."),
                )
            ),
            advanced(
                helped(
                    QgsProcessingParameterString("DEPTHS", tr("Depths of a forest's trees"), "20,40,60,80,100"),
                    tr("Largest depths of a forest's trees to choose from, separated by commas."),
                )
            ),
            device(),
            advanced(
                choice(
                    "PRECISION",
                    tr("Precision"),
                    tr(
                        "What the network's matrix products are computed in, in training; auto is bfloat16 where "
                        "that is clearly faster, else float32."
                    ),
                    ("auto", "float32", "bfloat16"),
                    "auto",
                )
            ),
        ]

    def _outputs(self) -> list[QgsProcessingParameterDefinition]:
        return [
            helped(
                QgsProcessingParameterFileDestination("MODEL", tr("Model"), tr("TWINNS model (*.twinns)")),
                tr("The model file to write, .twinns."),
            ),
            report(tr("An HTML report to write.")),
            helped(
                QgsProcessingParameterVectorDestination(
                    "SPLIT",
                    tr("Polygons with their split"),
                    QgsProcessing.SourceType.TypeVectorPolygon,
                    optional=True,
                    createByDefault=False,
                ),
                tr("A copy of the polygons to write, with their part of the split."),
            ),
        ]


def _field(name: str, label: str, text: str, *, optional: bool = False) -> QgsProcessingParameterDefinition:
    definition = QgsProcessingParameterField(name, label, parentLayerParameterName="POLYGONS", optional=optional)
    return helped(definition, text)
