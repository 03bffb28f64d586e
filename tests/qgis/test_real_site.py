"""The graphical model on a real site: 64 x 64 pixels in Flanders, from folders to a map in ``qgis_process``."""

import csv
from pathlib import Path

import pytest
from qgis.core import QgsProcessingException, QgsProject, QgsRasterLayer

FLANDERS = Path(__file__).resolve().parents[2] / "../shared/data/flanders2018"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FLANDERS.is_dir(), reason="the site flanders2018 is not there: ../shared/data/flanders2018"),
]


@pytest.fixture
def settings(tmp_path):
    folder = str(FLANDERS.resolve())
    return {
        "SENTINEL2_FOLDER": folder,
        "SENTINEL1_FOLDER": folder,
        "POLYGONS": f"{folder}/fields.gpkg",
        "CLASS_FIELD": "name",
        "START": "2018-03-01",
        "END": "2018-10-31",
        "STEP": 15,
        "SIZE": "small",
        "EPOCHS": 2,
        "mapcover:MAP": str(tmp_path / "map.tif"),
        "preparesentinel1:SENTINEL1": str(tmp_path / "s1.tif"),
        "preparesentinel2:SENTINEL2": str(tmp_path / "s2.tif"),
        "trainmodel:MODEL": str(tmp_path / "model.twinns"),
        "trainmodel:REPORT": str(tmp_path / "report.html"),
    }


def test_model_maps_a_real_site_with_the_names_of_its_classes(run, settings, compute_python, monkeypatch, tmp_path):
    monkeypatch.setenv("TWINNS_PYTHON", str(compute_python))
    run("landcover", {**settings, "SPARSE_CLASSES": "drop"})
    layer = QgsRasterLayer(str(tmp_path / "map.tif"), "map")
    assert layer.isValid()
    assert (layer.width(), layer.height()) == (64, 64)
    assert layer.crs().authid() == "EPSG:32631"
    bounds = layer.extent()
    assert (bounds.xMinimum(), bounds.yMinimum()) == (501360, 5629040)
    assert (bounds.xMaximum(), bounds.yMaximum()) == (502000, 5629680)
    names = {item.label for item in layer.renderer().classes()}
    with (FLANDERS / "legend.csv").open(encoding="utf-8") as file:
        crops = {cell for row in csv.reader(file) for cell in row}
    assert {"Maize", "Permanent grass crops"} <= names
    assert names <= crops | {"LC60", "LC99"}
    assert not names & {"Potatoes", "Cabages"}, "classes of one polygon are left out"
    series = QgsRasterLayer(str(tmp_path / "s2.tif"), "s2")
    assert series.bandCount() == 17 * 10
    assert "2018-03-01 B2" in series.bandName(1)
    assert "Maize" in (tmp_path / "report.html").read_text(encoding="utf-8")
    QgsProject.instance().clear()


def test_classes_of_one_polygon_are_refused_unless_dropped(run, settings, compute_python, feedback, monkeypatch):
    monkeypatch.setenv("TWINNS_PYTHON", str(compute_python))
    with pytest.raises(QgsProcessingException, match="Train model"):
        run("landcover", {**settings, "SPARSE_CLASSES": "error"})
    # A model's own exception names the step; what happened there is in the log.
    (error,) = [text for kind, text in feedback.said if kind == "error"]
    assert "Cabages: 1 object;" in error
    assert "Potatoes: 1 object" in error
    assert "SPARSE_CLASSES=drop" in error
