"""Classes of a reference and of a map are matched by codes or names; what is in one alone is listed, not dropped."""

import geopandas
import numpy as np
import pytest
from shapely.geometry import Point, box
from sklearn.metrics import confusion_matrix

from twinns_qgis.assessment.reference import clear_dates, compare, match
from twinns_qgis.errors import InputError
from twinns_qgis.mapping.classified import ClassifiedMap
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.polygons import read_polygons

CODES = np.kron(np.array([[1, 2, 3], [2, 3, 0]], "uint8"), np.ones((10, 10), "uint8"))
NAMES = {1: "water", 2: "wheat", 3: "wood"}


@pytest.fixture
def cover(tmp_path, write_raster):
    write_raster(tmp_path / "map.tif", CODES[None], nodata=0)
    opened = ClassifiedMap.open([tmp_path / "map.tif"])
    return ClassifiedMap(**{**vars(opened), "names": NAMES})


@pytest.fixture
def reference(tmp_path):
    """Writes fields of 10 x 10 pixels with labels, by row and column of the field, in another CRS than the map."""

    def write(labels, crs="EPSG:32630", **columns):
        shapes = [
            box(*(500000 + 100 * column, 5600000 - 100 * row - 100), *(500100 + 100 * column, 5600000 - 100 * row))
            for row, column in labels
        ]
        table = geopandas.GeoDataFrame({"class": list(labels.values()), **columns}, geometry=shapes, crs="EPSG:32631")
        table.to_crs(crs).to_file(tmp_path / "reference.gpkg")
        return str(tmp_path / "reference.gpkg")

    return write


def compared(cover, source, part=None, split_field=None):
    return compare(cover, [1, 2, 3], read_polygons(source, "class", split_field=split_field), part, Reporter())


@pytest.mark.parametrize("labels", [("water", "wheat", "WOOD "), (1, 2, 3), ("1", "2", "3")])
def test_names_and_codes_mean_the_same(cover, reference, labels):
    source = reference(dict(zip(((0, 0), (0, 1), (1, 0)), labels, strict=True)), crs="EPSG:32631")
    found = compared(cover, source)
    rows, columns = found.pixels.rows, found.pixels.columns
    truth = np.select([(rows < 10) & (columns < 10), rows < 10], [1, 2], 3)
    expected = confusion_matrix(truth, CODES[rows, columns], labels=[1, 2, 3])
    np.testing.assert_array_equal(found.counts.T, expected)
    assert [item.name for item in found.classes] == ["water", "wheat", "wood"]


def test_classes_in_one_alone_are_listed_and_count_as_errors(cover, reference):
    found = compared(cover, reference({(0, 0): "water", (0, 1): "orchard", (0, 2): "orchard"}))
    assert [(item.code, item.name) for item in found.classes] == [
        (1, "water"),
        (2, "wheat"),
        (3, "wood"),
        (4, "orchard"),
    ]
    assert found.mapped_codes == {1, 2, 3}
    assert found.remarks == (
        "Classes of the map of which the reference has no pixel: wheat, wood.",
        "Classes of the reference that the map does not know, whose pixels are errors: orchard.",
    )
    assert found.counts[:, 3].sum() > 150
    assert found.counts.trace() == found.counts[0, 0]


def test_pixels_where_the_map_has_no_data_are_told(cover, reference):
    found = compared(cover, reference({(0, 0): "water", (1, 2): "wood"}, crs="EPSG:32631"))
    assert found.remarks[0] == "100 of 200 pixels of the reference are no data in the map, and left out."
    assert len(found.pixels) == 100


def test_the_test_part_alone_counts_where_there_is_a_split(cover, reference):
    source = reference({(0, 0): "water", (0, 1): "wheat", (0, 2): "wood"}, split=["test", "train", "test"])
    found = compared(cover, source, "test", "split")
    assert set(np.unique(found.reference)) == {0, 2}
    source = reference({(0, 0): "water", (0, 1): "wheat"}, split=["train", "validation"])
    with pytest.raises(InputError, match="has the part 'test'"):
        compared(cover, source, "test", "split")


def test_points_take_the_pixel_below_and_may_be_a_sample(cover, tmp_path, reference):
    points = [Point(500005, 5599995), Point(500295, 5599905)]
    table = geopandas.GeoDataFrame({"class": ["water", "wheat"]}, geometry=points, crs="EPSG:32631")
    table.to_file(tmp_path / "points.gpkg")
    found = compared(cover, str(tmp_path / "points.gpkg"))
    assert (found.mapped.tolist(), found.reference.tolist()) == ([0, 2], [0, 1])
    found.check_is_sample()
    with pytest.raises(InputError, match="holds polygons"):
        compared(cover, reference({(0, 0): "water", (0, 1): "wheat"})).check_is_sample()


def test_what_cannot_be_compared_is_refused(cover, reference):
    with pytest.raises(InputError, match="none in common") as caught:
        compared(cover, reference({(0, 0): "barley", (0, 1): "orchard"}))
    assert "1 (water), 2 (wheat), 3 (wood)" in caught.value.message
    with pytest.raises(InputError, match="holds a pixel of the map"):
        compared(cover, reference({(500, 0): "water", (500, 1): "wheat"}))
    with pytest.raises(InputError, match="no class at any of the 100 pixels"):
        compared(cover, reference({(1, 2): "water", (1, 3): "wheat"}, crs="EPSG:32631"))


def test_a_name_of_two_codes_is_refused():
    with pytest.raises(InputError, match="calls its codes 1, 5 alike"):
        match({"water"}, {1: "water", 5: "Water"}, [1, 5])


def test_clear_dates_are_read_at_the_pixels_whatever_the_grid(cover, reference, tmp_path, write_raster):
    found = compared(cover, reference({(0, 0): "water", (0, 1): "wheat"}, crs="EPSG:32631"))
    clear = np.arange(2 * 3, dtype="uint16").reshape(1, 2, 3)
    write_raster(tmp_path / "validity.tif", clear, resolution=100)
    expected = clear[0, found.pixels.rows // 10, found.pixels.columns // 10]
    np.testing.assert_array_equal(clear_dates(tmp_path / "validity.tif", found.pixels), expected)
