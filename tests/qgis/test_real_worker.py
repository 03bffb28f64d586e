"""The real worker in the midst of its work: cancelled by the user, killed by the system."""

import os
import shutil
import time
from pathlib import Path

import pytest
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsRasterRange,
    QgsVectorLayer,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(plugin, compute_python, tmp_path_factory):
    """A small site with both series and a model."""
    folder = tmp_path_factory.mktemp("real")
    site, before = folder / "site", os.environ.get("TWINNS_PYTHON")
    os.environ["TWINNS_PYTHON"] = str(compute_python)

    def run(name, **parameters):
        algorithm = QgsApplication.processingRegistry().algorithmById(f"twinns:{name}").create()
        parameters = {key: value if isinstance(value, int) else str(value) for key, value in parameters.items()}
        algorithm.run(parameters, QgsProcessingContext(), QgsProcessingFeedback(), {}, False)

    run("createdemosite", FOLDER=site, SIZE=64)
    run("preparesentinel2", FOLDER=site / "sentinel2", OUTPUT=folder / "s2.tif")
    run("preparesentinel1", FOLDER=site / "sentinel1", REFERENCE=folder / "s2.tif", OUTPUT=folder / "s1.tif")
    run("trainmodel", **training(folder), EPOCHS=1, MODEL=folder / "model.twinns")
    yield folder
    os.environ.pop("TWINNS_PYTHON")
    if before is not None:
        os.environ["TWINNS_PYTHON"] = before


def training(folder):
    series = {"SENTINEL1": str(folder / "s1.tif"), "SENTINEL2": str(folder / "s2.tif")}
    polygons = {"POLYGONS": str(folder / "site/polygons.gpkg"), "CLASS_FIELD": "class", "SPARSE_CLASSES": "drop"}
    return {**series, **polygons, "SIZE": "small"}


def mapping(folder):
    series = {"SENTINEL1": str(folder / "s1.tif"), "SENTINEL2": str(folder / "s2.tif")}
    return {**series, "MODEL": str(folder / "model.twinns")}


def when(feedback, beginning, action):
    """Acts once the worker says something that begins so."""

    def hear(text):
        feedback.said.append(("info", text))
        if text.startswith(beginning):
            action()

    feedback.pushInfo = hear


@pytest.fixture
def workers(running):
    """Finds the workers that this process has started: others may be at work on the same machine."""

    def find():
        parents = {
            process: Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            for process in running("\0-m\0twinns_qgis\0worker")
        }
        return [process for process, parent in parents.items() if parent == str(os.getpid())]

    return find


def kill(workers):
    (process,) = workers()
    os.kill(process, 9)


def test_training_is_cancelled_within_two_seconds_and_keeps_its_best_epoch(run, site, feedback, workers, tmp_path):
    cancelled = []
    when(feedback, "Epoch 1", lambda: (cancelled.append(time.monotonic()), feedback.cancel()))
    model = tmp_path / "cancelled.twinns"
    with pytest.raises(QgsProcessingException, match="Cancelled"):
        run("trainmodel", {**training(site), "EPOCHS": 500, "MODEL": str(model)})
    assert time.monotonic() - cancelled[0] < 2
    assert not workers()
    assert model.exists()


def test_qgis_outlives_a_worker_killed_in_training(run, site, feedback, workers, tmp_path):
    killed = []

    def hear(percent):
        if percent > 11 and not killed:  # the network has begun to learn
            killed.append(True)
            kill(workers)

    feedback.progressChanged.connect(hear)
    model = tmp_path / "killed.twinns"
    with pytest.raises(QgsProcessingException, match=r"killed \(signal 9\)"):
        run("trainmodel", {**training(site), "EPOCHS": 5, "MODEL": str(model)})
    assert not model.exists()


def test_qgis_outlives_a_worker_killed_in_mapping(run, site, feedback, workers, tmp_path):
    when(feedback, "Mapping", lambda: kill(workers))
    with pytest.raises(QgsProcessingException, match=r"killed \(signal 9\)"):
        run("mapcover", {**mapping(site), "OUTPUT": str(tmp_path / "map.tif")})
    assert not (tmp_path / "map.tif").exists()


@pytest.fixture
def odd_folder(tmp_path):
    """A folder of which files have a path of 250 characters, some of which other programs might take for their own."""
    folder = tmp_path / "Äcker #1 100 % & 'co' {x} [y]; $HOME a=b! `q?u\"o"
    while (lacking := 250 - len(str(folder / "model.twinns"))) > 1:
        folder /= "x" * min(lacking - 1, 60)
    folder.mkdir(parents=True)
    return folder


def test_a_model_and_a_map_come_from_the_real_worker_in_any_folder(run, site, odd_folder, project):
    """In a project of another CRS, from layers of which one has a CRS and edits that its file has not."""
    for name in ("s1.tif", "s2.tif", "site/polygons.gpkg"):
        shutil.copy(site / name, odd_folder)
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    polygons = QgsVectorLayer(str(odd_folder / "polygons.gpkg"), "fields", "ogr")
    series = QgsRasterLayer(str(odd_folder / "s2.tif"), "s2")
    set_value = QgsRasterRange(-32000, -32000)
    for band in range(1, series.bandCount() + 1):
        series.dataProvider().setUserNoDataValue(band, [set_value])
    project.addMapLayers([polygons, series])
    polygons.startEditing()
    polygons.deleteFeature(next(polygons.getFeatures()).id())
    places = {"MODEL": "model.twinns", "REPORT": "report.html", "SPLIT": "split.gpkg", "OUTPUT": "map.tif"}
    model, report, split, output = ({name: str(odd_folder / place)} for name, place in places.items())
    sources = {"SENTINEL1": str(odd_folder / "s1.tif"), "SENTINEL2": series.id(), **model}
    learning = {"POLYGONS": polygons.id(), "CLASS_FIELD": "class", "SPARSE_CLASSES": "drop", "METHOD": "RF"}
    run("trainmodel", {**sources, **learning, "TREES": "10", "DEPTHS": "20", **report, **split})
    assert run("mapcover", {**sources, "MASK": polygons.id(), **output}) == output
    assert QgsVectorLayer(split["SPLIT"], "split", "ogr").featureCount() == polygons.featureCount()
    polygons.rollBack()
    assert QgsRasterLayer(output["OUTPUT"], "map").renderer().type() == "paletted"
    assert (odd_folder / "report.html").exists()
