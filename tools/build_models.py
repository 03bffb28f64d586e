"""Writes the graphical models of the plugin to models/.

Run it with QGIS's Python after a parameter that a model uses has changed, with the oldest QGIS there is: newer ones
read its models, and not the other way round.
"""

import importlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_HASH_SEED", "0")  # else the file's order changes from run to run

from qgis.core import (  # noqa: E402
    QgsApplication,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterDefinition,
)
from qgis.PyQt.QtCore import QPointF  # noqa: E402

Source = QgsProcessingModelChildParameterSource

Links = dict[str, tuple[str, str]]
"""What parameters of a step take from outputs of other steps."""


@dataclass(frozen=True)
class Step:
    """One algorithm of a model.

    Args:
        inputs: The model's inputs that its parameters take.
        links: The other steps' outputs that its parameters take.
        outputs: The name and the label in the model, of those of its outputs that are the model's.
        fixed: Values of its parameters.
    """

    inputs: dict[str, str] = field(default_factory=dict)
    links: Links = field(default_factory=dict)
    outputs: dict[str, tuple[str, str]] = field(default_factory=dict)
    fixed: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """A graphical model.

    Args:
        description: What it does.
        inputs: Which parameter of which algorithm each of its inputs is.
        steps: Its steps by algorithm, in their order.
    """

    description: str
    inputs: dict[str, tuple[str, str]]
    steps: dict[str, Step]


GROUP = "From folders to map"
"""Where the toolbox has them; it has their names from the provider."""
REQUIRED = ("SENTINEL2_FOLDER", "SENTINEL1_FOLDER")
FOLDERS = {
    "SENTINEL2_FOLDER": ("preparesentinel2", "FOLDER"),
    "SENTINEL1_FOLDER": ("preparesentinel1", "FOLDER"),
    "UNITS": ("preparesentinel1", "UNITS"),
}
DATES = {name: ("preparesentinel2", name) for name in ("START", "END", "STEP")}
POLYGONS = {name: ("trainmodel", name) for name in ("POLYGONS", "CLASS_FIELD", "SPARSE_CLASSES")}
NETWORK = {name: ("trainmodel", name) for name in ("SIZE", "EPOCHS")}

PERIOD = {name: name for name in DATES}
PREPARATION = {
    "preparesentinel2": Step(
        {"FOLDER": "SENTINEL2_FOLDER", **PERIOD}, outputs={"OUTPUT": ("SENTINEL2", "Sentinel-2 series")}
    ),
    "preparesentinel1": Step(
        {"FOLDER": "SENTINEL1_FOLDER", "UNITS": "UNITS", **PERIOD},
        {"REFERENCE": ("preparesentinel2", "OUTPUT")},
        {"OUTPUT": ("SENTINEL1", "Sentinel-1 series")},
    ),
}
SERIES = {"SENTINEL1": ("preparesentinel1", "OUTPUT"), "SENTINEL2": ("preparesentinel2", "OUTPUT")}
TRAINED = {"MODEL": ("MODEL", "Model"), "REPORT": ("REPORT", "Report")}
MAP = {"OUTPUT": ("MAP", "Land cover map")}
MAPPING = Step(links={"MODEL": ("trainmodel", "MODEL"), **SERIES}, outputs=MAP)

MODELS = {
    "landcover": Model(
        "From two folders and labelled polygons to a land cover map, with the defaults of the algorithms: prepares"
        " both series, trains a model, assesses it and maps. Start and end hold for both series; without them, "
        "each spans its own products. Before training starts the log tells how long it will take.",
        {**FOLDERS, **POLYGONS, **DATES, **NETWORK},
        {
            **PREPARATION,
            "trainmodel": Step({name: name for name in (*POLYGONS, *NETWORK)}, SERIES, TRAINED),
            "mapcover": MAPPING,
        },
    ),
    "landcoverforest": Model(
        "From two folders and labelled polygons to a land cover map by a random forest, for a first look: prepares"
        " both series, trains the forest, assesses it and maps, mostly in minutes. Start and end hold for both "
        "series; without them, each spans its own products.",
        {**FOLDERS, **POLYGONS, **DATES},
        {
            **PREPARATION,
            "trainmodel": Step({name: name for name in POLYGONS}, SERIES, TRAINED, {"METHOD": "RF"}),
            "mapcover": MAPPING,
        },
    ),
    "landcoverfrommodel": Model(
        "From two folders and a model that was trained before to a land cover map of another area or year: "
        "prepares both series and maps. Give the start, end and step of the model's own series, so that the dates "
        "agree.",
        {**FOLDERS, "MODEL": ("mapcover", "MODEL"), **DATES},
        {**PREPARATION, "mapcover": Step({"MODEL": "MODEL"}, SERIES, MAP)},
    ),
}


def build(name: str, content: Model) -> QgsProcessingModelAlgorithm:
    """Returns a model; the provider must be registered."""
    model = QgsProcessingModelAlgorithm(name, GROUP)
    help_texts = {"ALG_DESC": content.description, "ALG_CREATOR": "TWINNS for QGIS developers"}
    for row, (parameter, (algorithm, of_algorithm)) in enumerate(content.inputs.items()):
        definition = child_definition(algorithm, of_algorithm).clone()
        help_texts[parameter] = definition.help()
        definition.setName(parameter)
        definition.setMetadata({})  # it names a class of the plugin by the folder that the plugin is installed in
        if parameter in REQUIRED:
            definition.setFlags(definition.flags() & ~definition.Flag.FlagOptional)
        component = QgsProcessingModelParameter(parameter)
        component.setPosition(QPointF(150, 100 + 75 * row))
        model.addModelParameter(definition, component)
    for column, (algorithm, step) in enumerate(content.steps.items()):
        model.addChildAlgorithm(child(algorithm, step, QPointF(450 + 250 * column, 200)))
    model.setHelpContent(help_texts)
    model.setParameterOrder(list(content.inputs))
    return model


def child(algorithm: str, step: Step, position: QPointF) -> QgsProcessingModelChildAlgorithm:
    """Returns one step of a model, its name that of its algorithm."""
    found = QgsProcessingModelChildAlgorithm(f"twinns:{algorithm}")
    found.setChildId(algorithm)
    found.setDescription(found.algorithm().displayName())
    found.setPosition(position)
    given = {name: Source.fromStaticValue(value) for name, value in step.fixed.items()}
    given.update({name: Source.fromModelParameter(parameter) for name, parameter in step.inputs.items()})
    given.update({name: Source.fromChildOutput(*link) for name, link in step.links.items()})
    for name, source in given.items():
        found.addParameterSources(name, [source])
    found.setModelOutputs(
        {
            name: model_output(algorithm, of_child, name, label, position)
            for of_child, (name, label) in step.outputs.items()
        }
    )
    return found


def model_output(algorithm: str, of_child: str, name: str, label: str, position: QPointF) -> QgsProcessingModelOutput:
    output = QgsProcessingModelOutput(name, label)
    output.setChildId(algorithm)
    output.setChildOutputName(of_child)
    output.setPosition(position + QPointF(150, 150))
    return output


def child_definition(algorithm: str, parameter: str) -> QgsProcessingParameterDefinition:
    registry = QgsApplication.processingRegistry()
    return registry.algorithmById(f"twinns:{algorithm}").parameterDefinition(parameter)


def main() -> None:
    application = QgsApplication([], False)
    application.initQgis()
    sys.path += [f"{QgsApplication.pkgDataPath()}/python/plugins", str(ROOT.parent)]
    importlib.import_module("processing.core.Processing").Processing.initialize()
    provider = importlib.import_module(f"{ROOT.name}.algorithms.provider").TwinnsProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    for name, content in MODELS.items():
        path = ROOT / "models" / f"{name}.model3"
        if not build(name, content).toFile(str(path)):
            sys.exit(f"{path} can't be written.")
    application.exitQgis()


if __name__ == "__main__":
    main()
