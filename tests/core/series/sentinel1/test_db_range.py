"""Reading DB_RANGE."""

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.sentinel1.backscatter import DbRange
from twinns_qgis.series.sentinel1.db_range import Percentiles, parse_db_range, write_db_range


def test_decibels_and_percentiles_are_read_as_they_are_written():
    assert parse_db_range("VV=-25:5, vh = -32:-2.5") == {"VV": DbRange(-25, 5), "VH": DbRange(-32, -2.5)}
    assert parse_db_range("VV=p1:p99,VH= P0.5 : P99.5") == {"VV": Percentiles(1, 99), "VH": Percentiles(0.5, 99.5)}
    assert parse_db_range("VH=p2:p98,VV=-25:5") == {"VV": DbRange(-25, 5), "VH": Percentiles(2, 98)}


def test_a_range_without_a_polarisation_holds_for_all():
    assert parse_db_range("p1:p99") == {"VV": Percentiles(1, 99), "VH": Percentiles(1, 99)}
    assert parse_db_range("-30:0") == {"VV": DbRange(-30, 0), "VH": DbRange(-30, 0)}


def test_what_is_written_is_read_back():
    ranges = {"VV": DbRange(-25, 5), "VH": DbRange(-31.07, -2.1)}
    assert write_db_range(ranges) == "VV=-25:5,VH=-31.07:-2.1"
    assert parse_db_range(write_db_range(ranges)) == ranges


NEITHER = (
    "",
    "VV",
    "VV=-25",
    "VV=-25:x",
    "HH=-25:5",
    "VV=p1:5",
    "p1",
    "pp1:p9",
    "VV=-25:5,VV=-20:0",
    "VV=-25:5,p1:p99",
)
EMPTY = ("VV=5:-25", "VV=1:1", "VV=nan:1", "p99:p1", "p50:p50", "p-1:p99", "p1:p101")


@pytest.mark.parametrize("text", NEITHER + EMPTY)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(InputError, match=r"range of decibels .*p1:p99"):
        parse_db_range(text)
