"""The split given back."""

import geopandas
import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.samples.labelled import draw_samples
from twinns_qgis.samples.polygons import read_polygons
from twinns_qgis.samples.split_layer import write_split

SETTINGS = {"train_share": 0.3, "validation_share": 0.2, "seed": 0}


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


@pytest.mark.parametrize("name", ["wow!/a;b.gpkg", "100 %20?/c.gpkg"])
def test_a_path_may_hold_what_addresses_hold(with_rare_class, grid, listener, tmp_path, name):
    samples = draw_samples(with_rare_class, grid, sparse="drop", reporter=listener, **SETTINGS)
    (tmp_path / name).parent.mkdir()
    write_split(tmp_path / name, with_rare_class, samples)
    assert len(read_polygons(str(tmp_path / name), "name").labels) == len(with_rare_class.labels)


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
