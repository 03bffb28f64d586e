"""Files appear whole or not at all."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from twinns_qgis import files
from twinns_qgis.errors import InputError
from twinns_qgis.files import (
    check_output,
    check_outputs,
    check_spared,
    discard_partial_files,
    kept_beside,
    partial_name,
    sha256_of,
    whole_file,
)


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "map.tif"
    with whole_file(path) as partial:
        partial.write_text("first")
        assert not path.exists()
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_takes_its_name_when_the_disk_has_it(tmp_path, monkeypatch):
    path = tmp_path / "map.tif"
    synced = []
    monkeypatch.setattr("os.fsync", lambda number: synced.append((os.fstat(number).st_size, path.exists())))
    with whole_file(path) as partial:
        partial.write_text("whole")
    assert synced == [(5, False)]


def _fail_half_way(partial):
    partial.write_text("half")
    raise ZeroDivisionError


def test_a_failure_leaves_the_former_file_and_nothing_else(tmp_path):
    path = tmp_path / "map.tif"
    path.write_text("former")
    with pytest.raises(ZeroDivisionError), whole_file(path) as partial:
        _fail_half_way(partial)
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_files_being_written_are_discarded_before_the_process_ends(tmp_path):
    file = whole_file(tmp_path / "map.tif")
    file.__enter__().write_text("half")
    discard_partial_files()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere of the output map\.tif does not exist"):
        check_output(tmp_path / "nowhere" / "map.tif")


def test_a_folder_is_no_output(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        check_output(tmp_path)


def test_a_path_below_a_file_is_no_output(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="does not exist"):
        check_output(tmp_path / "file" / "map.tif")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder where even root can't write")
def test_a_folder_that_can_not_be_written_is_named():
    with pytest.raises(InputError, match=r"/proc/self/map\.tif can't be written"):
        check_output(Path("/proc/self/map.tif"))


def test_the_check_leaves_nothing_behind(tmp_path):
    check_output(tmp_path / "map.tif")
    assert not partial_name(tmp_path / "map.tif").exists()


def test_two_outputs_are_two_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_outputs([Path("series.tif"), Path("validity.tif")])
    with pytest.raises(InputError, match="Two outputs have the same name"):
        check_outputs([Path("series.tif"), tmp_path / "series.tif"])


@pytest.mark.parametrize("length", [225, 240, 251, 300])
def test_a_name_that_leaves_no_room_for_what_lies_beside_it_is_refused(tmp_path, length):
    check_output(tmp_path / ("a" * 200 + ".tif"))
    with pytest.raises(InputError, match="too long"):
        check_output(tmp_path / ("ä" * (length // 2) + "a" * (length % 2) + ".tif"))
    assert list(tmp_path.iterdir()) == []


def test_an_output_is_no_input_under_any_name(tmp_path):
    (tmp_path / "image.tif").write_text("pixels")
    (tmp_path / "link.tif").symlink_to(tmp_path / "image.tif")
    check_spared([tmp_path / "series.tif"], [tmp_path / "image.tif"])
    with pytest.raises(InputError, match=r"link\.tif is one of the inputs"):
        check_spared([tmp_path / "link.tif"], [tmp_path / "image.tif"])


@pytest.mark.parametrize("changed", [".shp", ".dbf", ".cpg"])
def test_the_hash_of_a_shapefile_is_that_of_all_its_files(tmp_path, changed):
    for suffix in (".shp", ".dbf", ".shx", ".prj", ".cpg"):
        (tmp_path / f"fields{suffix}").write_text(suffix)
    (tmp_path / "others.dbf").write_text("another's")
    before = sha256_of(tmp_path / "fields.shp")
    (tmp_path / "others.dbf").write_text("changed")
    assert sha256_of(tmp_path / "fields.shp") == before
    (tmp_path / f"fields{changed}").write_text("changed")
    assert sha256_of(tmp_path / "fields.shp") != before


def test_the_hash_of_a_folder_is_that_of_all_its_files(tmp_path):
    (tmp_path / "fields.gdb").mkdir()
    (tmp_path / "fields.gdb/a.gdbtable").write_text("table")
    before = sha256_of(tmp_path / "fields.gdb")
    (tmp_path / "fields.gdb/b.gdbtable").write_text("another")
    assert sha256_of(tmp_path / "fields.gdb") != before


def test_locks_in_a_folder_are_none_of_its_content(tmp_path):
    (tmp_path / "fields.gdb").mkdir()
    (tmp_path / "fields.gdb/a.gdbtable").write_text("table")
    before = sha256_of(tmp_path / "fields.gdb")
    (tmp_path / "fields.gdb/_gdb.NODE.1.2.sr.lock").touch()
    assert sha256_of(tmp_path / "fields.gdb") == before


def test_the_hash_of_a_geopackage_that_is_open_elsewhere_is_that_of_its_latest_changes(tmp_path):
    path = tmp_path / "fields.gpkg"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE fields (class TEXT)")
        before, content = sha256_of(path), path.read_bytes()
        database.execute("INSERT INTO fields VALUES ('maize')")
        assert path.read_bytes() == content
        assert sha256_of(path) != before


@pytest.mark.parametrize("output", ["fields.dbf", "fields.gdb/a.gpkg"])
def test_an_output_replaces_no_part_of_an_input(tmp_path, output):
    (tmp_path / "fields.gdb").mkdir()
    for suffix in (".shp", ".dbf"):
        (tmp_path / f"fields{suffix}").touch()
    with pytest.raises(InputError, match="one of the inputs"):
        check_spared([tmp_path / output], [tmp_path / "fields.shp", tmp_path / "fields.gdb"])


def busy(self, target):
    if Path(target).exists():
        raise PermissionError(13, "The process cannot access the file because it is being used by another process")
    self.rename(target)


def test_a_file_that_is_open_elsewhere_is_found_out_before_the_work(tmp_path, monkeypatch):
    """As Windows has it: simulated."""
    (tmp_path / "map.tif").write_text("shown")
    monkeypatch.setattr(files, "_WINDOWS", True)
    check_output(tmp_path / "map.tif")
    assert (tmp_path / "map.tif").read_text() == "shown"

    def locked(self, target):
        raise PermissionError(13, "The process cannot access the file because it is being used by another process")

    monkeypatch.setattr(Path, "rename", locked)
    with pytest.raises(InputError, match=r"map\.tif can't be replaced: another program has it open.*Remove its layer"):
        check_output(tmp_path / "map.tif")


def test_a_finished_file_that_can_not_take_its_name_lies_beside_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "replace", busy)
    for name in ("map.tif", "map (1).tif"):
        (tmp_path / name).write_text("shown")
    with whole_file(tmp_path / "map.tif") as partial:
        partial.write_text("new")
    assert kept_beside(tmp_path / "map.tif") == tmp_path / "map (2).tif"
    assert (tmp_path / "map (2).tif").read_text() == "new"
    assert (tmp_path / "map.tif").read_text() == "shown"
    assert len(list(tmp_path.iterdir())) == 3
    assert kept_beside(tmp_path / "other.tif") is None
    monkeypatch.undo()
    with whole_file(tmp_path / "map.tif") as partial:
        partial.write_text("newer")
    assert kept_beside(tmp_path / "map.tif") is None


def test_a_file_that_was_opened_during_the_work_does_not_stop_the_writing_of_the_new_one(tmp_path, monkeypatch):
    """As Windows has it: simulated."""
    (tmp_path / "map.tif").write_text("shown")
    monkeypatch.setattr(files, "_WINDOWS", True)
    monkeypatch.setattr(Path, "replace", busy)
    own = Path.rename

    def rename(self, target):
        if self == tmp_path / "map.tif":
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        return own(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with whole_file(tmp_path / "map.tif") as partial:
        partial.write_text("hours of work")
    assert (tmp_path / "map (1).tif").read_text() == "hours of work"
    assert (tmp_path / "map.tif").read_text() == "shown"


@pytest.mark.parametrize("one_file", [False, True])
@pytest.mark.parametrize("content", ["map.tif", "1"])
def test_whether_case_counts_is_asked_of_what_has_letters(tmp_path, monkeypatch, one_file, content):
    folder = tmp_path / "2024"
    folder.mkdir()
    (folder / content).touch()
    if one_file:
        monkeypatch.setattr(Path, "samefile", lambda self, other: str(self).casefold() == str(other).casefold())
    assert files._ignores_case(folder) is one_file


def test_outputs_whose_names_differ_in_case_alone_are_one_file_where_case_does_not_count(tmp_path, monkeypatch):
    both = [tmp_path / "map.tif", tmp_path / "Map.TIF"]
    check_outputs(both)
    check_spared(both[:1], both[1:])
    monkeypatch.setattr(files, "_ignores_case", lambda folder: True)
    with pytest.raises(InputError, match="Two outputs have the same name"):
        check_outputs(both)
    with pytest.raises(InputError, match="one of the inputs"):
        check_spared(both[:1], both[1:])
