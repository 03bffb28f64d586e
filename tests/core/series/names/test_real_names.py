"""Hundreds of names as archives, services and programs write them, from public listings and documentation.

A layer or day that may be two is written with both; an empty one is told by nothing.
"""

import csv
from pathlib import Path, PurePath

import pytest

from twinns_qgis.series.names.days import days_of
from twinns_qgis.series.names.layers import HLS_L30, LANDSAT_OLI, LANDSAT_TM, SENTINEL2, layer_described, layers_in
from twinns_qgis.series.names.origin import sensor_of, tile_of

CODES = {"HLS L30": HLS_L30, "Landsat 8-9": LANDSAT_OLI, "Landsat 4-7": LANDSAT_TM}
with Path(__file__).with_name("real_names.csv").open(newline="") as stream:
    NAMES = list(csv.DictReader(stream))


def layers_of(path):
    codes = CODES.get(sensor_of(path), SENTINEL2)
    folder = next(filter(None, map(layer_described, path.parts[-2::-1])), None)
    return layers_in(path.stem, codes) or ((folder,) if folder else ())


def test_there_are_hundreds():
    assert len(NAMES) > 300


@pytest.mark.parametrize("told", ["day", "tile", "layer"])
def test_real_names_tell(told):
    read = {
        "day": lambda path: " or ".join(map(str, days_of(path))),
        "tile": lambda path: tile_of(path) or "",
        "layer": lambda path: " or ".join(layers_of(path)),
    }[told]
    wrong = {row["path"]: (row[told], found) for row in NAMES if (found := read(PurePath(row["path"]))) != row[told]}
    assert wrong == {}


@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_names_tell_the_same_in_other_letters(change):
    for row in NAMES:
        path = PurePath(row["path"])
        other = path.with_name(change(path.stem) + path.suffix)
        assert layers_of(other) == layers_of(path), path
        assert tile_of(other) == tile_of(path), path
