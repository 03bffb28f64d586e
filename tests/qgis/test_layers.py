"""Whatever QGIS knows of a layer reaches the worker: what QGIS shows is what is trained."""

import json
from pathlib import Path

import pytest
from osgeo import ogr, osr
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsField,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingUtils,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorLayerJoinInfo,
)

UTM = QgsCoordinateReferenceSystem("EPSG:32631")


@pytest.fixture
def raster(make_series):
    """Makes a series with or without a CRS; returns its path."""
    return lambda name="s2.tif", epsg=32631: make_series(name, ["VV" if name == "s1.tif" else "B4"], epsg=epsg)


@pytest.fixture
def file(tmp_path):
    """Writes four squares with a class and a plot by GDAL alone; returns the path."""

    def make(name="fields.gpkg", epsg=32631):
        driver = {"gpkg": "GPKG", "shp": "ESRI Shapefile", "geojson": "GeoJSON", "csv": "CSV"}[name.split(".")[-1]]
        crs = osr.SpatialReference()
        crs.ImportFromEPSG(epsg or 4326)
        source = ogr.GetDriverByName(driver).CreateDataSource(str(tmp_path / name))
        options = ["GEOMETRY=AS_WKT"] if driver == "CSV" else []
        layer = source.CreateLayer(name.split(".")[0], crs if epsg else None, ogr.wkbPolygon, options)
        layer.CreateField(ogr.FieldDefn("class", ogr.OFTString))
        layer.CreateField(ogr.FieldDefn("plot", ogr.OFTInteger))
        for number in range(4):
            feature = ogr.Feature(layer.GetLayerDefn())
            feature.SetField("class", ["wheat", "maize"][number % 2])
            feature.SetField("plot", number)
            feature.SetGeometry(
                ogr.CreateGeometryFromWkt(f"POLYGON(({number} 0,{number} 1,{number + 1} 1,{number} 0))")
            )
            layer.CreateFeature(feature)
        return str(tmp_path / name)

    return make


@pytest.fixture
def request_of(run, echo, raster, tmp_path):
    """Trains on polygons; returns the request that the worker got."""

    def call(polygons, **others):
        parameters = {"SENTINEL1": raster("s1.tif"), "SENTINEL2": raster("s2.tif"), "POLYGONS": polygons}
        run("trainmodel", {**parameters, "CLASS_FIELD": "class", "MODEL": str(tmp_path / "a.twinns"), **others})
        return json.loads(echo.read_text())

    return call


@pytest.fixture
def table(request_of):
    """Trains on polygons; returns the rows that the worker could read, read with GDAL, and the layer's EPSG code."""

    def call(polygons, **others):
        path, _, name = request_of(polygons, **others)["parameters"]["polygons"].partition("|layername=")
        source = ogr.Open(path)
        layer = source.GetLayerByName(name) if name else source.GetLayer()
        code = layer.GetSpatialRef().GetAuthorityCode(None)
        return [{"id": feature.GetFID(), **feature.items()} for feature in layer], code

    return call


def opened(path, project, crs=None):
    layer = QgsVectorLayer(path, "fields", "ogr")
    if crs:
        layer.setCrs(crs)
    project.addMapLayer(layer)
    return layer


@pytest.mark.parametrize("name", ["fields.gpkg", "fields.shp", "fields.geojson"])
@pytest.mark.parametrize("epsg", [None, 4326])
def test_the_crs_that_was_set_for_polygons_counts(table, file, project, name, epsg):
    rows, code = table(opened(file(name, epsg), project, UTM))
    assert code == "32631"
    assert [row["class"] for row in rows] == ["wheat", "maize", "wheat", "maize"]


@pytest.mark.parametrize(("epsg", "told"), [(None, "|crs=EPSG:32631"), (4326, "|crs=EPSG:32631"), (32631, "")])
def test_the_crs_that_was_set_for_a_raster_counts(request_of, raster, file, project, epsg, told):
    path = raster("own.tif", epsg)
    layer = QgsRasterLayer(path, "own")
    layer.setCrs(UTM)
    project.addMapLayer(layer)
    assert request_of(file(), SENTINEL2=layer)["parameters"]["sentinel2"] == path + told


@pytest.mark.parametrize(("epsg", "told"), [(32632, "|crs=EPSG:32632"), (32631, "")])
def test_the_series_is_read_whose_view_was_chosen(request_of, make_view, file, project, epsg, told):
    view = make_view("seen.tif")
    assert request_of(file(), SENTINEL1=view)["parameters"]["sentinel1"] == view[:-4]
    layer = QgsRasterLayer(view, "Sentinel-1 series")
    layer.setCrs(QgsCoordinateReferenceSystem.fromEpsgId(epsg))
    project.addMapLayer(layer)
    assert request_of(file(), SENTINEL1=layer)["parameters"]["sentinel1"] == view[:-4] + told


def test_a_crs_of_the_user_is_spelt_out(request_of, raster, file, project):
    layer = QgsRasterLayer(raster("own.tif", None), "own")
    layer.setCrs(QgsCoordinateReferenceSystem("PROJ:+proj=laea +lat_0=50 +lon_0=4"))
    project.addMapLayer(layer)
    assert "Lambert_Azimuthal_Equal_Area" in request_of(file(), SENTINEL2=layer)["parameters"]["sentinel2"]


def test_joined_fields_are_fields(table, file, project):
    other = QgsVectorLayer("None?field=plot:integer&field=crop:string", "crops", "memory")
    for number in range(4):
        feature = QgsFeature(other.fields())
        feature.setAttributes([number, ["rye", "oats"][number // 2]])
        other.dataProvider().addFeature(feature)
    layer = opened(file(), project)
    project.addMapLayer(other)
    join = QgsVectorLayerJoinInfo()
    join.setJoinLayer(other)
    join.setJoinFieldName("plot")
    join.setTargetFieldName("plot")
    layer.addJoin(join)
    rows, _ = table(layer, CLASS_FIELD="crops_crop")
    assert [(row["id"], row["crops_crop"]) for row in rows] == [(1, "rye"), (2, "rye"), (3, "oats"), (4, "oats")]


def test_virtual_fields_are_fields(table, file, project):
    layer = opened(file(), project)
    layer.addExpressionField('upper("class")', QgsField(layer.fields().field("class")))
    layer.addExpressionField("if(\"plot\" < 2, 'near', 'far')", _named(layer.fields().field("class"), "zone"))
    rows, _ = table(layer, CLASS_FIELD="zone")
    assert [row["zone"] for row in rows] == ["near", "near", "far", "far"]


def _named(field, name):
    field = QgsField(field)
    field.setName(name)
    return field


def test_unsaved_edits_count(table, file, project):
    layer = opened(file(), project)
    layer.startEditing()
    layer.changeAttributeValue(1, layer.fields().indexOf("class"), "rye")
    layer.deleteFeature(2)
    added = QgsFeature(layer.fields())
    added.setAttribute("class", "oats")
    added.setGeometry(QgsGeometry.fromRect(QgsRectangle(9, 9, 10, 10)))
    layer.addFeature(added)
    rows, _ = table(layer)
    layer.rollBack()
    assert sorted((row["id"], row["class"]) for row in rows) == [(1, "rye"), (3, "wheat"), (4, "maize"), (5, "oats")]


def test_a_filter_and_a_selection_count_together(table, file, project):
    layer = opened(file(), project)
    layer.setSubsetString("\"class\" = 'maize'")
    layer.selectByIds([4])
    rows, _ = table(QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True))
    assert [(row["id"], row["class"]) for row in rows] == [(4, "maize")]


def test_a_layer_of_another_provider_is_copied(table, file, project):
    uri = f"file://{file('fields.csv', None)}?type=csv&wktField=WKT&crs=EPSG:32631&geomType=Polygon"
    layer = QgsVectorLayer(uri, "from a table", "delimitedtext")
    assert layer.isValid()
    project.addMapLayer(layer)
    rows, code = table(layer)
    assert ([row["class"] for row in rows], code) == (["wheat", "maize", "wheat", "maize"], "32631")


def test_points_are_taken(table, project):
    layer = QgsVectorLayer("Point?crs=EPSG:32631&field=class:string", "survey", "memory")
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromWkt("POINT(1 1)"))
    feature.setAttributes(["wheat"])
    layer.dataProvider().addFeature(feature)
    project.addMapLayer(layer)
    assert [row["class"] for row in table(layer)[0]] == ["wheat"]


def test_the_key_of_a_geopackage_can_be_asked_for_as_a_field(table, file, project):
    rows, _ = table(opened(file(), project), OBJECT_FIELD="fid")
    assert [(row["id"], row["fid"]) for row in rows] == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_fields_that_a_geopackage_could_not_hold_are_kept(table, project):
    fields = ["fid:integer", "geom:string", "CLASS:string", "class:string", "list:string[]"]
    layer = QgsVectorLayer("Polygon?crs=EPSG:32631&field=" + "&field=".join(fields), "fields", "memory")
    for number in range(2):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(number, 0, number + 1, 1)))
        feature.setAttributes([7, "here", "upper", ["rye", "oats"][number], ["a", "b"]])
        assert layer.dataProvider().addFeatures([feature])[0]
    project.addMapLayer(layer)
    rows, _ = table(layer)
    assert [(row["id"], row["fid"], row["geom"], row["class"]) for row in rows] == [
        (1, 7, "here", "rye"),
        (2, 7, "here", "oats"),
    ]
    assert {row["CLASS_"] for row in rows} == {"upper"}


def test_geometries_that_are_not_valid_are_left_to_the_worker(table, project):
    layer = QgsVectorLayer("Polygon?crs=EPSG:32631&field=class:string", "fields", "memory")
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromWkt("POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))"))
    feature.setAttributes(["bow tie"])
    layer.dataProvider().addFeatures([feature])
    project.addMapLayer(layer)
    assert [row["class"] for row in table(layer)[0]] == ["bow tie"]


@pytest.mark.parametrize("name", ["Äcker #1 100 %.gpkg", "a" * 200 + ".gpkg", "feldstücke & 'co'.geojson"])
def test_any_name_of_a_file_will_do(table, file, project, name):
    layer = opened(file(name), project)
    assert len(table(layer)[0]) == 4
    layer.startEditing()
    layer.deleteFeature(2)
    assert len(table(layer)[0]) == 3
    layer.rollBack()


def test_the_crs_of_the_project_does_not_matter(table, file, project):
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    assert table(opened(file(epsg=None), project, UTM))[1] == "32631"


def test_what_a_copy_stands_for_is_told(request_of, file, project):
    path = file()
    layer = opened(path, project)
    assert request_of(layer)["stands_for"] == {}
    layer.setSubsetString("\"class\" = 'maize'")
    assert request_of(layer)["stands_for"] == {"polygons": f"{path}|subset=\"class\" = 'maize'"}
    layer.setSubsetString("")
    layer.selectByIds([4])
    chosen = QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True)
    assert request_of(chosen)["stands_for"] == {"polygons": f"{path} [QGIS: selected features]"}


def test_copies_go_with_the_run(provider, echo, file, raster, feedback, project, tmp_path):
    layer = opened(file(epsg=None), project, UTM)
    parameters = {"SENTINEL2": raster(), "POLYGONS": layer, "CLASS_FIELD": "class", "MODEL": str(tmp_path / "a.twinns")}
    context = QgsProcessingContext()
    context.setProject(project)
    provider.algorithm("trainmodel").create().run(parameters, context, feedback, {}, False)
    copy = json.loads(echo.read_text())["parameters"]["polygons"].split("|")[0]
    assert copy.startswith(QgsProcessingUtils.tempFolder())
    assert ogr.Open(copy)
    del context
    assert not Path(copy).parent.exists()


def test_a_layer_that_can_not_be_copied_is_refused(request_of, file, project, monkeypatch):
    layer = opened(file(epsg=None), project, UTM)
    monkeypatch.setattr(QgsProcessingUtils, "tempFolder", lambda *_: "/proc")
    with pytest.raises(QgsProcessingException, match="The layer 'fields' can't be written to a temporary file"):
        request_of(layer)


@pytest.mark.parametrize("as_given", [lambda layer: layer.id(), lambda layer: layer], ids=["id", "layer"])
@pytest.mark.parametrize(
    ("algorithm", "parameter"),
    [("trainmodel", "SENTINEL2"), ("trainmodel", "POLYGONS"), ("preparesentinel2", "LAYERS")],
)
def test_a_layer_that_was_removed_meanwhile_is_told(
    provider, context, feedback, raster, file, project, echo, tmp_path, algorithm, parameter, as_given
):
    layers = {"SENTINEL2": QgsRasterLayer(raster(), "s2"), "POLYGONS": QgsVectorLayer(file(), "fields", "ogr")}
    parameters = {**layers, "CLASS_FIELD": "class", "MODEL": str(tmp_path / "a.twinns")}
    if algorithm == "preparesentinel2":
        parameters = {"LAYERS": [layers["SENTINEL2"]], "OUTPUT": str(tmp_path / "out.tif")}
    layer = layers.get(parameter, layers["SENTINEL2"])
    given = as_given(layer)
    parameters[parameter] = [given] if parameter == "LAYERS" else given
    project.addMapLayers(list(layers.values()))  # which closes them: pytest lets go of them after QGIS has ended
    project.removeMapLayer(layer)
    good, why_not = provider.algorithm(algorithm).create().checkParameterValues(parameters, context)
    assert not good
    assert f"chosen for {parameter} is no longer there: it was removed from the project" in why_not
    if given is layer:
        return  # which QGIS itself can't take any further
    with pytest.raises(QgsProcessingException, match="no longer there: it was removed"):
        provider.algorithm(algorithm).create().run(parameters, context, feedback, {}, False)
    assert not echo.exists()


def test_a_selection_of_a_layer_that_was_removed_is_told(provider, context, raster, file, project, tmp_path):
    layer = opened(file(), project)
    chosen = QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True)
    parameters = {
        "SENTINEL2": raster(),
        "POLYGONS": chosen,
        "CLASS_FIELD": "class",
        "MODEL": str(tmp_path / "a.twinns"),
    }
    project.removeMapLayer(layer)
    good, why_not = provider.algorithm("trainmodel").create().checkParameterValues(parameters, context)
    assert (good, "The layer 'fields' that was chosen for POLYGONS" in why_not) == (False, True)


def test_a_raster_whose_file_is_gone_is_told(request_of, raster, file, project):
    path = raster("gone.tif")
    layer = QgsRasterLayer(path, "gone")
    project.addMapLayer(layer)
    Path(path).unlink()
    with pytest.raises(AssertionError, match=r"The file of the layer 'gone' is no longer there: .*gone\.tif"):
        request_of(file(), SENTINEL2=layer)
