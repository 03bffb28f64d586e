"""Files on disk and in zip archives, alike."""

import errno
import os
import pickle
import zipfile
from pathlib import Path

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import ZipMember, files_below, on_disk, place, read_bytes


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "one (1).zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("product/a.xml", "<a/>")
        target.writestr("product/MASKS/", "")
        target.writestr("__MACOSX/product/._a.xml", "junk")
    return path


def test_files_on_disk_and_in_archives_are_listed_in_order(tmp_path, archive):
    for name in ("z.tif", "a.tif", "._a.tif"):
        (tmp_path / name).write_text("text")
    member = ZipMember(archive, "product/a.xml")
    assert files_below(tmp_path) == [tmp_path / "a.tif", member, tmp_path / "z.tif"]
    assert [read_bytes(file) for file in files_below(tmp_path)] == [b"text", b"<a/>", b"text"]


def test_a_member_reads_like_a_path_and_goes_to_other_processes(archive):
    member = ZipMember(archive, "product/a.xml")
    assert (str(member), member.name) == (f"{archive}/product/a.xml", "a.xml")
    assert (place(member), on_disk(member)) == (archive / "product/a.xml", archive)
    assert {pickle.loads(pickle.dumps(member)): 1} == {member: 1}


def test_a_damaged_archive_is_named(tmp_path, archive):
    archive.write_bytes(archive.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"The archive .*one \(1\)\.zip can't be read"):
        files_below(tmp_path)


def test_a_damaged_member_is_named(archive):
    archive.write_bytes(archive.read_bytes().replace(b"<a/>", b"<b/>"))
    with pytest.raises(InputError, match=r"one \(1\)\.zip/product/a\.xml can't be read"):
        read_bytes(ZipMember(archive, "product/a.xml"))


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path):
    (tmp_path / "elsewhere" / "product").mkdir(parents=True)
    (tmp_path / "elsewhere" / "product" / "a.tif").write_text("text")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "linked").symlink_to(tmp_path / "elsewhere" / "product", target_is_directory=True)
    (folder / "back").symlink_to(folder, target_is_directory=True)
    assert files_below(folder) == [folder / "linked" / "a.tif"]


def test_a_folder_that_can_not_be_read_is_refused(tmp_path, monkeypatch):
    """What it holds would be missing without a word."""
    (tmp_path / "open").mkdir()
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def scandir(path):
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InputError, match=r"folder .*closed can't be read: Permission denied"):
        files_below(tmp_path)
