"""The colours, the order and the names of classes are those that the polygons' layer shows."""

import csv
import json
from pathlib import Path

import pytest
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsInvertedPolygonRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsRendererCategory,
    QgsVectorFileWriter,
    QgsVectorLayer,
)


@pytest.fixture
def layer():
    layer = QgsVectorLayer("Polygon?crs=EPSG:32631&field=code:double&field=land use:string", "fields", "memory")
    for code, name in [(211, "wheat"), (311, "wood"), (512, "water")]:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(code, 0, code + 1, 1)))
        feature.setAttributes([float(code), name])
        layer.dataProvider().addFeature(feature)
    QgsProject.instance().addMapLayer(layer)
    yield layer
    QgsProject.instance().clear()


@pytest.fixture
def table(run, echo, make_series, tmp_path):
    """Trains on a layer; returns the rows of the table of classes that the worker could read, None if it got none."""

    def call(layer, field, **others):
        parameters = {"SENTINEL2": QgsRasterLayer(make_series(), "s2"), "POLYGONS": layer}
        run("trainmodel", {**parameters, "CLASS_FIELD": field, "MODEL": str(tmp_path / "a.twinns"), **others})
        path = json.loads(echo.read_text())["parameters"]["classes"]
        if path is None:
            return None
        with Path(path).open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    return call


def category(value, color, label=""):
    return QgsRendererCategory(value, QgsFillSymbol.createSimple({"color": color}), label)


@pytest.mark.parametrize("attribute", ["land use", '"land use"'])
def test_a_categorised_style_gives_order_names_and_colors(table, layer, attribute):
    categories = [category("wood", "#00aa00", "Wald"), category("water", "#0000ff"), category("", "#999999", "others")]
    layer.setRenderer(QgsCategorizedSymbolRenderer(attribute, categories))
    assert table(layer, "land use") == [
        ["class", "name", "color"],
        ["wood", "Wald", "#00aa00"],
        ["water", "water", "#0000ff"],
    ]


def test_numbers_are_whole_and_groups_of_values_are_taken_apart(table, layer):
    categories = [category(512.0, "#0000ff", "Water"), category([211.0, 311], "#00aa00", "Green")]
    layer.setRenderer(QgsCategorizedSymbolRenderer("code", categories))
    assert table(layer, "code")[1:] == [
        ["512", "Water", "#0000ff"],
        ["211", "211", "#00aa00"],
        ["311", "311", "#00aa00"],
    ]


def test_a_style_within_another_counts(table, layer):
    layer.setRenderer(
        QgsInvertedPolygonRenderer(QgsCategorizedSymbolRenderer("land use", [category("wood", "#00aa00")]))
    )
    assert table(layer, "land use")[1:] == [["wood", "wood", "#00aa00"]]


def test_two_categories_of_one_name_stay_two_classes(table, layer):
    categories = [category("wood", "#00aa00", "green"), category("wheat", "#ffff00", "green")]
    layer.setRenderer(QgsCategorizedSymbolRenderer("land use", categories))
    assert [row[1] for row in table(layer, "land use")[1:]] == ["green", "wheat"]


def test_the_style_that_lies_beside_a_file_counts(table, layer, tmp_path):
    path = str(tmp_path / "fields.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    QgsVectorFileWriter.writeAsVectorFormatV3(layer, path, QgsProject.instance().transformContext(), options)
    on_disk = QgsVectorLayer(path, "fields", "ogr")
    on_disk.setRenderer(QgsCategorizedSymbolRenderer("land use", [category("wood", "#00aa00")]))
    on_disk.saveNamedStyle(str(tmp_path / "fields.qml"))
    assert table(path, "land use")[1:] == [["wood", "wood", "#00aa00"]]


def test_a_style_of_another_kind_says_nothing(table, layer):
    assert table(layer, "land use") is None


@pytest.mark.parametrize("attribute", ["land use", 'upper("land use")'])
def test_a_style_by_something_else_says_how_the_features_of_a_class_look(table, layer, attribute):
    names = ["wood", "wheat"] if attribute == "land use" else ["WOOD", "WHEAT"]
    categories = [category(names[0], "#00aa00", "Wald"), category(names[1], "#ffff00", "Weizen")]
    layer.setRenderer(QgsCategorizedSymbolRenderer(attribute, categories))
    assert table(layer, "code")[1:] == [["311", "Wald", "#00aa00"], ["211", "Weizen", "#ffff00"]]


def test_a_class_that_looks_in_several_ways_has_no_look(table, layer):
    copy = QgsFeature(layer.fields())
    copy.setAttributes([311.0, "water"])
    copy.setGeometry(QgsGeometry.fromRect(QgsRectangle(0, 0, 1, 1)))
    layer.dataProvider().addFeature(copy)
    categories = [category("wood", "#00aa00"), category(["water", "wheat"], "#0000ff", "Rest")]
    layer.setRenderer(QgsCategorizedSymbolRenderer("land use", categories))
    assert table(layer, "code")[1:] == [["211", "211", "#0000ff"], ["512", "512", "#0000ff"]]


def test_a_table_that_is_given_goes_before_the_style(table, layer, tmp_path):
    layer.setRenderer(QgsCategorizedSymbolRenderer("land use", [category("wood", "#00aa00")]))
    (tmp_path / "own.csv").write_text("class,color\nwood,#123456\n")
    assert table(layer, "land use", CLASSES=str(tmp_path / "own.csv")) == [["class", "color"], ["wood", "#123456"]]
