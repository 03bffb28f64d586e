"""What the worker is asked to do, for the parameters that QGIS was given."""

import json
import sqlite3
import time
from pathlib import Path

import pytest
from osgeo import gdal, osr
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsDateTimeRange,
    QgsFeature,
    QgsGeometry,
    QgsProcessingAlgRunnerTask,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime


@pytest.fixture
def raster(tmp_path):
    """Makes a raster of 4 x 4 pixels; returns its path."""

    def make(name="s2.tif"):
        crs = osr.SpatialReference()
        crs.ImportFromEPSG(32631)
        dataset = gdal.GetDriverByName("GTiff").Create(str(tmp_path / name), 4, 4, 1, gdal.GDT_Int16)
        dataset.SetProjection(crs.ExportToWkt())
        dataset.SetGeoTransform((500000, 10, 0, 5600040, 0, -10))
        return str(tmp_path / name)

    return make


@pytest.fixture
def polygons():
    """A layer in memory: four squares, two classes."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:32631&field=class:string&field=part:string", "fields", "memory")
    features = []
    for number in range(4):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(number, 0, number + 1, 1)))
        feature.setAttributes([["wheat", "maize"][number % 2], "train"])
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    return layer


@pytest.fixture
def on_disk(polygons, tmp_path):
    path = str(tmp_path / "fields.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.layerName = "summer"
    transform = QgsProject.instance().transformContext()
    QgsVectorFileWriter.writeAsVectorFormatV3(polygons, path, transform, options)
    return path


@pytest.fixture
def asked(run, echo):
    """Runs an algorithm; returns the parameters that its worker got."""

    def call(name, parameters):
        run(name, parameters)
        request = json.loads(echo.read_text())
        assert request["job"] == name
        return request["parameters"]

    return call


@pytest.fixture
def training(asked, make_series, tmp_path):
    def call(polygons, **others):
        series = {"SENTINEL1": make_series("s1.tif", ["VV"]), "SENTINEL2": make_series()}
        model = {"CLASS_FIELD": "class", "MODEL": str(tmp_path / "a.twinns")}
        return asked("trainmodel", {**series, "POLYGONS": polygons, **model, **others})

    return call


def rows(source):
    """The features of a GeoPackage with one layer, read without QGIS."""
    with sqlite3.connect(source.split("|")[0]) as database:
        (name,) = database.execute("select table_name from gpkg_contents").fetchone()
        return database.execute(f'select fid, "class" from "{name}" order by fid').fetchall()


def test_the_defaults_reach_the_worker(asked, tmp_path):
    assert asked("createdemosite", {"FOLDER": str(tmp_path / "new")}) == {
        "folder": str(tmp_path / "new"),
        "size": 256,
        "seed": 0,
        "year": 2018,
        "noise": 1.0,
        "labelled": 0.6,
        "archive": None,
    }


def test_an_archive_of_the_demo_site_is_written_where_it_is_asked_for(asked, tmp_path):
    folders = {"FOLDER": str(tmp_path / "new"), "ARCHIVE": str(tmp_path / "archive")}
    assert asked("createdemosite", folders)["archive"] == str(tmp_path / "archive")


def test_a_temporary_folder_is_one_that_can_be_made(asked):
    folder = Path(asked("createdemosite", {"FOLDER": "TEMPORARY_OUTPUT"})["folder"])
    assert folder.is_absolute()
    assert not folder.exists()


def test_relative_paths_become_absolute(asked, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert asked("createdemosite", {"FOLDER": "here"})["folder"] == str(tmp_path / "here")


def test_a_layer_on_disk_is_named_by_its_file(training, on_disk):
    source = f"{on_disk}|layername=summer"
    assert training(QgsVectorLayer(source, "fields"))["polygons"] == source
    assert training(source)["polygons"] == source


def test_a_shapefile_is_not_copied(training, polygons, tmp_path):
    path = str(tmp_path / "fields.shp")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "ESRI Shapefile"
    QgsVectorFileWriter.writeAsVectorFormatV3(polygons, path, QgsProject.instance().transformContext(), options)
    assert training(path)["polygons"].split("|")[0] == path


def test_a_layer_in_memory_is_written_to_a_geopackage(training, polygons, project):
    project.addMapLayer(polygons)
    classes = [name for _, name in rows(training(polygons)["polygons"])]
    assert classes == ["wheat", "maize", "wheat", "maize"]


def test_a_filter_is_kept_and_so_are_feature_ids(training, on_disk, project):
    layer = QgsVectorLayer(f"{on_disk}|layername=summer", "fields")
    layer.setSubsetString("\"class\" = 'maize'")
    project.addMapLayer(layer)
    assert rows(training(layer)["polygons"]) == [(2, "maize"), (4, "maize")]


def test_the_selection_alone_is_used_if_so_chosen(training, on_disk, project):
    layer = QgsVectorLayer(f"{on_disk}|layername=summer", "fields")
    project.addMapLayer(layer)
    layer.selectByIds([1, 4])
    chosen = QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True)
    assert rows(training(chosen)["polygons"]) == [(1, "wheat"), (4, "maize")]
    assert training(layer)["polygons"] == f"{on_disk}|layername=summer"


def test_a_layer_without_crs_is_refused(training, polygons, echo, project):
    polygons.setCrs(QgsCoordinateReferenceSystem())
    project.addMapLayer(polygons)
    with pytest.raises(QgsProcessingException, match="'fields' has no coordinate reference system"):
        training(polygons)
    assert not echo.exists()


def test_scenes_are_searched_for_in_an_area_or_for_selected_polygons(asked, polygons, project, tmp_path):
    year = {"START": "2021-01-01", "END": "2021-12-31", "OUTPUT": str(tmp_path / "scenes.geojson")}
    area = asked("findscenes", {**year, "EXTENT": "3,4,50,51 [EPSG:4326]"})
    assert (area["extent"], area.get("polygons")) == ("3,4,50,51 [EPSG:4326]", None)
    project.addMapLayer(polygons)
    polygons.selectByIds([1, 4])
    chosen = asked("findscenes", {**year, "POLYGONS": QgsProcessingFeatureSourceDefinition(polygons.id(), True)})
    assert chosen.get("extent") is None
    assert len(rows(chosen["polygons"])) == 2


def test_a_mask_is_a_layer_of_polygons_or_none(asked, make_series, make_model, polygons, on_disk, project, tmp_path):
    series = {"MODEL": make_model(sentinel2=["B4"]), "SENTINEL2": make_series()}
    parameters = {**series, "OUTPUT": str(tmp_path / "m.tif")}
    assert asked("mapcover", parameters)["mask"] is None
    source = f"{on_disk}|layername=summer"
    assert asked("mapcover", {**parameters, "MASK": source})["mask"] == source
    project.addMapLayer(polygons)
    assert len(rows(asked("mapcover", {**parameters, "MASK": polygons})["mask"])) == 4


def test_a_layer_in_memory_can_be_used_from_a_task_as_the_toolbox_does(
    provider, echo, polygons, make_series, project, context, feedback, tmp_path
):
    project.addMapLayer(polygons)
    parameters = {"SENTINEL2": make_series(), "POLYGONS": polygons.id()}
    parameters.update(CLASS_FIELD="class", MODEL=str(tmp_path / "a.twinns"))
    task = QgsProcessingAlgRunnerTask(provider.algorithm("trainmodel"), parameters, context, feedback)
    ends = []
    task.executed.connect(lambda successful, results: ends.append(successful))
    QgsApplication.taskManager().addTask(task)
    deadline = time.monotonic() + 20
    while not ends and time.monotonic() < deadline:
        QgsApplication.processEvents()
    assert ends == [True]
    assert len(rows(json.loads(echo.read_text())["parameters"]["polygons"])) == 4


def test_fields_choices_and_numbers_reach_the_worker(training, on_disk):
    found = training(on_disk, SPLIT_FIELD="part", SIZE="compact", LEARNING_RATE=0.001, EPOCHS=3)
    expected = {"split_field": "part", "size": "compact", "learning_rate": 0.001, "epochs": 3, "object_field": None}
    assert {name: found[name] for name in expected} == expected


def test_outputs_that_are_not_wanted_are_null(training, on_disk):
    found = training(on_disk)
    assert (found["split"], found["report"]) == (None, None)
    assert training(on_disk, REPORT="TEMPORARY_OUTPUT")["report"].endswith(".html")
    assert training(on_disk, SPLIT="TEMPORARY_OUTPUT")["split"].endswith(".gpkg")


@pytest.mark.parametrize(
    "given", ["2018-03-01", QDate(2018, 3, 1), QDateTime(QDate(2018, 3, 1), QTime(0, 0))], ids=["text", "QDate", "both"]
)
def test_dates_are_sent_as_text(asked, tmp_path, given):
    found = asked("preparesentinel2", {"FOLDER": str(tmp_path), "START": given, "OUTPUT": str(tmp_path / "s2.tif")})
    assert (found["start"], found["end"]) == ("2018-03-01", None)


def test_extents_are_sent_as_text(asked, raster, tmp_path):
    def extent(given):
        parameters = {"FOLDER": str(tmp_path), "OUTPUT": str(tmp_path / "out.tif"), "EXTENT": given}
        return asked("preparesentinel2", parameters)["extent"]

    crs = QgsCoordinateReferenceSystem("EPSG:4326")
    assert extent(None) is None
    assert extent("1,2,3,4.5 [EPSG:4326]") == "1,2,3,4.5 [EPSG:4326]"
    assert extent("1,2,3,4.5") == "1,2,3,4.5"
    assert extent(QgsReferencedRectangle(QgsRectangle(1, 3, 2, 4.5), crs)) == "1.0,2.0,3.0,4.5 [EPSG:4326]"
    assert extent(QgsRasterLayer(raster(), "s2")) == "500000.0,500040.0,5600000.0,5600040.0 [EPSG:32631]"


def test_a_user_defined_crs_is_spelt_out(asked, tmp_path):
    crs = QgsCoordinateReferenceSystem("PROJ:+proj=laea +lat_0=50 +lon_0=4")
    parameters = {"FOLDER": str(tmp_path), "OUTPUT": str(tmp_path / "out.tif")}
    parameters["EXTENT"] = QgsReferencedRectangle(QgsRectangle(1, 3, 2, 4), crs)
    assert "Lambert_Azimuthal_Equal_Area" in asked("preparesentinel2", parameters)["extent"]


def test_layers_are_sent_as_files(asked, raster, project, tmp_path):
    paths = [raster("a.tif"), raster("b.tif")]
    layer = QgsRasterLayer(paths[0], "a")
    project.addMapLayer(layer)
    found = asked("preparesentinel2", {"LAYERS": [layer, paths[1]], "OUTPUT": str(tmp_path / "out.tif")})
    assert (found["layers"], found["folder"], found["dates"]) == (paths, None, None)


def test_variables_of_netcdf_files_are_sent_as_such(asked, raster, project, tmp_path):
    path = str(tmp_path / "a site.nc")
    gdal.Translate(path, raster("a.tif"), format="netCDF")
    layer = QgsRasterLayer(f'NETCDF:"{path}":Band1', "b4")
    assert layer.isValid()
    project.addMapLayer(layer)
    found = asked("preparesentinel2", {"LAYERS": [layer], "OUTPUT": str(tmp_path / "out.tif")})
    assert [text.partition("|")[0] for text in found["layers"]] == [f'NETCDF:"{path}":Band1']
    Path(path).unlink()
    with pytest.raises(AssertionError, match=r"The file of the layer 'b4' is no longer there: .*a site\.nc"):
        asked("preparesentinel2", {"LAYERS": [layer], "OUTPUT": str(tmp_path / "out.tif")})


def test_temporal_ranges_of_layers_become_the_table_of_dates(asked, raster, project, tmp_path):
    paths = [raster("a.tif"), raster("b.tif")]
    layers = [QgsRasterLayer(path, Path(path).stem) for path in paths]
    day = QDateTime(QDate(2018, 5, 7), QTime(10, 30), Qt.TimeSpec.UTC)
    temporal = layers[0].temporalProperties()
    temporal.setFixedTemporalRange(QgsDateTimeRange(day, day.addSecs(60)))
    temporal.setIsActive(True)
    project.addMapLayers(layers)
    parameters = {"LAYERS": layers, "OUTPUT": str(tmp_path / "out.tif")}
    table = asked("preparesentinel2", parameters)["dates"]
    assert Path(table).read_text().splitlines() == ["file,date", f"{paths[0]},2018-05-07"]
    own = tmp_path / "own.csv"
    own.write_text("file,date\na.tif,2018-01-01\n")
    assert asked("preparesentinel2", {**parameters, "DATES": str(own)})["dates"] == str(own)


def test_a_layer_that_is_no_file_is_refused(asked, echo, project, tmp_path):
    layer = QgsRasterLayer("type=xyz&url=https://example.org/{z}/{x}/{y}.png", "tiles", "wms")
    project.addMapLayer(layer)
    with pytest.raises(AssertionError, match="'tiles' is not a raster in a file"):
        asked("preparesentinel2", {"LAYERS": [layer], "OUTPUT": str(tmp_path / "out.tif")})
    assert not echo.exists()


def test_a_file_that_is_no_raster_is_refused(asked, raster, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("no raster")
    with pytest.raises(AssertionError, match="Incorrect parameter value for LAYERS"):
        asked("preparesentinel2", {"LAYERS": [raster(), str(notes)], "OUTPUT": str(tmp_path / "out.tif")})
