"""Where dates come from."""

from datetime import date
from pathlib import Path

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.dates import AcquisitionDates, by_acquisition, by_name

DAY = date(2018, 1, 3)


@pytest.mark.parametrize(
    "name",
    [
        "S2_20180103_10m.tif",
        "s1a_31UES_vv_DES_110_20180103txxxxxx.tif",
        "S1A__IW___A_20180103T173017_VV.tif",
        "S2A_MSIL2A_20180103T105441_N0206_R051_T31TDH_20190507T124911.tif",
        "image 2018-01-03.tif",
        "image_2018_01_03.tif",
        "20180103173236_VV.tif",
        "id20189999_20180103.tif",
    ],
)
def test_a_name_tells_the_date(name):
    assert by_name(Path(name)) == DAY


@pytest.mark.parametrize("name", ["image.tif", "tile_120180103.tif", "20181303.tif", "1234.tif", "2018-0103.tif"])
def test_other_numbers_are_no_dates(name):
    assert by_name(Path(name)) is None


@pytest.mark.parametrize(
    "tags",
    [
        {"ACQUISITION_DATE": "2018-01-03"},
        {"ACQUISITION_DATETIME": "2018-01-03T17:32:36Z", "TIFFTAG_DATETIME": "2020:05:05 00:00:00"},
        {"acquisition_start": "20180103"},
    ],
)
def test_metadata_tell_the_date(tags):
    assert by_acquisition(tags) == DAY


def test_table_comes_before_metadata_and_metadata_before_name(tmp_path, listener):
    table = tmp_path / "dates.csv"
    table.write_text(
        f"file,date,note\na_20180103.tif,2015-01-01,\n{tmp_path}/sub/b.tif,2015-01-02,\nsub/c.tif,2015-01-03,"
    )
    names = ("a_20180103.tif", "sub/b.tif", "sub/c.tif", "d_20180103.tif")
    tagged = {tmp_path / name: {"ACQUISITION_DATE": "2016-01-01"} for name in names}
    files = tagged | {tmp_path / "e_20180103.tif": {}}
    found = AcquisitionDates(table, listener).of(files)
    assert [day.year for day in found.values()] == [2015, 2015, 2015, 2016, 2018]


def test_all_undated_files_are_listed_in_one_error(listener):
    files = {Path(f"image{letter}.tif"): {} for letter in "abc"} | {Path("image_20180103.tif"): {}}
    with pytest.raises(InputError, match=r"3 of 4 files.*imagea\.tif, imageb\.tif, imagec\.tif.*DATES"):
        AcquisitionDates(None, listener).of(files)


def test_the_name_goes_before_the_time_of_writing(listener):
    """An export writes all its files on one day: three dates became one."""
    files = {Path(f"S2_2018010{day}.tif"): {"TIFFTAG_DATETIME": "2020:05:05 00:00:00"} for day in (3, 5, 8)}
    assert list(AcquisitionDates(None, listener).of(files).values()) == [date(2018, 1, day) for day in (3, 5, 8)]
    assert listener.warnings == []


def test_the_time_of_writing_serves_where_nothing_else_does_and_is_told(listener):
    files = {Path("image.tif"): {"TIFFTAG_DATETIME": "2018:01:03 17:32:36"}}
    assert AcquisitionDates(None, listener).of(files) == {Path("image.tif"): DAY}
    assert "image.tif" in listener.warnings[0]


def test_one_date_by_metadata_and_several_by_name_are_refused(tmp_path, listener):
    tags = {"ACQUISITION_DATE": "2020-05-05"}
    files = {tmp_path / f"S2_2018010{day}.tif": tags for day in (3, 5)}
    with pytest.raises(InputError, match=r"all of 2020-05-05, by their names of 2 dates.*S2_20180105\.tif.*DATES"):
        AcquisitionDates(None, listener).of(files)
    table = tmp_path / "dates.csv"
    table.write_text("file,date\nS2_20180103.tif,2018-01-03\nS2_20180105.tif,2018-01-05\n")
    assert len(set(AcquisitionDates(table, listener).of(files).values())) == 2


def test_rows_that_no_file_matches_are_told(tmp_path, listener):
    (tmp_path / "dates.csv").write_text("file,date\na.tif,2018-01-03\nmisspelt.tif,2018-01-04\n")
    dates = AcquisitionDates(tmp_path / "dates.csv", listener)
    dates.of({tmp_path / "a.tif": {}})
    dates.warn_of_unused_rows()
    assert "misspelt.tif" in listener.warnings[0]
    assert "a.tif," not in listener.warnings[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,date\na.tif,2018-01-03\n", "no column file"),
        ("file;date\na.tif;2018-01-03\n", "no column date and no column file"),
        ("file,date\na.tif,2018-01-03\nb.tif,3.1.2018\n", "line 3: file 'b.tif', date '3.1.2018'"),
        ("file,date\na.tif,2018-01-03\na.tif,2018-01-04\n", "line 3: a.tif has two dates"),
        ("file,date\n\xff", "dates.csv"),
    ],
)
def test_a_table_that_can_not_be_read_is_refused_with_its_line(tmp_path, listener, text, words):
    (tmp_path / "dates.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=words):
        AcquisitionDates(tmp_path / "dates.csv", listener)


def test_a_missing_table_is_named(tmp_path, listener):
    with pytest.raises(InputError, match=r"none\.csv can't be read"):
        AcquisitionDates(tmp_path / "none.csv", listener)
