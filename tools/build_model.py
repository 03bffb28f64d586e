"""Writes models/landcover.model3: from two folders and polygons to a map.

Run it with QGIS's Python after a parameter that the model uses has changed, with the oldest QGIS there is: newer ones
read its models, and not the other way round.
"""

import importlib
import os
import sys
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

# The model's inputs: which parameter of which algorithm each is, and its label where that differs.
INPUTS = {
    "SENTINEL2_FOLDER": ("preparesentinel2", "FOLDER", "Folder of Sentinel-2 products"),
    "SENTINEL1_FOLDER": ("preparesentinel1", "FOLDER", "Folder of Sentinel-1 rasters"),
    "UNITS": ("preparesentinel1", "UNITS", "Units of the Sentinel-1 rasters"),
    "POLYGONS": ("trainmodel", "POLYGONS", ""),
    "CLASS_FIELD": ("trainmodel", "CLASS_FIELD", ""),
    "SPARSE_CLASSES": ("trainmodel", "SPARSE_CLASSES", ""),
    "START": ("preparesentinel2", "START", ""),
    "END": ("preparesentinel2", "END", ""),
    "STEP": ("preparesentinel2", "STEP", ""),
    "SIZE": ("trainmodel", "SIZE", "Size of the network"),
    "EPOCHS": ("trainmodel", "EPOCHS", ""),
}
REQUIRED = ("SENTINEL2_FOLDER", "SENTINEL1_FOLDER")

# What each child takes from the model's inputs, what from other children, and which outputs are the model's.
PERIOD = {"START": "START", "END": "END", "STEP": "STEP"}
CHILDREN: dict[str, tuple[dict[str, str], dict[str, tuple[str, str]], dict[str, tuple[str, str]]]] = {
    "preparesentinel2": ({"FOLDER": "SENTINEL2_FOLDER", **PERIOD}, {}, {"OUTPUT": ("SENTINEL2", "Sentinel-2 series")}),
    "preparesentinel1": (
        {"FOLDER": "SENTINEL1_FOLDER", "UNITS": "UNITS", **PERIOD},
        {"REFERENCE": ("preparesentinel2", "OUTPUT")},
        {"OUTPUT": ("SENTINEL1", "Sentinel-1 series")},
    ),
    "trainmodel": (
        {name: name for name in ("POLYGONS", "CLASS_FIELD", "SPARSE_CLASSES", "SIZE", "EPOCHS")},
        {"SENTINEL1": ("preparesentinel1", "OUTPUT"), "SENTINEL2": ("preparesentinel2", "OUTPUT")},
        {"MODEL": ("MODEL", "Model"), "REPORT": ("REPORT", "Report")},
    ),
    "mapcover": (
        {},
        {
            "MODEL": ("trainmodel", "MODEL"),
            "SENTINEL1": ("preparesentinel1", "OUTPUT"),
            "SENTINEL2": ("preparesentinel2", "OUTPUT"),
        },
        {"OUTPUT": ("MAP", "Land cover map")},
    ),
}

DESCRIPTION = (
    "From two folders and labelled polygons to a land cover map, with the defaults of the algorithms: prepares both "
    "series, trains a model, assesses it and maps. Start and end hold for both series; without them, each spans its "
    "own products. Without a GPU, choose the size compact or small."
)


def build() -> QgsProcessingModelAlgorithm:
    """Returns the model; the provider must be registered."""
    model = QgsProcessingModelAlgorithm("landcover", "Land cover")
    help_texts = {"ALG_DESC": DESCRIPTION, "ALG_CREATOR": "TWINNS for QGIS developers"}
    for row, (name, (algorithm, parameter, label)) in enumerate(INPUTS.items()):
        definition = child_definition(algorithm, parameter).clone()
        help_texts[name] = definition.help()
        definition.setName(name)
        definition.setMetadata({})  # it names a class of the plugin by the folder that the plugin is installed in
        definition.setDescription(label or definition.description())
        if name in REQUIRED:
            definition.setFlags(definition.flags() & ~definition.Flag.FlagOptional)
        component = QgsProcessingModelParameter(name)
        component.setPosition(QPointF(150, 100 + 75 * row))
        model.addModelParameter(definition, component)
    for column, (algorithm, (inputs, links, outputs)) in enumerate(CHILDREN.items()):
        model.addChildAlgorithm(child(algorithm, inputs, links, outputs, QPointF(450 + 250 * column, 200)))
    model.setHelpContent(help_texts)
    model.setParameterOrder(list(INPUTS))
    return model


def child(
    algorithm: str,
    inputs: dict[str, str],
    links: dict[str, tuple[str, str]],
    outputs: dict[str, tuple[str, str]],
    position: QPointF,
) -> QgsProcessingModelChildAlgorithm:
    """Returns one step of the model, its name that of its algorithm."""
    step = QgsProcessingModelChildAlgorithm(f"twinns:{algorithm}")
    step.setChildId(algorithm)
    step.setDescription(step.algorithm().displayName())
    step.setPosition(position)
    given = {name: Source.fromModelParameter(parameter) for name, parameter in inputs.items()}
    given.update({name: Source.fromChildOutput(*link) for name, link in links.items()})
    for name, source in given.items():
        step.addParameterSources(name, [source])
    step.setModelOutputs(
        {name: model_output(algorithm, of_child, name, label, position) for of_child, (name, label) in outputs.items()}
    )
    return step


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
    path = ROOT / "models" / "landcover.model3"
    if not build().toFile(str(path)):
        sys.exit(f"{path} can't be written.")
    application.exitQgis()


if __name__ == "__main__":
    main()
