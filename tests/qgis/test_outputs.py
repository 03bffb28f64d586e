"""What comes back: maps in their colours, reports, measures, and the whole graphical model."""

import json
from datetime import datetime

import pytest
from osgeo import gdal
from processing.gui import Postprocessing
from qgis.core import (
    Qgis,
    QgsPalettedRasterRenderer,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtGui import QColor

# Writes whatever outputs it is asked for, a Sentinel-1 series with its view, and notes the jobs.
WRITER = """
from osgeo import gdal, osr
import shutil, zipfile
with open(sys.argv[0] + ".jobs", "a") as notes:
    notes.write(json.dumps(request) + "\\n")
def raster(path):
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(32631)
    dataset = gdal.GetDriverByName("GTiff").Create(path, 4, 4, 1)
    dataset.SetProjection(crs.ExportToWkt())
    dataset.SetGeoTransform((500000, 10, 0, 5600040, 0, -10))
    dataset.GetRasterBand(1).Fill(2)
    dataset.GetRasterBand(1).SetDescription("2018-05-07 " + ("VV" if request["job"] == "preparesentinel1" else "B4"))
    if request["job"] == "preparesentinel1":
        bands = "".join(
            '<VRTRasterBand dataType="Byte"><Description>2018-05-07 %s</Description><SimpleSource>'
            '<SourceFilename relativeToVRT="1">%s</SourceFilename></SimpleSource></VRTRasterBand>'
            % (name, os.path.basename(path)) for name in ("VV", "VV-VH"))
        with open(path + ".vrt", "w") as view:
            view.write('<VRTDataset rasterXSize="4" rasterYSize="4">%s</VRTDataset>' % bands)
def model(path):
    sensors = {"sentinel1": ["VV"], "sentinel2": ["B4"]}
    with zipfile.ZipFile(path, "w") as archive:
        told = [{"name": name, "dates": ["2018-05-07"], "bands": bands} for name, bands in sensors.items()]
        archive.writestr("manifest.json", json.dumps({"sensors": told}))
found = {}
for name in ("output", "confidence", "uncertainty", "sensor_classes", "model", "report"):
    path = request["parameters"].get(name)
    if path and not (name == "model" and request["job"] == "mapcover"):
        if os.path.exists(path):  # as if it were open, and could not be replaced
            path = path.replace(".tif", " (1).tif")
        raster(path) if path.endswith(".tif") else model(path) if name == "model" else open(path, "w").close()
        found[name] = path
if request["job"] == "mapcover":
    shutil.copy(STYLE, os.path.splitext(found["output"])[0] + ".qml")
if request["job"] == "trainmodel":
    found.update(accuracy=0.9, f_measure=0.8, kappa=0.7)
finish(**found)
"""


@pytest.fixture
def trained(make_series, make_model):
    """A model and its series."""
    return {"MODEL": make_model(sentinel2=["B4"]), "SENTINEL2": make_series("s.tif")}


@pytest.fixture
def polygons(tmp_path):
    path = tmp_path / "fields.geojson"
    square = {"type": "Polygon", "coordinates": [[[3, 50], [3.1, 50], [3.1, 50.1], [3, 50]]]}
    feature = {"type": "Feature", "geometry": square, "properties": {"class": "wheat"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return str(path)


@pytest.fixture
def writer(worker, make_series, tmp_path):
    """Chooses a worker that writes empty outputs, and maps with a style; returns its notes."""
    layer = QgsRasterLayer(make_series("s.tif"), "s")
    classes = [QgsPalettedRasterRenderer.Class(2, QColor("#4477aa"), "wheat")]
    layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, classes))
    layer.saveNamedStyle(str(tmp_path / "style.qml"))
    path = worker(WRITER.replace("STYLE", repr(str(tmp_path / "style.qml"))))
    return path.with_name(path.name + ".jobs")


@pytest.fixture
def loaded(provider, context, monkeypatch):
    """Loads the results of a run as the toolbox does; returns the project's layers by name."""
    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)

    def load(algorithm, parameters):
        assert Postprocessing.handleAlgorithmResults(provider.algorithm(algorithm), context, parameters=parameters)
        return {layer.name(): layer for layer in QgsProject.instance().mapLayers().values()}

    yield load
    bridge = QgsProject.instance().layerTreeRegistryBridge()
    # A group that new layers come into goes with the project, and must not be left as the place for later ones.
    bridge.setLayerInsertionPoint(bridge.InsertionPoint(QgsProject.instance().layerTreeRoot(), 0))
    QgsProject.instance().clear()


def legend(layer):
    return [(item.label, item.color.name()) for item in layer.renderer().classes()]


def into_project(path):
    return QgsProcessingOutputLayerDefinition(str(path), QgsProject.instance())


def test_a_map_is_loaded_with_its_name_and_its_legend(run, writer, loaded, trained, tmp_path):
    parameters = {
        **trained,
        "OUTPUT": into_project(tmp_path / "map.tif"),
        "CONFIDENCE": into_project(tmp_path / "confidence.tif"),
    }
    run("mapcover", parameters)
    layers = loaded("mapcover", parameters)
    assert layers.keys() == {"Land cover map", "Confidence (%)"}
    assert legend(layers["Land cover map"]) == [("wheat", "#4477aa")]


@pytest.mark.parametrize("is_current", [False, True])
def test_results_lie_in_one_group_with_the_map_on_top(run, writer, loaded, trained, tmp_path, is_current):
    folder, rasters = {"FOLDER": str(tmp_path)}, ("OUTPUT", "CONFIDENCE", "UNCERTAINTY", "SENSOR_CLASSES")
    calls = [
        ("mapcover", {**trained, **{name: name.lower() for name in rasters}}),
        ("preparesentinel2", {**folder, "OUTPUT": "s2"}),
        ("preparesentinel1", {**folder, "REFERENCE": trained["SENTINEL2"], "OUTPUT": "s1"}),
    ]
    for algorithm, parameters in calls:
        for name in parameters.keys() & set(rasters):
            parameters[name] = into_project(tmp_path / f"{parameters[name]}.tif")
        run(algorithm, parameters)
    root, bridge = QgsProject.instance().layerTreeRoot(), QgsProject.instance().layerTreeRegistryBridge()
    if is_current:  # then new layers come into it
        bridge.setLayerInsertionPoint(bridge.InsertionPoint(root.insertGroup(0, "TWINNS"), 0))
    loaded("mapcover", calls[0][1])
    (group,) = root.children()
    assert group.name() == "TWINNS"
    names = [node.name() for node in group.findLayers()]
    assert names == [
        "Land cover map", "Confidence (%)", "Uncertainty (%)", "Class by each sensor",
        "Sentinel-2 series", "Sentinel-1 series",
    ]  # fmt: skip
    if Qgis.QGIS_VERSION_INT < 33200:  # later ones do it themselves
        assert [node.isExpanded() for node in group.findLayers()] == [True, False, False, False, False, False]


def test_a_map_tells_its_model_its_date_and_its_call(run, writer, loaded, trained, tmp_path):
    parameters = {**trained, "OUTPUT": into_project(tmp_path / "map.tif")}
    run("mapcover", parameters)
    metadata = loaded("mapcover", parameters)["Land cover map"].metadata()
    assert str(tmp_path / "a.twinns") in metadata.abstract()
    assert f"{datetime.now().astimezone():%Y-%m-%d}" in metadata.abstract()
    assert metadata.history()[0].startswith('processing.run("twinns:mapcover"')


@pytest.mark.skipif(Qgis.QGIS_VERSION_INT < 33800, reason="QGIS knows dates of bands from 3.38 on")
def test_the_temporal_controller_finds_the_date_of_each_band(run, worker, loaded, tmp_path):
    bands = [f"{day} {band}" for day in ("2018-03-01", "2018-03-11", "2018-04-01") for band in ("B3", "B4")]
    path = tmp_path / "s2.tif"
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), 4, 4, len(bands))
    for number, name in enumerate(bands, start=1):
        dataset.GetRasterBand(number).SetDescription(name)
    dataset = None
    worker("finish(output=request['parameters']['output'])")
    parameters = {"FOLDER": str(tmp_path), "OUTPUT": into_project(path)}
    run("preparesentinel2", parameters)
    layer = loaded("preparesentinel2", parameters)["Sentinel-2 series"]
    properties = layer.temporalProperties()
    assert properties.isActive()
    ranges = [properties.fixedRangePerBand()[band] for band in (1, 3, 5)]
    days = [tuple(time.date().toString("MM-dd") for time in (one.begin(), one.end())) for one in ranges]
    assert days == [("03-01", "03-11"), ("03-11", "04-01"), ("04-01", "04-22")]
    assert properties.fixedRangePerBand()[2] == ranges[0]


@pytest.mark.parametrize("place", ["s1.tif", "TEMPORARY_OUTPUT"])
def test_a_sentinel1_series_opens_as_its_view(run, worker, loaded, canvas, make_view, tmp_path, place):
    view = make_view("made.tif")
    # The stand-in writes the series and its view, as a preparation does.
    worker(f"""
import shutil
path = request["parameters"]["output"]
shutil.copy({view[:-4]!r}, path)
open(path + ".vrt", "w").write(open({view!r}).read().replace("made.tif", os.path.basename(path)))
open(path + ".qml", "w").write('<qgis version="3.22.0"><pipe><rasterrenderer type="multibandcolor" band="1" '
    'opacity="1" alphaBand="-1" redBand="4" greenBand="5" blueBand="6"/></pipe></qgis>')
finish(output=path)
""")
    output = into_project(tmp_path / place if "." in place else place)
    parameters = {"FOLDER": str(tmp_path), "REFERENCE": view[:-4], "OUTPUT": output}
    results = run("preparesentinel1", parameters)
    (layer,) = loaded("preparesentinel1", parameters).values()
    assert (layer.name(), layer.source()) == ("Sentinel-1 series", results["OUTPUT"] + ".vrt")
    shown = [layer.bandName(band).partition(": ")[2] for band in layer.renderer().usesBands()]
    assert shown == ["2018-05-19 VV", "2018-05-19 VH", "2018-05-19 VV-VH"]
    assert layer.temporalProperties().isActive()


def test_a_file_of_the_users_beside_a_map_is_not_taken_for_its_view(run, writer, loaded, trained, tmp_path):
    (tmp_path / "map.tif.vrt").write_text("<VRTDataset/>")
    parameters = {**trained, "OUTPUT": into_project(tmp_path / "map.tif")}
    run("mapcover", parameters)
    assert loaded("mapcover", parameters)["Land cover map"].source() == str(tmp_path / "map.tif")


def test_a_report_opens_from_the_results_viewer(provider):
    for name in ("trainmodel", "preparesentinel2"):
        report = provider.algorithm(name).outputDefinition("REPORT")
        assert report.type() == "outputHtml"


def test_a_map_that_could_not_take_its_name_is_loaded_from_where_it_lies(run, writer, loaded, trained, tmp_path):
    (tmp_path / "map.tif").write_text("the map of before, which QGIS has open")
    parameters = {
        **trained,
        "OUTPUT": into_project(tmp_path / "map.tif"),
    }
    results = run("mapcover", parameters)
    assert results["OUTPUT"] == str(tmp_path / "map (1).tif")
    (layer,) = loaded("mapcover", parameters).values()
    assert layer.source() == results["OUTPUT"]
    assert legend(layer) == [("wheat", "#4477aa")]


def test_a_temporary_map_has_its_legend_too(run, writer, loaded, trained, tmp_path):
    parameters = {
        **trained,
        "OUTPUT": into_project("TEMPORARY_OUTPUT"),
    }
    run("mapcover", parameters)
    assert legend(loaded("mapcover", parameters)["Land cover map"]) == [("wheat", "#4477aa")]


def test_measures_come_back_as_numbers(run, writer, make_series, polygons):
    series = {"SENTINEL2": make_series(), "POLYGONS": polygons, "CLASS_FIELD": "class"}
    results = run("trainmodel", {**series, "MODEL": "TEMPORARY_OUTPUT", "REPORT": "TEMPORARY_OUTPUT"})
    assert (results["ACCURACY"], results["F_MEASURE"], results["KAPPA"]) == (0.9, 0.8, 0.7)
    assert results["MODEL"].endswith(".twinns")
    assert results["REPORT"].endswith(".html")


def test_a_map_is_refused_under_a_name_that_is_no_geotiff(provider, context, trained, tmp_path):
    parameters = {**trained, "OUTPUT": str(tmp_path / "map.png")}
    good, why_not = provider.algorithm("mapcover").checkParameterValues(parameters, context)
    assert not good
    assert "png" in why_not


def test_the_model_goes_from_folders_to_a_map(run, writer, loaded, polygons, tmp_path):
    parameters = {
        "SENTINEL2_FOLDER": str(tmp_path),
        "SENTINEL1_FOLDER": str(tmp_path),
        "UNITS": "power",
        "POLYGONS": polygons,
        "CLASS_FIELD": "class",
        "START": "2018-03-01",
        "STEP": 10,
        "SIZE": "small",
        "EPOCHS": 2,
        "preparesentinel2:SENTINEL2": str(tmp_path / "s2.tif"),
        "preparesentinel1:SENTINEL1": into_project(tmp_path / "s1.tif"),
        "trainmodel:MODEL": str(tmp_path / "a.twinns"),
        "trainmodel:REPORT": str(tmp_path / "a.html"),
        "mapcover:MAP": into_project(tmp_path / "map.tif"),
    }
    results = run("landcover", parameters)
    for name in ("s2.tif", "s1.tif", "a.twinns", "a.html", "map.tif"):
        assert str(tmp_path / name) in results.values()
    jobs = {request["job"]: request["parameters"] for request in map(json.loads, writer.read_text().splitlines())}
    assert list(jobs) == ["preparesentinel2", "preparesentinel1", "trainmodel", "mapcover"]
    for name in ("preparesentinel2", "preparesentinel1"):
        assert (jobs[name]["start"], jobs[name]["end"], jobs[name]["step"]) == ("2018-03-01", None, 10)
    assert jobs["preparesentinel1"]["reference"] == jobs["trainmodel"]["sentinel2"] == str(tmp_path / "s2.tif")
    assert (jobs["preparesentinel1"]["units"], jobs["trainmodel"]["size"]) == ("power", "small")
    assert jobs["mapcover"]["model"] == str(tmp_path / "a.twinns")
    layers = loaded("landcover", parameters)
    assert legend(layers["MAP"]) == [("wheat", "#4477aa")]
    assert layers["SENTINEL1"].source() == str(tmp_path / "s1.tif.vrt")
    assert jobs["mapcover"]["sentinel1"] == str(tmp_path / "s1.tif")


def test_the_model_of_forests_trains_one(run, writer, polygons, tmp_path):
    parameters = {name: str(tmp_path) for name in ("SENTINEL2_FOLDER", "SENTINEL1_FOLDER")}
    outputs = ("preparesentinel2:SENTINEL2", "preparesentinel1:SENTINEL1", "trainmodel:MODEL", "mapcover:MAP")
    parameters.update(dict.fromkeys(outputs, "TEMPORARY_OUTPUT"), POLYGONS=polygons, CLASS_FIELD="class")
    run("landcoverforest", parameters)
    jobs = {request["job"]: request["parameters"] for request in map(json.loads, writer.read_text().splitlines())}
    assert jobs["trainmodel"]["method"] == "RF"
    assert jobs["mapcover"]["model"] == jobs["trainmodel"]["model"]


def test_the_model_of_a_trained_model_maps_with_it(run, writer, make_model, tmp_path):
    make_model(sentinel1=["VV"], sentinel2=["B4"])
    parameters = {name: str(tmp_path) for name in ("SENTINEL2_FOLDER", "SENTINEL1_FOLDER")}
    outputs = ("preparesentinel2:SENTINEL2", "preparesentinel1:SENTINEL1", "mapcover:MAP")
    parameters.update(dict.fromkeys(outputs, "TEMPORARY_OUTPUT"), MODEL=str(tmp_path / "a.twinns"), STEP=10)
    run("landcoverfrommodel", parameters)
    jobs = {request["job"]: request["parameters"] for request in map(json.loads, writer.read_text().splitlines())}
    assert list(jobs) == ["preparesentinel2", "preparesentinel1", "mapcover"]
    assert jobs["mapcover"]["model"] == str(tmp_path / "a.twinns")
    assert jobs["mapcover"]["sentinel2"] == jobs["preparesentinel1"]["reference"]
    assert jobs["preparesentinel1"]["step"] == jobs["preparesentinel2"]["step"] == 10


def test_an_error_in_a_step_ends_the_model(run, worker, polygons, tmp_path):
    worker("say(type='error', kind='input', message='No product was found.', hint='')\nsys.exit(1)")
    parameters = {name: str(tmp_path) for name in ("SENTINEL2_FOLDER", "SENTINEL1_FOLDER")}
    outputs = ("preparesentinel2:SENTINEL2", "preparesentinel1:SENTINEL1", "trainmodel:MODEL", "mapcover:MAP")
    parameters.update(dict.fromkeys(outputs, "TEMPORARY_OUTPUT"), POLYGONS=polygons, CLASS_FIELD="class")
    with pytest.raises(Exception, match="Error encountered while running Prepare Sentinel-2 series"):
        run("landcover", parameters)


def test_a_scene_list_is_loaded_as_a_layer_of_footprints(run, worker, context, tmp_path):
    worker("finish(output=request['parameters']['output'], scenes=1)")
    area = {"EXTENT": "3,4,50,51 [EPSG:4326]", "START": "2021-01-01", "END": "2021-12-31"}
    run("findscenes", {**area, "OUTPUT": str(tmp_path / "scenes.geojson")})
    (details,) = context.layersToLoadOnCompletion().values()
    assert (details.name, details.outputName) == ("Scene list", "OUTPUT")
