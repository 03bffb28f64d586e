"""Wrong input is told before a worker is started."""

import json
import os
import zipfile

import pytest
from osgeo import gdal
from qgis.core import (
    NULL,
    QgsFeature,
    QgsGeometry,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)


@pytest.fixture
def polygons():
    """A layer in memory with a class, a field that holds nothing, and one that holds blanks."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:32631&field=class&field=nothing&field=blank", "fields", "memory")
    features = []
    for number in range(4):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(number, 0, number + 1, 1)))
        feature.setAttributes([NULL if number else "wheat", NULL, " " * number])
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    QgsProject.instance().addMapLayer(layer)
    yield layer
    QgsProject.instance().clear()


@pytest.fixture
def refusal(provider, context):
    """Returns why an algorithm refuses parameters; nothing where it does not."""

    def check(name, parameters):
        good, why_not = provider.algorithm(name).create().checkParameterValues(parameters, context)
        assert good == (not why_not)
        return why_not

    return check


@pytest.fixture
def training(make_series, polygons, tmp_path):
    series = {"SENTINEL1": make_series("s1.tif", ["VV", "VH"]), "SENTINEL2": make_series("s2.tif", ["B4", "B8"])}
    return {**series, "POLYGONS": polygons, "CLASS_FIELD": "class", "MODEL": str(tmp_path / "new.twinns")}


@pytest.fixture
def mapping(make_series, make_model, tmp_path):
    dates = ["2018-05-07", "2018-06-07"]
    return {
        "SENTINEL2": make_series("s2.tif", ["B4", "B8"], dates),
        "MODEL": make_model(dates, sentinel2=["B4", "B8"]),
        "OUTPUT": str(tmp_path / "map.tif"),
    }


def test_good_input_is_not_refused(refusal, training, mapping):
    assert refusal("trainmodel", training) == ""
    assert refusal("trainmodel", {**training, "SENTINEL1": None}) == ""
    assert refusal("trainmodel", {**training, "SENTINEL2": QgsRasterLayer(training["SENTINEL2"], "mine")}) == ""
    assert refusal("mapcover", mapping) == ""
    assert refusal("mapcover", {**mapping, "OUTPUT": "TEMPORARY_OUTPUT", "CONFIDENCE": "TEMPORARY_OUTPUT"}) == ""


def test_the_view_of_a_series_counts_as_the_series(refusal, training, make_view, make_model, tmp_path):
    view = QgsRasterLayer(make_view("s1.tif"), "Sentinel-1 series")
    assert refusal("trainmodel", {**training, "SENTINEL1": view}) == ""
    assert "is no Sentinel-2 series" in refusal("trainmodel", {**training, "SENTINEL2": view})
    model = make_model(("2018-05-07", "2018-05-19"), sentinel1=["VV", "VH"])
    mapping = {"SENTINEL1": view, "MODEL": model, "OUTPUT": str(tmp_path / "map.tif")}
    assert refusal("mapcover", mapping) == ""
    assert "it is an input" in refusal("mapcover", {**mapping, "OUTPUT": str(tmp_path / "s1.tif")})


@pytest.mark.parametrize("description", ["", "B4", "2018-05-07", "2018-05 B4", "a 2018-05-07"])
def test_a_raster_that_is_no_series_is_refused(refusal, training, description):
    dataset = gdal.Open(training["SENTINEL2"], gdal.GA_Update)
    dataset.GetRasterBand(2).SetDescription(description)
    dataset = None
    why_not = refusal("trainmodel", training)
    assert "'s2' is no series: its band 'Band 2" in why_not
    assert "Prepare Sentinel-2 series" in why_not


def test_series_in_each_others_place_are_refused(refusal, training):
    swapped = {"SENTINEL1": training["SENTINEL2"], "SENTINEL2": training["SENTINEL1"]}
    assert "'s2' is no Sentinel-1 series" in refusal("trainmodel", {**training, **swapped})
    swapped["SENTINEL1"] = None
    assert "'s1' is no Sentinel-2 series" in refusal("trainmodel", {**training, **swapped})


def test_no_series_at_all_is_refused(refusal, training, mapping):
    nothing = {"SENTINEL1": None, "SENTINEL2": None}
    assert refusal("trainmodel", {**training, **nothing}).startswith("There is no series.")
    assert refusal("mapcover", {**mapping, **nothing}).startswith("There is no series.")


@pytest.mark.parametrize("layers", [None, []])
def test_nothing_to_prepare_is_refused(refusal, make_series, layers):
    parameters = {"LAYERS": layers, "OUTPUT": "TEMPORARY_OUTPUT"}
    assert "There is nothing to prepare" in refusal("preparesentinel2", parameters)
    assert "There is nothing to prepare" in refusal("preparesentinel1", {**parameters, "REFERENCE": make_series()})
    assert refusal("preparesentinel2", {**parameters, "FOLDER": "."}) == ""


@pytest.mark.parametrize("field", ["nothing", "blank"])
@pytest.mark.parametrize("parameter", ["CLASS_FIELD", "OBJECT_FIELD", "SPLIT_FIELD"])
def test_a_field_that_is_empty_is_refused(refusal, training, parameter, field):
    assert refusal("trainmodel", {**training, parameter: field}).startswith(f"The field '{field}' of 'fields' is empty")


def test_a_field_that_is_not_there_is_refused_with_those_that_are(refusal, training):
    why_not = refusal("trainmodel", {**training, "CLASS_FIELD": "crop"})
    assert "'fields' has no field 'crop'.\nIt has class, nothing, blank." in why_not


def test_a_field_that_is_filled_in_but_not_saved_yet_is_not_empty(refusal, training, polygons):
    polygons.startEditing()
    polygons.changeAttributeValue(next(polygons.getFeatures()).id(), 1, "wheat")
    assert refusal("trainmodel", {**training, "CLASS_FIELD": "nothing"}) == ""
    polygons.rollBack()


def test_a_selection_counts_in_what_is_empty(refusal, training, polygons):
    chosen = {**training, "POLYGONS": QgsProcessingFeatureSourceDefinition(polygons.id(), True)}
    assert "There are no polygons in 'fields'" in refusal("trainmodel", chosen)
    polygons.select([feature.id() for feature in polygons.getFeatures() if feature["class"] == NULL])
    assert "'class' of 'fields' is empty" in refusal("trainmodel", chosen)
    polygons.selectAll()
    assert refusal("trainmodel", chosen) == ""


@pytest.mark.parametrize(
    ("bands", "dates"), [(["B4"], 2), (["B8", "B4"], 2), (["B4", "B8", "B11"], 2), (["B4", "B8"], 1), (["B4", "B8"], 3)]
)
def test_a_model_of_other_series_is_refused(refusal, mapping, make_series, bands, dates):
    days = [f"2018-0{month}-07" for month in range(1, dates + 1)]
    why_not = refusal("mapcover", {**mapping, "SENTINEL2": make_series("other.tif", bands, days)})
    assert f"'other' has {dates} dates of {' '.join(bands)}; " in why_not
    assert "was trained on 2 dates of B4 B8" in why_not


def test_a_model_that_needs_the_other_series_too_is_refused(refusal, mapping, make_model):
    both = make_model(["2018-05-07", "2018-06-07"], sentinel1=["VV"], sentinel2=["B4", "B8"])
    assert "was trained on a Sentinel-1 series too: 2 dates of VV" in refusal("mapcover", {**mapping, "MODEL": both})


def write_zip(path, name, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)),
        lambda path: write_zip(path, "other.json", "{}"),
        lambda path: write_zip(path, "manifest.json", "no JSON"),
        lambda path: write_zip(path, "manifest.json", b"\xff\xfe"),
        lambda path: write_zip(path, "manifest.json", "[]"),
        lambda path: write_zip(path, "manifest.json", '{"sensors": [{"name": 1, "dates": [], "bands": []}]}'),
        lambda path: write_zip(path, "manifest.json", '{"sensors": [{"name": "x", "dates": [], "bands": []}]}'),
        lambda path: write_zip(path, "manifest.json", '{"sensors": []}'),
        lambda path: write_zip(path, "manifest.json", "[" * 100_000),
    ],
)
def test_a_file_that_is_no_model_is_refused(refusal, mapping, tmp_path, write):
    write(tmp_path / "bad.twinns")
    why_not = refusal("mapcover", {**mapping, "MODEL": str(tmp_path / "bad.twinns")})
    assert "bad.twinns is no model of TWINNS, or it is damaged." in why_not


def test_a_model_that_is_not_there_is_refused(refusal, mapping, tmp_path):
    why_not = refusal("mapcover", {**mapping, "MODEL": str(tmp_path / "gone.twinns")})
    assert "gone.twinns does not exist" in why_not


def test_no_output_replaces_an_input_or_another_output(refusal, training, mapping, tmp_path):
    assert "OUTPUT can't be" in refusal("mapcover", {**mapping, "OUTPUT": mapping["SENTINEL2"]})
    assert "CONFIDENCE can't be" in refusal("mapcover", {**mapping, "CONFIDENCE": mapping["OUTPUT"]})
    assert refusal("trainmodel", {**training, "REPORT": str(tmp_path / "report.html")}) == ""
    link = tmp_path / "link.tif"
    link.symlink_to(mapping["SENTINEL2"])
    assert "OUTPUT can't be" in refusal("mapcover", {**mapping, "OUTPUT": str(link)})
    around = os.path.join(tmp_path, "..", tmp_path.name, "s2.tif")  # noqa: PTH118
    assert "OUTPUT can't be" in refusal("mapcover", {**mapping, "OUTPUT": around})


def test_a_series_does_not_replace_the_layers_that_it_is_made_from(refusal, make_series):
    path = make_series("one.tif")
    assert "OUTPUT can't be" in refusal("preparesentinel2", {"LAYERS": [path], "OUTPUT": path})
    assert "OUTPUT can't be" in refusal("preparesentinel1", {"FOLDER": ".", "REFERENCE": path, "OUTPUT": path})


def test_rasters_without_dates_that_a_model_was_trained_on_are_asked_for(refusal, mapping, make_model, make_series):
    dates = ["2018-05-07", "2018-06-07"]
    model = make_model(dates, sentinel2=["B4", "B8"])
    with zipfile.ZipFile(model) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["sensors"].append({"name": "static", "dates": [], "bands": ["elevation", "slope"]})
    with zipfile.ZipFile(model, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
    why_not = refusal("mapcover", {**mapping, "MODEL": model})
    assert "in number 2: elevation, slope. Those given have 0." in why_not
    rasters = [make_series("elevation.tif"), make_series("slope.tif")]
    assert "Those given have 1." in refusal("mapcover", {**mapping, "MODEL": model, "STATIC": rasters[:1]})
    assert not refusal("mapcover", {**mapping, "MODEL": model, "STATIC": rasters})
