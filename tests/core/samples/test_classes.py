import pytest

from twinns_qgis.samples.classes import classes_of


def test_whole_numbers_of_the_class_field_are_the_codes():
    classes = classes_of([30, 10, 254, 10])
    assert {value: item.code for value, item in classes.items()} == {10: 10, 30: 30, 254: 254}
    assert [item.name for item in classes.values()] == ["10", "30", "254"]


@pytest.mark.parametrize("values", [[0, 1], [255, 1], [-1, 5]])
def test_numbers_that_a_map_can_not_hold_are_renumbered(values):
    assert sorted(item.code for item in classes_of(values).values()) == [1, 2]


def test_names_are_numbered_in_their_order():
    classes = classes_of(["wood", "maize", "Äcker", "maize"])
    assert [(item.code, item.name) for item in classes.values()] == [(1, "maize"), (2, "wood"), (3, "Äcker")]


def test_the_order_of_the_values_does_not_matter():
    assert classes_of(["b", "a", "c"]) == classes_of(["c", "b", "a", "a"])


def test_numbers_among_names_are_names():
    assert [(item.code, item.name) for item in classes_of([7, "a"]).values()] == [(1, "7"), (2, "a")]


def test_up_to_eighteen_classes_have_colors_of_their_own():
    colors = [item.color for item in classes_of(range(1, 19)).values()]
    assert len(set(colors)) == 18


def test_a_map_holds_254_classes():
    assert {item.code for item in classes_of(range(254)).values()} == set(range(1, 255))
