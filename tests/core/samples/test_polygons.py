"""Polygons with a class: what is read, what is left out, what is refused."""

import shutil
from pathlib import Path
from zipfile import ZipFile

import geopandas
import numpy as np
import pandas
import pytest
from rasterio.crs import CRS
from shapely.geometry import GeometryCollection, LineString, MultiPoint, MultiPolygon, Point, Polygon, box

from twinns_qgis.errors import InputError
from twinns_qgis.samples.polygons import VectorSource, read_polygons, split_source

SQUARES = [box(number, 0, number + 1, 1) for number in range(4)]


@pytest.fixture
def write(tmp_path):
    def write(columns, geometry=SQUARES, crs="EPSG:32631", name="polygons.gpkg", **options):
        geopandas.GeoDataFrame(columns, geometry=geometry, crs=crs).to_file(tmp_path / name, **options)
        return str(tmp_path / name)

    return write


def names(polygons):
    return [str(label) for label in polygons.labels]


def test_labels_are_text_or_whole_numbers_even_beside_nulls(write):
    assert read_polygons(write({"c": ["wood", " crop", "wood", "water"]}), "c").labels == (
        "wood",
        "crop",
        "wood",
        "water",
    )
    with_null = pandas.array([7, None, 200, 7], dtype="Int64")
    assert read_polygons(write({"c": with_null}, name="numbers.gpkg"), "c").labels == (7, 200, 7)


def test_null_and_empty_classes_are_left_out_and_counted(write):
    polygons = read_polygons(write({"c": ["wood", None, "  ", "crop"]}), "c")
    assert names(polygons) == ["wood", "crop"]
    assert polygons.without_class == 2


def test_each_polygon_is_an_object_by_default(write):
    assert len(set(read_polygons(write({"c": ["a", "a", "b", "b"]}), "c").objects)) == 4


def test_polygons_with_one_object_value_are_one_object_and_null_stands_alone(write):
    objects = read_polygons(write({"c": ["a", "a", "b", "b"], "o": ["x", "x", None, None]}), "c", "o").objects
    assert objects[0] == objects[1]
    assert len(set(objects)) == 3


def test_polygons_with_an_empty_object_value_stand_alone(write):
    objects = read_polygons(write({"c": ["a", "b", "a", "b"], "o": ["x", "", "", " "]}), "c", "o").objects
    assert len(set(objects)) == 4


def test_an_object_named_like_a_feature_is_another(write):
    source = write({"c": ["a", "b", "a", "b"], "o": ["feature 2", None, "x", "y"]})
    objects = read_polygons(source, "c", "o").objects
    assert sorted(objects) == [0, 1, 2, 3]


def test_objects_are_numbered_in_the_order_of_their_names(write):
    source = write({"c": ["a", "b", "a", "b"], "o": ["x", None, "feature 10", "a"]})
    assert list(read_polygons(source, "c", "o").objects) == [3, 2, 1, 0]


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_split_field_gives_the_parts_and_null_or_empty_leaves_out(write, nothing):
    source = write({"c": ["a", "a", "b", "b"], "s": ["train", "test", "validation", nothing]})
    polygons = read_polygons(source, "c", split_field="s")
    assert list(polygons.parts[polygons.objects]) == ["train", "test", "validation"]


def test_layer_can_be_named_as_qgis_does(write, tmp_path):
    write({"c": ["a", "b", "a", "b"]}, layer="first")
    source = write({"k": ["x", "y", "x", "y"]}, layer="second", mode="a")
    assert names(read_polygons(f"{source}|layername=second", "k")) == ["x", "y", "x", "y"]
    with pytest.raises(InputError, match="first, second"):
        read_polygons(source, "k")


def test_shapefile_is_read(write):
    assert names(read_polygons(write({"c": ["a", "b", "a", "b"]}, name="p.shp"), "c")) == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    ("columns", "options", "arguments", "message"),
    [
        ({"c": ["a", "b", "a", "b"]}, {}, ("kind",), "no field 'kind'.*fields are c"),
        ({"c": ["a", "b", "a", "b"]}, {"crs": None}, ("c",), "no coordinate reference system"),
        ({"c": [None, None, None, None]}, {}, ("c",), "class field 'c' .* is empty"),
        ({"c": ["a", "a", None, "a"]}, {}, ("c",), "holds 1 class, 'a'"),
        (
            {"c": ["a", "b", "a", "b"]},
            {"geometry": [LineString([(0, n), (1, n)]) for n in range(4)]},
            ("c",),
            "holds no polygons or points.*LineString.*points, each of which labels the pixel below it",
        ),
        ({"c": range(255)}, {"geometry": SQUARES[:1] * 255}, ("c",), "255 different values, such as '0', '1'"),
        (
            {"c": ["a", "b", "a", "b"], "o": [1, 1, 2, 2]},
            {},
            ("c", "o"),
            "2 objects .* several classes in 'c': 'o' '1', '2'",
        ),
        ({"c": ["a", "b", "a", "b"], "s": ["train", "x", "test", "y"]}, {}, ("c", None, "s"), "holds 'x', 'y'"),
        (
            {"c": ["a", "b", "a", "b"], "s": [None, "", " ", None]},
            {},
            ("c", None, "s"),
            "a part in the split field 's'",
        ),
        (
            {"c": ["a", "b", "a", "b"], "s": ["train", "", "test", None]},
            {},
            ("c", None, "s"),
            "1 class where the split field 's' names a part, 'a'",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(write, columns, options, arguments, message):
    with pytest.raises(InputError, match=message):
        read_polygons(write(columns, **options), *arguments)


def test_missing_and_unreadable_files_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"nowhere.gpkg do not exist"):
        read_polygons(str(tmp_path / "nowhere.gpkg"), "c")
    (tmp_path / "broken.gpkg").write_bytes(b"not a database")
    with pytest.raises(InputError, match=r"broken\.gpkg can't be read"):
        read_polygons(str(tmp_path / "broken.gpkg"), "c")


def test_numbering_of_objects_does_not_depend_on_the_order_of_features(write):
    one = read_polygons(write({"c": ["a", "b", "c", "d"], "o": ["k", "l", "m", "n"]}), "c", "o")
    other = read_polygons(write({"c": ["d", "c", "b", "a"], "o": ["n", "m", "l", "k"]}, name="q.gpkg"), "c", "o")
    np.testing.assert_array_equal(one.objects, other.objects[::-1])


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("a.gpkg", ("a.gpkg", None, None)),
        ("a.gpkg|layername=fields", ("a.gpkg", "fields", None)),
        ("a.gpkg|layername=", ("a.gpkg", None, None)),
        ("a.shp|layerid=0", ("a.shp", 0, None)),
        ("a.gpkg|layername=f|geometrytype=Polygon|subset=\"c\" != 'a|b'", ("a.gpkg", "f", "\"c\" != 'a|b'")),
        ("a.shp|layerid=0|subset=c = 1|uniqueGeometryType=yes", ("a.shp", 0, "c = 1")),
    ],
)
def test_a_source_is_taken_apart_as_qgis_writes_it(source, parts):
    path, layer, subset = parts
    assert split_source(source) == VectorSource(Path(path), layer, subset)


@pytest.mark.parametrize("name", ["a!b.gpkg", "a;b.shp", "100 %20/a.gpkg", "wow!/q?u;a/a.gpkg", "a!b.zip", "a!b.gdb"])
def test_a_path_may_hold_what_addresses_hold(write, tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = write({"k": ["x", "y", "x", "y"]}, name=f"plain{path.suffix.replace('.zip', '.shz')}")
    for file in tmp_path.glob("plain.*"):
        shutil.move(file, path.parent / file.name.replace(Path(plain).stem, path.stem).replace(".shz", ".zip"))
    assert names(read_polygons(str(path), "k")) == ["x", "y", "x", "y"]


def test_the_name_of_a_file_may_hold_a_bar(write, tmp_path):
    path = tmp_path / "a|b=c.gpkg"
    Path(write({"k": ["x", "y", "x", "y"]})).rename(path)
    assert split_source(f"{path}|layername=polygons|subset=k = 'x'") == (path, "polygons", "k = 'x'")
    assert names(read_polygons(str(path), "k")) == ["x", "y", "x", "y"]


@pytest.mark.parametrize("source", ["a.gpkg|layername=f|option=1", "a.gpkg|fields", "a.gpkg|layerid=one"])
def test_an_unknown_option_of_a_source_is_refused(source):
    with pytest.raises(InputError, match=r"unknown option, '(option=1|fields|layerid=one)'"):
        split_source(source)


@pytest.mark.parametrize("name", ["polygons.gpkg", "polygons.shp", "polygons.geojson"])
def test_a_filtered_layer_gives_the_polygons_of_its_filter(write, name):
    source = write({"c": ["wood", "crop", "wood", "water"]}, name=name)
    polygons = read_polygons(f"{source}|layername=polygons|subset=\"c\" != 'wood'", "c")
    assert names(polygons) == ["crop", "water"]


@pytest.mark.parametrize("name", ["polygons.gpkg", "polygons.shp"])
def test_a_filter_that_is_none_is_refused(write, name):
    source = write({"c": ["wood", "crop", "wood", "water"]}, name=name)
    with pytest.raises(InputError, match=r"can't be read.*the condition nonsense >"):
        read_polygons(f"{source}|subset=nonsense > > 'a'", "c")


def test_the_polygons_of_geometry_collections_count(write):
    """As a clip leaves them where a polygon touches the edge."""
    touching = GeometryCollection([SQUARES[0], LineString([(0, 0), (0, 1)]), GeometryCollection([SQUARES[2]])])
    polygons = read_polygons(write({"c": ["a", "b", "b"]}, [touching, SQUARES[1], Point(0, 0)]), "c")
    assert names(polygons) == ["a", "b"]
    assert polygons.table.geometry.iloc[0].equals(MultiPolygon([SQUARES[0], SQUARES[2]]))
    assert polygons.without_polygon == 1


def test_points_are_read_where_there_are_no_polygons(write):
    points = [Point(0, 0), MultiPoint([(1, 1), (2, 2)]), None, LineString([(0, 0), (1, 1)])]
    polygons = read_polygons(write({"c": ["a", "b", "a", "b"]}, points), "c")
    assert polygons.table.geometry.iloc[1].equals(MultiPoint([(1, 1), (2, 2)]))
    assert names(polygons) == ["a", "b"]
    assert polygons.without_polygon == 2


def test_names_are_counted_as_they_are_written(write):
    polygons = read_polygons(write({"c": ["a ", "a", "A", "b"]}), "c")
    assert polygons.spellings == {"a ": 1, "a": 1, "A": 1, "b": 1}
    assert names(polygons) == ["a", "a", "A", "b"]


def test_features_without_a_polygon_are_counted(write):
    geometry = [*SQUARES[:2], None, Polygon(), GeometryCollection([Point(0, 0)])]
    polygons = read_polygons(write({"c": list("ababa")}, geometry), "c")
    assert len(polygons.all_polygons) == 2
    assert polygons.without_polygon == 3


@pytest.mark.parametrize(
    ("encoding", "page", "cpg"),
    [
        ("utf-8", 0, None),
        ("utf-8", 0x57, None),
        ("ISO-8859-1", 0x57, None),
        ("ISO-8859-1", 0, None),
        ("utf-8", 0, "UTF-8"),
    ],
)
def test_a_shapefile_is_read_in_the_encoding_that_it_is_in(write, tmp_path, encoding, page, cpg):
    """Many programs write UTF-8 and don't say so."""
    values = ["forêt", "blé", "forêt", "Öl"]
    field = "größe" if encoding == "utf-8" else "size"
    source = write({field: values}, name="fields.shp", encoding=encoding)
    (tmp_path / "fields.cpg").unlink(missing_ok=True)
    if cpg:
        (tmp_path / "fields.cpg").write_text(cpg)
    table = bytearray((tmp_path / "fields.dbf").read_bytes())
    table[29] = page
    (tmp_path / "fields.dbf").write_bytes(table)
    assert names(read_polygons(source, field)) == values


@pytest.mark.parametrize("encoding", ["utf-8", "ISO-8859-1"])
def test_a_zipped_shapefile_is_read_in_its_encoding(write, tmp_path, encoding):
    write({"c": ["forêt", "blé", "forêt", "Öl"]}, name="fields.shp", encoding=encoding)
    with ZipFile(tmp_path / "fields.zip", "w") as archive:
        for suffix in ("shp", "shx", "dbf", "prj"):
            archive.write(tmp_path / f"fields.{suffix}", f"fields.{suffix}")
    assert names(read_polygons(str(tmp_path / "fields.zip"), "c")) == ["forêt", "blé", "forêt", "Öl"]


def test_a_file_geodatabase_is_read(write):
    assert names(read_polygons(write({"c": list("abab")}, name="fields.gdb", driver="OpenFileGDB"), "c")) == list(
        "abab"
    )


@pytest.mark.parametrize(
    ("geometry", "area"),
    [
        ("POLYGON ((0 0, 1 0, 1 1))", 0.5),  # not closed
        ("POLYGON Z ((0 0 9, 1 0 9, 1 1 9, 0 0 9))", 0.5),
        ("CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 2 0, 1 -1, 0 0))", np.pi),
        (
            "MULTISURFACE (CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 2 0, 1 -1, 0 0)), ((5 0, 6 0, 6 1, 5 0)))",
            np.pi + 0.5,
        ),
        ("GEOMETRYCOLLECTION (MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0))), POINT (3 3))", 0.5),
        ("GEOMETRYCOLLECTION (CURVEPOLYGON (CIRCULARSTRING (0 0, 1 1, 2 0, 1 -1, 0 0)), POINT (3 3))", None),
        ("TIN (((0 0, 1 0, 1 1, 0 0)), ((0 0, 1 1, 0 1, 0 0)))", None),
        ("COMPOUNDCURVE (CIRCULARSTRING (0 0, 1 1, 2 0))", None),
        ("GEOMETRYCOLLECTION EMPTY", None),
    ],
)
def test_surfaces_of_all_kinds_are_polygons_or_told(tmp_path, geometry, area):
    squares = [f"{label},{square.wkt}" for label, square in zip("ab", SQUARES, strict=False)]
    rows = [line.replace(",", ',"', 1) + '"' for line in (*squares, f"c,{geometry}")]
    (tmp_path / "fields.csv").write_text("\n".join(["c,WKT", *rows]))
    (tmp_path / "fields.prj").write_text(CRS.from_epsg(32631).to_wkt())
    polygons = read_polygons(str(tmp_path / "fields.csv"), "c")
    assert names(polygons) == ["a", "b", *(["c"] if area else [])]
    assert polygons.without_polygon == (0 if area else 1)
    if area:
        assert polygons.table.area.iloc[2] == pytest.approx(area, rel=1e-3)
