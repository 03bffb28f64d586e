"""Rasters that take the place of former ones."""

from pathlib import Path

import pytest

from twinns_qgis import files
from twinns_qgis.errors import InputError
from twinns_qgis.files import kept_beside
from twinns_qgis.rasters.replacing import check_raster_output, give_raster_name

SIDECARS = ["map.tif.aux.xml", "map.tif.msk", "map.tif.ovr"]


@pytest.fixture
def former(tmp_path):
    """A raster with all that may lie beside it, and a new one that is written."""
    for name in ["map.tif", "map.qml", *SIDECARS]:
        (tmp_path / name).write_text(f"former {name}")
    (tmp_path / "new").write_text("new")
    return tmp_path / "map.tif"


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_new_raster_keeps_nothing_that_gdal_would_take_for_its_own(former):
    assert give_raster_name(former.with_name("new"), former) == former
    assert contents(former.parent) == {"map.tif": "new", "map.qml": "former map.qml"}


def test_a_style_goes_where_the_new_raster_brings_its_own(former):
    give_raster_name(former.with_name("new"), former, [former.with_suffix(".qml")])
    assert contents(former.parent) == {"map.tif": "new"}


@pytest.mark.parametrize("held", ["map.tif", "map.qml", *SIDECARS])
def test_a_raster_of_which_a_program_has_a_file_open_keeps_all_its_files(former, monkeypatch, held):
    """As Windows has it: simulated. A sidecar that was open ended hours of work."""
    before, own = contents(former.parent), Path.replace

    def replace(self, target):
        if held in (self.name, Path(target).name):
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        return own(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    new = former.with_name("new")
    assert give_raster_name(new, former, [former.with_suffix(".qml")]) == former.with_name("map (1).tif")
    assert kept_beside(former) == former.with_name("map (1).tif")
    assert contents(former.parent) == {
        **{name: text for name, text in before.items() if name != "new"},
        "map (1).tif": "new",
    }


@pytest.mark.parametrize("held", ["map.tif", *SIDECARS])
def test_what_can_not_be_replaced_is_found_out_before_the_work(former, monkeypatch, held):
    """As Windows has it: simulated."""
    own = Path.rename

    def rename(self, target):
        if self.name == held:
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        return own(self, target)

    monkeypatch.setattr(files, "_WINDOWS", True)
    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(InputError, match=rf"{held} can't be replaced: another program has it open"):
        check_raster_output(former)
