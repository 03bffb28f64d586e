"""QGIS shows a map with the classes' names and colours, without being told to."""

import os
import subprocess
from pathlib import Path

import pytest
from qgis.core import QgsMapRendererParallelJob, QgsMapSettings, QgsRasterLayer
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

ROOT = Path(__file__).resolve().parents[2]
CLASSES = [(2, 'maïs & "soja" <x>', "#4477aa"), (5, "水", "#ddaa33"), (9, "wood", "#228833")]
SIDE = 30  # pixels of each of the map's stripes: no data, then the classes

WRITE = f"""
import numpy, sys
from pathlib import Path
from rasterio.crs import CRS
from rasterio.transform import from_origin
from rasterio.windows import Window
from twinns_qgis.mapping.layouts import COVER, PROBABILITIES, SENSOR_CLASSES, UNCERTAINTY
from twinns_qgis.mapping.layouts import cover_layout, percent_layout, sensor_classes_layout
from twinns_qgis.mapping.outputs import map_raster
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.rasters.grid import Grid
classes = [LandCoverClass(*values) for values in {CLASSES!r}]
codes = numpy.repeat(numpy.uint8([0] + [item.code for item in classes]), {SIDE})[None].repeat({SIDE}, axis=0)
grid = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), codes.shape[1], codes.shape[0])
window = Window(0, 0, grid.width, grid.height)
folder = Path(sys.argv[1])
with map_raster(COVER, folder / "map.tif", cover_layout(grid, classes, {{}}), classes) as writer:
    writer.write(codes, window)
layout = percent_layout(grid, ["a", "b", "c"], {{}})
with map_raster(PROBABILITIES, folder / "percent.tif", layout, classes) as writer:
    writer.write(numpy.stack([numpy.where(codes == 0, 255, 10 * codes)] * 3).astype("uint8"), window)
layout = percent_layout(grid, ["entropy", "margin"], {{}})
with map_raster(UNCERTAINTY, folder / "uncertainty.tif", layout, classes) as writer:
    writer.write(numpy.stack([numpy.where(codes == 0, 255, 10 * codes)] * 2).astype("uint8"), window)
with map_raster(SENSOR_CLASSES, folder / "sensors.tif", sensor_classes_layout(grid, classes, {{}}), classes) as writer:
    other = numpy.where(codes == 5, 9, codes)
    writer.write(numpy.stack([codes, other, numpy.where(codes == 0, 0, 1 + (codes != other))]).astype("uint8"), window)
"""


@pytest.fixture(scope="module")
def rasters(compute_python, tmp_path_factory):
    """A folder with a map and a raster of percentages, written in the compute environment."""
    folder = tmp_path_factory.mktemp("rasters")
    # The compute environment brings its own GDAL and PROJ, and must not see where QGIS has its.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PROJ_", "GDAL_", "PYTHON"))}
    command = [compute_python, "-c", WRITE, folder]
    subprocess.run(command, env={**environment, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}, check=True)
    return folder


def drawn(layer):
    """Draws a layer, a pixel of it to a pixel of the picture."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(layer.width(), layer.height()))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage()


def test_a_map_opens_with_its_classes_as_legend(qgis_app, rasters):
    layer = QgsRasterLayer(str(rasters / "map.tif"), "map")
    assert layer.renderer().type() == "paletted"
    legend = [(item.value, item.label, item.color.name()) for item in layer.renderer().classes()]
    assert legend == CLASSES


def test_a_map_is_drawn_in_the_colors_of_its_classes_and_no_data_is_clear(qgis_app, rasters):
    image = drawn(QgsRasterLayer(str(rasters / "map.tif"), "map"))
    colors = [image.pixelColor(SIDE * stripe + SIDE // 2, SIDE // 2).name() for stripe in range(4)]
    assert colors == ["#ffffff"] + [color for _, _, color in CLASSES]


def test_percentages_open_as_one_ramp_from_0_to_100(qgis_app, rasters):
    layer = QgsRasterLayer(str(rasters / "percent.tif"), "percent")
    renderer = layer.renderer()
    assert renderer.type() == "singlebandpseudocolor"
    assert (renderer.classificationMin(), renderer.classificationMax()) == (0, 100)
    labels = [item.label for item in renderer.shader().rasterShaderFunction().colorRampItemList()]
    assert labels == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    image = drawn(layer)
    # The stripes are no data, 20, 50 and 90 %: ever darker.
    lightness = [image.pixelColor(SIDE * stripe + SIDE // 2, SIDE // 2).lightness() for stripe in range(4)]
    assert lightness == sorted(lightness, reverse=True)
    assert len(set(lightness)) == 4


def test_doubt_opens_by_its_entropy_in_colors_of_its_own(qgis_app, rasters):
    uncertainty, percent = (QgsRasterLayer(str(rasters / f"{name}.tif"), name) for name in ("uncertainty", "percent"))
    assert uncertainty.renderer().usesBands() == [1]
    middles = [drawn(layer).pixelColor(3 * SIDE + SIDE // 2, SIDE // 2) for layer in (uncertainty, percent)]
    assert middles[0].red() > middles[0].blue(), "90 % of doubt is red"
    assert middles[1].red() < middles[1].blue(), "90 % of confidence is blue"


def test_the_classes_of_the_sensors_open_with_where_they_disagree(qgis_app, rasters):
    layer = QgsRasterLayer(str(rasters / "sensors.tif"), "sensors")
    assert (layer.renderer().type(), layer.renderer().usesBands()) == ("paletted", [3])
    assert [item.label for item in layer.renderer().classes()] == ["the sensors agree", "they disagree"]
    image = drawn(layer)
    colors = [image.pixelColor(SIDE * stripe + SIDE // 2, SIDE // 2).name() for stripe in range(4)]
    assert colors == ["#ffffff", "#d9dee3", "#cc3311", "#d9dee3"]
