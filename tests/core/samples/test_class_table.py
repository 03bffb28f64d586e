"""A table of the order, names and colours of classes."""

from dataclasses import astuple

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.samples.class_table import ClassTable
from twinns_qgis.samples.classes import classes_of
from twinns_qgis.samples.palette import colors_of


@pytest.fixture
def table(tmp_path):
    def write(text):
        (tmp_path / "classes.csv").write_text(text, encoding="utf-8")
        return ClassTable.read(tmp_path / "classes.csv")

    return write


def test_order_names_and_colors_are_those_of_the_table_and_codes_stay(table, listener):
    rows = "class,name,color\n30,Blé tendre,#ffee00\n10,,#0000ff\n"
    classes = table(rows).apply(classes_of([10, 20, 30]), listener)
    assert list(classes) == [30, 10, 20]
    assert astuple(classes[30]) == (30, "Blé tendre", "#ffee00")
    assert astuple(classes[10]) == (10, "10", "#0000ff")
    assert (classes[20].code, classes[20].name) == (20, "20")


def test_the_codes_of_names_do_not_depend_on_the_order(table, listener):
    before = classes_of(["wheat", "maize", "water"])
    after = table("class\nwater\nwheat\n").apply(before, listener)
    assert list(after) == ["water", "wheat", "maize"]
    assert after == before


def test_a_name_without_a_color_gets_one_that_fits_it(table, listener):
    classes = table("name,class\nLaubwald,1\nGewässer,2\n").apply(classes_of([1, 2]), listener)
    assert [item.color for item in classes.values()] == colors_of(["Laubwald", "Gewässer"])


def test_rows_without_polygons_are_told(table, listener):
    assert len(table("class\nwheat\nwhaet\n").apply(classes_of(["wheat", "maize"]), listener)) == 2
    assert "No polygon has the class whaet" in listener.messages[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,color\na,#112233\n", "no column class"),
        ("class,color\na,red\n", "line 2: there is no colour 'red'"),
        ("class\na\na\n", "line 3: a a second time"),
        ("class,name\na,\n,b\n", "line 3: no class"),
        ("class,name\na,same\nb,same\n", "line 3: another class is called 'same' too"),
        ("", "no column class"),
    ],
)
def test_a_table_that_is_wrong_is_refused(table, text, words):
    with pytest.raises(InputError, match=words) as refusal:
        table(text)
    assert "CSV with the column class" in refusal.value.hint


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv can't be read"):
        ClassTable.read(tmp_path / "none.csv")
