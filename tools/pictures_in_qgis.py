"""The part of pictures.py that runs within QGIS."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any

import processing
from processing.core.Processing import Processing
from processing.gui.AlgorithmDialog import AlgorithmDialog
from qgis.core import (
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QEventLoop, QTimer
from qgis.PyQt.QtWidgets import QDockWidget, QMainWindow, QWidget
from qgis.utils import iface, loadPlugin, startPlugin, updateAvailablePlugins

FOLDER = Path(os.environ["TWINNS_FOLDER"])
PICTURES = Path(os.environ["TWINNS_PICTURES"])
SITE, RESULTS = FOLDER / "site", FOLDER / "results"
DIALOG, WINDOW = (980, 760), (1400, 880)
SHOWN = {"Layers", "ProcessingToolbox"}
"""The panels that stay."""


def main() -> None:
    """Takes all pictures, and ends QGIS."""
    try:
        take()
        print("All pictures are taken", flush=True)
    except Exception:
        traceback.print_exc()
    QgsProject.instance().setDirty(False)
    os._exit(0)  # without QGIS's questions


def take() -> None:
    window = iface.mainWindow()
    updateAvailablePlugins()
    loadPlugin("twinns")
    startPlugin("twinns")
    Processing.initialize()
    arrange(window)
    polygons = QgsVectorLayer(str(SITE / "polygons.gpkg"), "polygons", "ogr")
    QgsProject.instance().addMapLayer(polygons)
    QgsProject.instance().setCrs(polygons.crs())

    series = {"SENTINEL1": str(RESULTS / "Sentinel-1 series.tif"), "SENTINEL2": str(RESULTS / "Sentinel-2 series.tif")}
    run("preparesentinel2", FOLDER=str(SITE / "sentinel2"), OUTPUT=series["SENTINEL2"], REPORT=str(RESULTS / "s2.html"))
    run("preparesentinel1", FOLDER=str(SITE / "sentinel1"), REFERENCE=series["SENTINEL2"], OUTPUT=series["SENTINEL1"])
    set_visible("Sentinel-1 series", False)
    picture("series", window)
    set_visible("Sentinel-1 series", True)
    model = str(RESULTS / "forest.twinns")
    polygons_and_class = {"POLYGONS": polygons, "CLASS_FIELD": "class"}
    run("trainmodel", **series, **polygons_and_class, METHOD="RF", MODEL=model, REPORT=str(RESULTS / "report.html"))
    confidence = str(RESULTS / "Confidence.tif")
    run("mapcover", **series, MODEL=model, OUTPUT=str(RESULTS / "Land cover map.tif"), CONFIDENCE=confidence)
    set_visible("polygons", False)
    picture("window", window)

    layers = {layer.name(): layer for layer in QgsProject.instance().mapLayers().values()}
    given = {
        "SENTINEL1": layers["Sentinel-1 series"],
        "SENTINEL2": layers["Sentinel-2 series"],
        "REFERENCE": layers["Sentinel-2 series"],
        **polygons_and_class,
    }
    for algorithm in QgsApplication.processingRegistry().providerById("twinns").algorithms():
        show_dialog(algorithm.name(), given)


def run(algorithm: str, **parameters: Any) -> None:
    """Runs an algorithm as its dialog does, its rasters into the project."""
    into = {
        name: QgsProcessingOutputLayerDefinition(value, QgsProject.instance())
        for name, value in parameters.items()
        if name in ("OUTPUT", "CONFIDENCE")
    }
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    context.setProject(QgsProject.instance())
    context.setFeedback(feedback)
    processing.runAndLoadResults(f"twinns:{algorithm}", {**parameters, **into}, context=context, feedback=feedback)
    print(feedback.textLog(), flush=True)


def show_dialog(name: str, given: dict[str, Any]) -> None:
    """Opens a dialog with the layers of the project; files are left empty, as their places are of one machine."""
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"twinns:{name}")
    dialog = AlgorithmDialog(algorithm, False, iface.mainWindow())
    names = {definition.name() for definition in algorithm.parameterDefinitions()}
    dialog.setParameters({name: value for name, value in given.items() if name in names})
    dialog.resize(*DIALOG)
    dialog.show()
    picture(f"dialog_{name}", dialog)
    dialog.close()


def set_visible(name: str, visible: bool) -> None:
    (layer,) = QgsProject.instance().mapLayersByName(name)
    QgsProject.instance().layerTreeRoot().findLayer(layer.id()).setItemVisibilityChecked(visible)


def arrange(window: QMainWindow) -> None:
    """Leaves the layers, the toolbox and the map in the window."""
    window.showNormal()
    window.resize(*WINDOW)
    for dock in window.findChildren(QDockWidget):
        dock.setVisible(dock.objectName() in SHOWN)
        if dock.objectName() == "ProcessingToolbox":
            dock.searchBox.setText("TWINNS")
    iface.messageBar().clearWidgets()


def picture(name: str, widget: QWidget) -> None:
    """Waits until all is drawn, and saves what a widget shows."""
    canvas = iface.mapCanvas()
    layers = [one for one in QgsProject.instance().mapLayers().values() if isinstance(one, QgsRasterLayer)]
    if layers:
        canvas.setExtent(layers[0].extent())
    canvas.refresh()
    canvas.waitWhileRendering()
    pause(1500)
    iface.messageBar().clearWidgets()
    pause(300)
    PICTURES.mkdir(exist_ok=True)
    if not widget.grab().save(str(PICTURES / f"{name}.png")):
        raise OSError(f"{name}.png was not saved")


def pause(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


QTimer.singleShot(3000, main)
