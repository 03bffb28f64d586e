from xml.etree import ElementTree

import pytest

from twinns_qgis.mapping.styles import AGAINST, paletted_qml, pam_aux_xml, percent_qml, rgb
from twinns_qgis.samples.classes import LandCoverClass

CLASSES = [LandCoverClass(2, 'maïs & "soja" <x>', "#4477aa"), LandCoverClass(5, "水", "#ddaa33")]


def test_a_color_is_read_as_red_green_and_blue():
    assert rgb("#01a0ff") == (1, 160, 255)


def test_the_style_lists_each_class_with_its_code_name_and_color():
    root = ElementTree.fromstring(paletted_qml(CLASSES))
    assert root.find("pipe/rasterrenderer").get("type") == "paletted"
    entries = [(entry.get("value"), entry.get("label"), entry.get("color")) for entry in root.iter("paletteEntry")]
    assert entries == [("2", CLASSES[0].name, "#4477aa"), ("5", "水", "#ddaa33")]


def test_category_names_stand_at_the_place_of_their_code():
    root = ElementTree.fromstring(pam_aux_xml(CLASSES))
    names = [category.text or "" for category in root.iter("Category")]
    assert names == ["no data", "", CLASSES[0].name, "", "", "水"]


def test_the_attribute_table_has_a_row_for_each_class():
    root = ElementTree.fromstring(pam_aux_xml(CLASSES))
    columns = [column.findtext("Name") for column in root.iter("FieldDefn")]
    rows = [[cell.text for cell in row.iter("F")] for row in root.iter("Row")]
    assert columns == ["Value", "Class", "Red", "Green", "Blue"]
    assert rows == [["2", CLASSES[0].name, "68", "119", "170"], ["5", "水", "221", "170", "51"]]


def test_percentages_run_from_0_to_100():
    items = ElementTree.fromstring(percent_qml()).iter("item")
    assert [item.get("label") for item in items] == [f"{percent} %" for percent in (0, 25, 50, 75, 100)]


def test_doubt_has_other_colors_than_confidence():
    sure, unsure = (ElementTree.fromstring(text).iter("item") for text in (percent_qml(), percent_qml(AGAINST)))
    assert not {item.get("color") for item in sure} & {item.get("color") for item in unsure}


def test_every_band_of_classes_has_their_names():
    bands = ElementTree.fromstring(pam_aux_xml(CLASSES, 2)).findall("PAMRasterBand")
    assert [band.get("band") for band in bands] == ["1", "2"]
    for band in bands:
        assert [row.findtext("F") for row in band.iter("Row")] == ["2", "5"]


@pytest.mark.parametrize("count", [1, 254])
def test_one_class_and_as_many_as_a_map_holds_can_be_styled(count):
    classes = [LandCoverClass(code, str(code), "#123456") for code in range(1, count + 1)]
    assert len(list(ElementTree.fromstring(paletted_qml(classes)).iter("paletteEntry"))) == count
    assert len(list(ElementTree.fromstring(pam_aux_xml(classes)).iter("Category"))) == count + 1
