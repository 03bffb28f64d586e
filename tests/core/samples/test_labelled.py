"""Labelled samples: parts, classes that are left out, and which class a pixel gets."""

import geopandas
import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.transform import from_origin
from shapely.affinity import translate
from shapely.geometry import box

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.class_table import ClassTable
from twinns_qgis.samples.labelled import draw_samples
from twinns_qgis.samples.polygons import read_polygons
from twinns_qgis.samples.split_layer import write_split

SETTINGS = {"train_share": 0.3, "validation_share": 0.2, "seed": 0}


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
    assert samples.left_out == {"quarry": 2}
    assert any("quarry: 2 objects" in warning for warning in listener.warnings)
    assert any("1 polygons without a class" in warning for warning in listener.warnings)


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


@pytest.fixture
def one_place(site, tmp_path):
    """The site's polygons, five of them of a class of its own whose fields are neighbours."""
    table = geopandas.read_file(site.polygons)
    table.loc[:4, "name"] = "quarry"
    table.to_file(tmp_path / "place.gpkg")
    return read_polygons(str(tmp_path / "place.gpkg"), "name")


def test_blocks_that_leave_a_class_without_a_part_are_refused(one_place, grid, listener):
    with pytest.raises(InputError, match=r"quarry: .*0 for .*SPLIT_BLOCKS is 300: choose smaller blocks"):
        draw_samples(one_place, grid, sparse="error", blocks=300, reporter=listener, **SETTINGS)


def test_classes_that_blocks_leave_without_a_part_are_left_out_if_so_asked(one_place, grid, listener):
    samples = draw_samples(one_place, grid, sparse="drop", blocks=300, reporter=listener, **SETTINGS)
    assert samples.left_out == {"quarry": 5}
    assert [item.name for item in samples.classes] == ["water", "wheat", "wood"]
    assert all(all(samples.object_counts(part).values()) for part in ("train", "validation", "test"))


def test_blocks_that_leave_no_class_are_refused(site, grid, listener):
    polygons = read_polygons(str(site.polygons), "name")
    with pytest.raises(InputError, match=r"0 class of .* can be trained"):
        draw_samples(polygons, grid, sparse="drop", blocks=5000, reporter=listener, **SETTINGS)


def test_a_class_is_split_alike_whether_another_one_is_left_out_or_not(with_rare_class, grid, listener, tmp_path):
    table = with_rare_class.all_polygons
    table.fillna({"name": "quarry"}).to_file(tmp_path / "more.gpkg")
    more = read_polygons(str(tmp_path / "more.gpkg"), "name")
    without = draw_samples(with_rare_class, grid, sparse="drop", reporter=listener, **SETTINGS)
    with_it = draw_samples(more, grid, sparse="error", reporter=listener, **SETTINGS)
    before, after = (
        dict(zip(polygons.table.index, samples.object_parts[polygons.objects], strict=True))
        for polygons, samples in ((with_rare_class, without), (more, with_it))
    )
    others = table.index[table["name"].isin(["water", "wheat", "wood"])]
    assert [before[feature] for feature in others] == [after[feature] for feature in others]


LABELS = st.one_of(
    st.lists(st.integers(-5, 300), unique=True, min_size=3, max_size=6),
    st.lists(st.sampled_from([-1.0, 0.0, 1.0, 2.0, 2.5, 10.0, 254.0, 255.0]), unique=True, min_size=3, max_size=6),
    st.lists(st.text("aAbBéz019", min_size=1, max_size=3), unique=True, min_size=3, max_size=6),
)


@given(LABELS, st.data())
@settings(deadline=None, max_examples=12)
def test_the_label_of_a_pixel_names_the_class_of_its_polygon_whatever_is_left_out(tmp_path_factory, values, data):
    """Codes that were given before a class was left out, and after it, are in different orders."""
    sparse = data.draw(st.sets(st.sampled_from(values), max_size=len(values) - 2))
    of_polygons = data.draw(st.permutations([value for value in values for _ in range(2 if value in sparse else 3)]))
    squares = [box(10 * place, 0, 10 * place + 10, 10) for place in range(len(of_polygons))]
    folder = tmp_path_factory.mktemp("fields")
    geopandas.GeoDataFrame({"c": of_polygons}, geometry=squares, crs="EPSG:32631").to_file(folder / "fields.gpkg")
    polygons = read_polygons(str(folder / "fields.gpkg"), "c")
    row = Grid(CRS.from_epsg(32631), from_origin(0, 10, 10, 10), len(squares), 1)
    samples = draw_samples(polygons, row, sparse="drop", touching="keep", reporter=Reporter(), **SETTINGS)
    write_split(folder / "split.gpkg", polygons, samples)
    again = read_polygons(str(folder / "split.gpkg"), "c", split_field="split")
    repeated = draw_samples(again, row, sparse="error", touching="keep", reporter=Reporter(), **SETTINGS)
    names = [str(value).removesuffix(".0") for value in of_polygons]
    kept = [column for column, value in enumerate(of_polygons) if value not in sparse]
    for one in (samples, repeated):
        assert list(one.pixels.columns) == kept
        assert [one.classes[label].name for label in one.labels] == [names[column] for column in kept]
    codes = [item.code for item in samples.classes]
    assert codes == sorted(set(codes))
    assert samples.classes == repeated.classes


def test_pixels_keep_their_class_in_the_order_of_a_table(site, grid, listener, tmp_path):
    (tmp_path / "classes.csv").write_text("class,name,color\nwood,Wald,#00ff00\nwater,,\n")
    polygons = read_polygons(str(site.polygons), "name")
    options = {"sparse": "error", "reporter": listener, **SETTINGS}
    plain = draw_samples(polygons, grid, **options)
    dressed = draw_samples(polygons, grid, table=ClassTable.read(tmp_path / "classes.csv"), **options)
    assert [(item.code, item.name) for item in dressed.classes] == [(3, "Wald"), (1, "water"), (2, "wheat")]
    assert [dressed.classes[label].code for label in dressed.labels] == [
        plain.classes[label].code for label in plain.labels
    ]
    np.testing.assert_array_equal(dressed.object_parts, plain.object_parts)


@pytest.fixture
def overlapping(site, tmp_path):
    """The site's polygons, and two more: one wholly on top of a field of another class, one beside it, misspelt."""
    table = geopandas.read_file(site.polygons)
    first = table.geometry[table["name"] == "wheat"].iloc[0]
    inside, beside = first.buffer(-10), translate(first, xoff=20)
    others = geopandas.GeoDataFrame({"name": ["wood", "Wheat"]}, geometry=[inside, beside], crs=table.crs)
    pandas.concat([table, others]).to_file(tmp_path / "overlapping.gpkg")
    return read_polygons(str(tmp_path / "overlapping.gpkg"), "name")


def test_contested_pixels_are_told_by_pair_of_classes_and_left_out(overlapping, site, grid, listener):
    samples = draw_samples(overlapping, grid, sparse="drop", reporter=listener, **SETTINGS)
    told = next(warning for warning in listener.warnings if "different classes" in warning)
    assert told.startswith(f"{samples.contested.count} pixels lie in polygons of different classes, and are left out: ")
    assert "wheat and wood" in told
    assert "Of 1 objects nothing is left." in told
    assert samples.split_to_json()["contested"] == samples.contested.count > 0
    np.testing.assert_array_equal(samples.labels, site.truth[samples.pixels.rows, samples.pixels.columns])


def test_names_that_differ_in_case_alone_are_told(overlapping, grid, listener):
    draw_samples(overlapping, grid, sparse="drop", reporter=listener, **SETTINGS)
    assert any("'wheat' (12), 'Wheat' (1)" in warning for warning in listener.warnings)


def test_a_class_with_many_more_pixels_is_told_and_thinned_if_so_asked(site, grid, listener, tmp_path):
    table = geopandas.read_file(site.polygons)
    small = table["name"] != "water"
    table.loc[small, "geometry"] = table.geometry[small].centroid.buffer(8)
    table.to_file(tmp_path / "small.gpkg")
    polygons = read_polygons(str(tmp_path / "small.gpkg"), "name")
    drawn = draw_samples(polygons, grid, sparse="error", reporter=listener, **SETTINGS)
    assert any("water (" in warning and "MAX_PIXELS" in warning for warning in listener.warnings)
    thinned = draw_samples(polygons, grid, sparse="error", max_pixels=30, reporter=listener, **SETTINGS)
    water = next(item.code for item in thinned.classes if item.name == "water")
    assert thinned.pixel_counts("train")[water] == 30
    assert thinned.thinned == {"water": drawn.pixel_counts("train")[water] - 30}
    assert thinned.object_counts("train") == drawn.object_counts("train")
    assert len(thinned.part("test")) >= len(drawn.part("test"))


def test_points_are_samples(site, grid, listener, tmp_path):
    table = geopandas.read_file(site.polygons)
    table.geometry = table.geometry.representative_point()
    table.to_file(tmp_path / "points.gpkg")
    polygons = read_polygons(str(tmp_path / "points.gpkg"), "name")
    samples = draw_samples(polygons, grid, sparse="error", reporter=listener, **SETTINGS)
    assert len(samples.pixels) == len(table)
    np.testing.assert_array_equal(samples.labels, site.truth[samples.pixels.rows, samples.pixels.columns])
    write_split(tmp_path / "split.gpkg", polygons, samples)
    again = read_polygons(str(tmp_path / "split.gpkg"), "name", split_field="split")
    np.testing.assert_array_equal(again.parts, samples.object_parts)
