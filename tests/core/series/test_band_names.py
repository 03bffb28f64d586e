"""Names of bands that files do not tell."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinns_qgis.errors import InputError
from twinns_qgis.series.band_names import BandNames


def known(name):
    return name in ("B2", "B3", "B8A", "VV")


names = st.sampled_from(["B2", "B3", "B8A", "-"])


@settings(deadline=None, max_examples=30)
@given(st.lists(names, min_size=1, max_size=6))
def test_names_in_order_are_those_of_files_with_as_many_bands(order):
    bands = BandNames.parse(", ".join(order))
    bands.check(known)
    count = len(order)
    assert bands.of(Path("a.tif"), [None] * count, known) == tuple(order)
    assert bands.of(Path("a.tif"), ["Band 1"] * count, known) == tuple(order)
    assert bands.of(Path("a.tif"), [None] * (count + 1), known) == ("",) * (count + 1)


def test_files_with_more_and_with_fewer_bands_have_lists_of_their_own():
    bands = BandNames.parse("B2, -, B8A; VV")
    assert bands.of(Path("a.tif"), [None] * 3, known) == ("B2", "-", "B8A")
    assert bands.of(Path("b.tif"), [None], known) == ("VV",)
    assert bands.of(Path("c.tif"), [None] * 2, known) == ("", "")
    with pytest.raises(InputError, match="two lists"):
        BandNames.parse("B2,B3;B3,B8A")


def test_bands_that_are_described_keep_their_names():
    assert BandNames.parse("B2,B3").of(Path("a.tif"), ["B3", None], known) == ("B3", "")


def test_a_table_names_the_bands_of_single_files(tmp_path):
    (tmp_path / "bands.csv").write_text(f"file,band,name\na.tif,2,B3\nsub/b.tif,1,B8A\n{tmp_path / 'c.tif'},1,B2\n")
    bands = BandNames.parse(str(tmp_path / "bands.csv"))
    bands.check(known)
    assert bands.of(tmp_path / "x" / "a.tif", ["B2", "B2"], known) == ("", "B3")
    assert bands.of(tmp_path / "sub" / "b.tif", [None], known) == ("B8A",)
    assert bands.of(tmp_path / "other" / "b.tif", [None], known) == ("",)
    assert bands.of(Path(f"{tmp_path / 'c.tif'}|crs=EPSG:32631"), [None], known) == ("B2",)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("file,band\na.tif,1\n", "no column name"),
        ("file,band,name\na.tif,0,B2\n", "line 2: file 'a.tif', band '0', name 'B2'"),
        ("file,band,name\na.tif,one,B2\n", "line 2"),
        ("file,band,name\na.tif,1\n", "line 2"),
        ("file,band,name\na.tif,1,B2\na.tif,1,B3\n", "line 3: band 1 of a.tif has two names"),
    ],
)
def test_a_table_that_is_wrong_is_refused(tmp_path, table, words):
    (tmp_path / "bands.csv").write_text(table)
    with pytest.raises(InputError, match=words):
        BandNames.parse(str(tmp_path / "bands.csv"))


def test_a_table_that_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"none\.csv can't be read"):
        BandNames.parse("none.csv")


def test_a_name_that_is_none_is_refused():
    with pytest.raises(InputError, match="'B99', which is no band"):
        BandNames.parse("B2,B99").check(known)
