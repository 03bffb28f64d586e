"""The part of pictures.py that runs within QGIS."""

from __future__ import annotations

import hashlib
import os
import traceback
from pathlib import Path
from typing import Any

from processing.core.Processing import Processing
from processing.gui.AlgorithmDialog import AlgorithmDialog
from qgis.core import (
    QgsApplication,
    QgsInterval,
    QgsMapLayer,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsTemporalNavigationObject,
    QgsTemporalUtils,
    QgsUnitTypes,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QEventLoop, Qt, QTimer, QUrl
from qgis.PyQt.QtWebKitWidgets import QWebView
from qgis.PyQt.QtWidgets import QDockWidget, QMainWindow, QWidget
from qgis.utils import iface, loadPlugin, startPlugin, updateAvailablePlugins

FOLDER = Path(os.environ["TWINNS_FOLDER"])
PICTURES = Path(os.environ["TWINNS_PICTURES"])
SITE, RESULTS = FOLDER / "site", FOLDER / "results"
DIALOG, WINDOW, REPORT = (980, 760), (1400, 880), (1100, 1000)
LAYERS, TOOLBOX, CONTROLLER, RESULTS_VIEWER = "Layers", "ProcessingToolbox", "Temporal Controller", "ResultsViewer"
"""The panels that are shown."""
DIALOGS = ("setupcompute", "preparesentinel2", "preparesentinel1", "trainmodel", "mapcover")
"""Those in the manual."""


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
    window.showNormal()
    window.resize(*WINDOW)
    arrange(LAYERS, TOOLBOX)
    polygons = QgsVectorLayer(str(SITE / "polygons.gpkg"), "polygons", "ogr")
    QgsProject.instance().addMapLayer(polygons)
    QgsProject.instance().setCrs(polygons.crs())
    set_visible("polygons", False)

    output, report = into_project("Sentinel-2 series.tif"), str(RESULTS / "dates.html")
    run("preparesentinel2", FOLDER=str(SITE / "sentinel2"), OUTPUT=output, REPORT=report)
    arrange(LAYERS, TOOLBOX)
    picture("series", window)
    set_visible("Sentinel-2 series", False)
    output, reference = into_project("Sentinel-1 series.tif"), layer("Sentinel-2 series")
    run("preparesentinel1", FOLDER=str(SITE / "sentinel1"), REFERENCE=reference, OUTPUT=output)
    picture("radar", window)
    for name in ("Sentinel-1 series", "Sentinel-2 series"):
        set_visible(name, True)
        play_year(window, name)
    arrange(LAYERS, TOOLBOX)

    given = {
        "SENTINEL1": layer("Sentinel-1 series"),
        "SENTINEL2": layer("Sentinel-2 series"),
        "REFERENCE": layer("Sentinel-2 series"),
        "POLYGONS": polygons,
        "CLASS_FIELD": "class",
    }
    model, report = str(RESULTS / "forest.twinns"), str(RESULTS / "report.html")
    run("trainmodel", **given, METHOD="RF", TREES="100", DEPTHS="20", MODEL=model, REPORT=report)
    arrange(LAYERS, RESULTS_VIEWER)
    picture("results", window)
    page = QWebView()
    page.resize(*REPORT)
    page.page().mainFrame().setScrollBarPolicy(Qt.Orientation.Vertical, Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    page.load(QUrl.fromLocalFile(report))
    page.show()
    picture("report", page)
    page.close()
    arrange(LAYERS, TOOLBOX)
    cover, confidence = into_project("Land cover map.tif"), into_project("Confidence.tif")
    run("mapcover", **given, MODEL=model, OUTPUT=cover, CONFIDENCE=confidence)
    picture("window", window)
    for name in DIALOGS:
        dialog = dialog_of(name, given)
        picture(f"dialog_{name}", dialog)
        dialog.close()


def run(algorithm: str, **parameters: Any) -> None:
    """Runs an algorithm from its dialog, as a user does."""
    dialog = dialog_of(algorithm, parameters)
    dialog.runButton().click()
    while not dialog.wasExecuted():
        pause(200)
    print(algorithm, flush=True)
    dialog.close()


def into_project(name: str) -> QgsProcessingOutputLayerDefinition:
    return QgsProcessingOutputLayerDefinition(str(RESULTS / name), QgsProject.instance())


def play_year(window: QMainWindow, name: str) -> None:
    """Takes a picture while the temporal controller plays the year of a series, whose frames must differ."""
    arrange(LAYERS, CONTROLLER)
    controller = iface.mapCanvas().temporalController()
    controller.setNavigationMode(QgsTemporalNavigationObject.NavigationMode.Animated)
    controller.setTemporalExtents(QgsTemporalUtils.calculateTemporalRangeForProject(QgsProject.instance()))
    controller.setFrameDuration(QgsInterval(1, QgsUnitTypes.TemporalUnit.TemporalMonths))
    frames = {}
    for number in (1, 4):
        controller.setCurrentFrameNumber(number)
        frames[number] = picture(f"year {name} {number}", iface.mapCanvas(), RESULTS)
    if len(set(frames.values())) == 1:
        raise RuntimeError(f"{name} looks the same throughout the year")
    if name == "Sentinel-2 series":
        picture("year", window)
    controller.setNavigationMode(QgsTemporalNavigationObject.NavigationMode.NavigationOff)


def layer(name: str) -> QgsMapLayer:
    (found,) = QgsProject.instance().mapLayersByName(name)
    return found


def dialog_of(name: str, given: dict[str, Any]) -> AlgorithmDialog:
    """Opens a dialog, filled in as far as it takes what is given."""
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"twinns:{name}")
    dialog = AlgorithmDialog(algorithm, False, iface.mainWindow())
    names = {definition.name() for definition in algorithm.parameterDefinitions()}
    dialog.setParameters({name: value for name, value in given.items() if name in names})
    dialog.resize(*DIALOG)
    dialog.show()
    return dialog


def set_visible(name: str, visible: bool) -> None:
    QgsProject.instance().layerTreeRoot().findLayer(layer(name).id()).setItemVisibilityChecked(visible)


def arrange(*panels: str) -> None:
    """Leaves these panels and the map in the window."""
    window = iface.mainWindow()
    for dock in window.findChildren(QDockWidget):
        dock.setVisible(dock.objectName() in panels)
        if dock.objectName() in (TOOLBOX, RESULTS_VIEWER):
            window.resizeDocks([dock], [380], Qt.Orientation.Horizontal)
        if dock.objectName() == CONTROLLER:
            window.resizeDocks([dock], [100], Qt.Orientation.Vertical)
        if dock.objectName() == TOOLBOX:
            dock.searchBox.setText("TWINNS")
    iface.messageBar().clearWidgets()


def picture(name: str, widget: QWidget, folder: Path = PICTURES) -> str:
    """Waits until all is drawn, and saves what a widget shows; returns a hash of it."""
    pause(300)  # until the window has its layout
    canvas = iface.mapCanvas()
    layers = [one for one in QgsProject.instance().mapLayers().values() if isinstance(one, QgsRasterLayer)]
    if layers:
        canvas.setExtent(layers[0].extent().scaled(1.05))
    canvas.refresh()
    canvas.waitWhileRendering()
    pause(1500)
    iface.messageBar().clearWidgets()
    pause(300)
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.png"
    if not widget.grab().save(str(file)):
        raise OSError(f"{file} was not saved")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def pause(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


QTimer.singleShot(3000, main)
