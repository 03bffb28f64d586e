"""The layer of a designed sample, as QGIS opens it."""

import pytest
from qgis.core import QgsVectorLayer


@pytest.fixture
def sample(tmp_path, compute_python):
    """A sample of a map of two classes, made by the core."""
    import subprocess

    code = """
import sys
import numpy as np
from pathlib import Path
from rasterio.crs import CRS
from rasterio.transform import from_origin
from twinns_qgis.assessment.sample import Drawn
from twinns_qgis.assessment.sample_layer import write_sample
from twinns_qgis.rasters.grid import Grid
grid = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 20, 20)
write_sample(Path(sys.argv[1]), Drawn(np.arange(5), np.arange(5)), grid, ["water", "<wheat> & \\"rye\\""])
"""
    path = tmp_path / "sample.gpkg"
    subprocess.run([compute_python, "-c", code, str(path)], check=True)
    return path


def test_its_form_offers_the_classes_of_the_map(sample):
    layer = QgsVectorLayer(f"{sample}|layername=sample", "sample", "ogr")
    assert layer.isValid()
    assert layer.loadDefaultStyle()[1]
    field = layer.fields().lookupField("class")
    setup = layer.editorWidgetSetup(field)
    assert setup.type() == "ValueMap"
    assert setup.config()["map"] == [{"water": "water"}, {'<wheat> & "rye"': '<wheat> & "rye"'}]
    assert layer.editFormConfig().readOnly(layer.fields().lookupField("id"))
    assert layer.startEditing()
    assert layer.changeAttributeValue(next(layer.getFeatures()).id(), field, "water")
    assert layer.commitChanges()
    assert sum(feature["class"] == "water" for feature in layer.getFeatures()) == 1
