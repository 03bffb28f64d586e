"""Labelled samples: parts, sparse classes, the split given back."""

import geopandas
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.transform import from_origin
from shapely.geometry import box

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.classes import classes_of
from twinns_qgis.samples.labelled import draw_samples, write_split
from twinns_qgis.samples.polygons import LabelledPolygons, read_polygons
from twinns_qgis.series.series import Series

SETTINGS = {"train_share": 0.3, "validation_share": 0.2, "seed": 0}


@pytest.fixture
def grid(site):
    return Series.open(site.sentinel2).grid


@pytest.fixture
def with_rare_class(site, tmp_path):
    """The site's polygons, two of them of a class of its own and one without class."""
    table = geopandas.read_file(site.polygons)
    table.loc[[0, 1], "name"] = "quarry"
    table.loc[2, "name"] = None
    table.to_file(tmp_path / "rare.gpkg")
    return read_polygons(str(tmp_path / "rare.gpkg"), "name")


def test_no_object_has_pixels_in_two_parts(site, grid, listener):
    polygons = read_polygons(str(site.polygons), "name")
    samples = draw_samples(polygons, grid, sparse="error", reporter=listener, **SETTINGS)
    parts = [set(samples.pixels.objects[samples.part(part)]) for part in ("train", "validation", "test")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 36
    assert sum(samples.object_counts("train").values()) == len(parts[0])


def test_the_split_is_told_in_numbers(with_rare_class, grid, listener):
    samples = draw_samples(with_rare_class, grid, sparse="drop", reporter=listener, **SETTINGS)
    told = samples.split_to_json()
    assert sum(sum(counts.values()) for counts in told["pixels"].values()) == len(samples.pixels)
    assert sum(sum(counts.values()) for counts in told["objects"].values()) == 36 - 3
    assert told["left_out"] == {"quarry": 2}
    assert told["touching_training"] == {"validation": 0, "test": 0}


def test_labels_are_those_of_the_ground(site, grid, listener):
    polygons = read_polygons(str(site.polygons), "name")
    samples = draw_samples(polygons, grid, sparse="error", reporter=listener, **SETTINGS)
    np.testing.assert_array_equal(samples.labels, site.truth[samples.pixels.rows, samples.pixels.columns])
    assert [item.name for item in samples.classes] == ["water", "wheat", "wood"]


def test_sparse_classes_are_refused_with_their_counts(with_rare_class, grid, listener):
    with pytest.raises(InputError, match=r"quarry: 2 objects.*SPARSE_CLASSES=drop"):
        draw_samples(with_rare_class, grid, sparse="error", reporter=listener, **SETTINGS)


def test_sparse_classes_are_left_out_with_a_warning_if_so_asked(with_rare_class, grid, listener):
    samples = draw_samples(with_rare_class, grid, sparse="drop", reporter=listener, **SETTINGS)
    assert [(item.code, item.name) for item in samples.classes] == [(1, "water"), (2, "wheat"), (3, "wood")]
    assert {item.name: count for item, count in samples.left_out.items()} == {"quarry": 2}
    assert any("quarry: 2 objects" in warning for warning in listener.warnings)
    assert any("1 polygons without a class" in warning for warning in listener.warnings)


def test_split_given_back_can_be_used_again(with_rare_class, grid, listener, tmp_path):
    samples = draw_samples(with_rare_class, grid, sparse="drop", reporter=listener, **SETTINGS)
    write_split(tmp_path / "split.gpkg", with_rare_class, samples)
    again = read_polygons(str(tmp_path / "split.gpkg"), "name", split_field="split")
    repeated = draw_samples(again, grid, sparse="error", reporter=listener, **{**SETTINGS, "seed": 9})
    for part in ("train", "validation", "test"):
        own, other = samples.part(part), repeated.part(part)
        np.testing.assert_array_equal(samples.pixels.rows[own], repeated.pixels.rows[other])
        np.testing.assert_array_equal(samples.pixels.columns[own], repeated.pixels.columns[other])
        np.testing.assert_array_equal(samples.labels[own], repeated.labels[other])
    assert samples.classes == repeated.classes


def test_the_split_holds_all_polygons(with_rare_class, grid, listener, tmp_path):
    samples = draw_samples(with_rare_class, grid, sparse="drop", reporter=listener, **SETTINGS)
    write_split(tmp_path / "split.gpkg", with_rare_class, samples)
    table = geopandas.read_file(tmp_path / "split.gpkg")
    assert len(table) == 36
    assert list(table["name"][table["split"].isna()].fillna("")) == ["quarry", "quarry", ""]


@pytest.mark.parametrize("name", ["polygons.shp", "polygons.geojson"])
def test_fields_that_the_split_needs_for_itself_give_way(site, grid, listener, tmp_path, name):
    table = geopandas.read_file(site.polygons)
    numbers = [100 + number for number in range(len(table))]
    table.assign(fid=numbers, geom=numbers, SPLIT="old").to_file(tmp_path / name)
    polygons = read_polygons(str(tmp_path / name), "name")
    samples = draw_samples(polygons, grid, sparse="error", reporter=listener, **SETTINGS)
    write_split(tmp_path / "split.gpkg", polygons, samples)
    written = geopandas.read_file(tmp_path / "split.gpkg")
    assert list(written["fid_"]) == list(written["geom_"]) == numbers
    assert "SPLIT" not in written
    assert set(written["split"]) == {"train", "validation", "test"}


def test_names_that_differ_in_case_alone_are_kept_apart(site, grid, listener, tmp_path):
    table = geopandas.read_file(site.polygons)
    table.assign(Name="other").to_file(tmp_path / "polygons.geojson")
    polygons = read_polygons(str(tmp_path / "polygons.geojson"), "name")
    samples = draw_samples(polygons, grid, sparse="error", reporter=listener, **SETTINGS)
    write_split(tmp_path / "split.gpkg", polygons, samples)
    assert {"name", "Name_"} <= set(geopandas.read_file(tmp_path / "split.gpkg").columns)


def test_split_is_written_as_geopackage_only(with_rare_class, grid, listener, tmp_path):
    samples = draw_samples(with_rare_class, grid, sparse="drop", reporter=listener, **SETTINGS)
    with pytest.raises(InputError, match=r"ends in \.gpkg"):
        write_split(tmp_path / "split.shp", with_rare_class, samples)


@pytest.fixture
def neighbours(site, tmp_path):
    """The site's fields grown by 10 m, so that neighbouring fields touch."""
    table = geopandas.read_file(site.polygons)
    table.assign(geometry=table.buffer(10, join_style="mitre")).to_file(tmp_path / "neighbours.gpkg")
    return read_polygons(str(tmp_path / "neighbours.gpkg"), "name")


def test_pixels_that_touch_training_are_counted_and_left_out(neighbours, grid, listener):
    kept = draw_samples(neighbours, grid, sparse="error", touching="keep", reporter=listener, **SETTINGS)
    dropped = draw_samples(neighbours, grid, sparse="error", reporter=listener, **SETTINGS)
    assert dict(kept.touching) == dict(dropped.touching)
    assert kept.touching["test"] > 0
    for part in ("validation", "test"):
        assert len(kept.part(part)) - len(dropped.part(part)) == kept.touching[part]
    training = {(row, column) for row, column in zip(*_places(dropped, "train"), strict=True)}
    for row, column in zip(*_places(dropped, "test"), strict=True):
        assert not any((row + dr, column + dc) in training for dr in range(-2, 3) for dc in range(-2, 3))


def _places(samples, part):
    own = samples.part(part)
    return samples.pixels.rows[own], samples.pixels.columns[own]


def test_a_part_that_all_touches_training_is_refused(site, grid, listener, tmp_path):
    table = geopandas.read_file(site.polygons)
    squares = [square.bounds for square in table.geometry]
    fields = {
        "train": [box(left, bottom, right, top) for left, bottom, right, top in squares],
        "validation": [box(right, bottom, right + 10, top) for _, bottom, right, top in squares],
        "test": [box(left, bottom - 10, right, bottom) for left, bottom, right, _ in squares],
    }
    table = geopandas.GeoDataFrame(
        {"name": [*table["name"]] * 3, "split": np.repeat(list(fields), len(table))},
        geometry=[shape for shapes in fields.values() for shape in shapes],
        crs=table.crs,
    )
    table.to_file(tmp_path / "close.gpkg")
    polygons = read_polygons(str(tmp_path / "close.gpkg"), "name", split_field="split")
    with pytest.raises(InputError, match=r"No pixel is left for the validation part.*TOUCHING_PIXELS=keep"):
        draw_samples(polygons, grid, sparse="error", reporter=listener, **SETTINGS)


def test_blocks_keep_parts_apart(site, grid, listener):
    polygons = read_polygons(str(site.polygons), "name")
    samples = draw_samples(polygons, grid, sparse="error", blocks=200, reporter=listener, **{**SETTINGS, "seed": 3})
    squares = {}
    for row, column, part in zip(
        samples.pixels.rows, samples.pixels.columns, samples.object_parts[samples.pixels.objects], strict=True
    ):
        squares.setdefault((row // 20, column // 20), set()).add(part)
    assert all(len(parts) == 1 for parts in squares.values())
    assert len(squares) == 9


def test_blocks_that_leave_a_class_without_a_part_are_refused(site, grid, listener):
    polygons = read_polygons(str(site.polygons), "name")
    with pytest.raises(InputError, match="With SPLIT_BLOCKS of 5000, some classes have no object"):
        draw_samples(polygons, grid, sparse="error", blocks=5000, reporter=listener, **SETTINGS)


VALUES = st.one_of(
    st.lists(st.integers(-5, 300), unique=True, min_size=3, max_size=6),
    st.lists(st.text("aAbBéz019", min_size=1, max_size=3), unique=True, min_size=3, max_size=6),
)


@given(VALUES, st.data())
@settings(deadline=None, max_examples=60)
def test_the_label_of_a_pixel_names_the_class_of_its_polygon_whatever_is_left_out(values, data):
    """Codes that were given before a class was left out, and after it, are in different orders."""
    sparse = data.draw(st.sets(st.sampled_from(values), max_size=len(values) - 2))
    of_polygons = [value for value in values for _ in range(2 if value in sparse else 3)]
    squares = [box(10 * place, 0, 10 * place + 10, 10) for place in range(len(of_polygons))]
    legend = classes_of(values)
    polygons = LabelledPolygons(
        source="fields",
        table=geopandas.GeoDataFrame(geometry=squares, crs="EPSG:32631"),
        classes=np.array([legend[value] for value in of_polygons], object),
        objects=np.arange(len(squares)),
        parts=None,
        without_class=0,
        without_polygon=0,
        legend=legend,
        all_polygons=None,
    )
    row = Grid(CRS.from_epsg(32631), from_origin(0, 10, 10, 10), len(squares), 1)
    samples = draw_samples(polygons, row, sparse="drop", touching="keep", reporter=Reporter(), **SETTINGS)
    assert {item.name for item in samples.classes} == {str(value) for value in values if value not in sparse}
    codes = [item.code for item in samples.classes]
    assert codes == sorted(set(codes))
    for column, label in zip(samples.pixels.columns, samples.labels, strict=True):
        assert samples.classes[label].name == str(of_polygons[column])
