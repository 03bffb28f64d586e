"""The offset that the user gives, and that of a baseline."""

from datetime import date

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.products.offset import Offset, of_baseline, parse_offset

BEFORE, SINCE = date(2022, 1, 24), date(2022, 1, 25)


@pytest.mark.parametrize(
    ("text", "before", "since"),
    [("-1000", 0, -1000), ("0", 0, 0), ("-1000 all", -1000, -1000), (" -900 ALL ", -900, -900)],
)
def test_an_offset_counts_from_the_day_on_or_at_all_dates(text, before, since):
    offset = parse_offset(text)
    assert (offset.on(BEFORE), offset.on(SINCE)) == (before, since)


@pytest.mark.parametrize("text", ["auto", "", "AUTO "])
def test_auto_is_none(text):
    assert parse_offset(text) is None


@pytest.mark.parametrize("text", ["x", "-1000 some", "auto all", "1e9", "nan all", "nan"])
def test_other_texts_are_refused_with_what_is_expected(text):
    with pytest.raises(InputError, match="OFFSET is") as raised:
        parse_offset(text)
    assert "-1000" in raised.value.hint


def test_baselines_since_0400_have_an_offset_and_that_of_users_tells_nothing():
    assert [of_baseline(text) for text in ("0206", "0301", "0400", "0511", "9999")] == [0, 0, -1000, -1000, None]
    assert Offset(-1000).on(BEFORE) == 0
