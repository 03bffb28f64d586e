"""Finished blocks survive, and the raster put together from them is what GDAL would have written at once."""

import contextlib
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.block_store import Block, BlockStore
from twinns_qgis.rasters.blocks import block_windows
from twinns_qgis.rasters.grid import Grid
from twinns_qgis.rasters.layout import Layout
from twinns_qgis.reporter import Reporter

GRID = Grid(CRS.from_epsg(32631), from_origin(500000, 5600000, 10, 10), 150, 100)
LAYOUT = Layout(
    GRID, "int16", -32768, ("2018-03-01 B2", "2018-03-01 B3"), (1e-4, 1e-4), (0.0, 0.0), {"MADE": "so"}, tile=32
)
PLAN = {"plan": "1"}
WINDOWS = block_windows(GRID, (64, 96))
VALUES = np.random.default_rng(0).integers(-100, 10000, (2, 100, 150)).astype("int16")


@pytest.fixture
def store(tmp_path):
    return BlockStore(tmp_path / "out.tif.blocks", {"series": LAYOUT}, WINDOWS, PLAN)


def _save(store, *numbers):
    for number in numbers:
        rows, columns = WINDOWS[number].toslices()
        store.save(number, Block({"series": VALUES[:, rows, columns]}, {"count": 1, "list": [number, 1.5]}))


def _stop_after(store, *numbers):
    with contextlib.suppress(ZeroDivisionError), store.open(Reporter()):
        _save(store, *numbers)
        _ = 1 / 0


def test_a_raster_put_together_is_the_one_that_is_written_at_once(store, tmp_path):
    with LAYOUT.create(tmp_path / "direct.tif") as dataset:
        dataset.write(VALUES)
    with store.open(Reporter()):
        _save(store, 2, 0, 3, 1)
        store.assemble("series", tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as found, rasterio.open(tmp_path / "direct.tif") as expected:
        assert (found.read() == expected.read()).all()
        assert found.profile == expected.profile
        assert found.tags() == expected.tags()
        assert (found.descriptions, found.scales) == (expected.descriptions, expected.scales)
    assert not store.folder.exists()


def test_gdal_finds_no_fault_in_a_raster_put_together(store, tmp_path):
    if shutil.which("gdalinfo") is None:
        pytest.skip("gdalinfo is not installed")
    with store.open(Reporter()):
        _save(store, 0, 1, 2, 3)
        store.assemble("series", tmp_path / "out.tif")
    done = subprocess.run(["gdalinfo", "-checksum", tmp_path / "out.tif"], check=True, capture_output=True, text=True)
    assert "ERROR" not in done.stderr
    with LAYOUT.create(tmp_path / "direct.tif") as dataset:
        dataset.write(VALUES)
    direct = subprocess.run(
        ["gdalinfo", "-checksum", tmp_path / "direct.tif"], check=True, capture_output=True, text=True
    )
    sums = [[line for line in text.splitlines() if "Checksum" in line] for text in (done.stdout, direct.stdout)]
    assert sums[0] == sums[1]
    assert len(sums[0]) == 2


def test_the_bytes_do_not_depend_on_the_order_of_the_blocks(store, tmp_path):
    for name, order in (("one", (0, 1, 2, 3)), ("other", (3, 1, 0, 2))):
        with store.open(Reporter()):
            _save(store, *order)
            store.assemble("series", tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_finished_blocks_outlive_an_error_and_are_found_again(store):
    _stop_after(store, 0, 2)
    with store.open(Reporter()) as finished:
        assert finished == {0, 2}
        _save(store, 1, 3)
        assert store.tally() == {"count": 4, "list": [6, 6.0]}


def test_blocks_of_another_plan_are_not_used_and_it_is_told_what_differs(store, listener):
    _stop_after(store, 0)
    with replace(store, fingerprint={"plan": "2"}).open(listener) as finished:
        assert not finished
        assert not list(store.folder.rglob("*.tif"))
    (warning,) = listener.warnings
    assert warning.startswith(f"The 1 finished blocks in {store.folder} are of a call that differs in plan:")


def test_a_worker_that_is_late_does_not_write_into_the_blocks_of_the_next_call(store):
    _stop_after(store, 0)
    other = replace(store, fingerprint={"plan": "2"})
    with other.open(Reporter()):
        with contextlib.suppress(InputError):
            _save(store, 1)
        assert other.finished == 0
        _save(other, 1)
        with contextlib.suppress(InputError):
            _save(store, 1)
        assert other.finished == 1


def test_a_disk_that_is_full_from_the_start_is_told(store, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(InputError, match=r"fingerprint can't be written: .*No space left"), store.open(Reporter()):
        pass


def test_what_a_killed_call_needed_meanwhile_is_removed_and_its_blocks_are_not(store):
    _stop_after(store, 1)
    (store.folder / "7.decoded").write_bytes(b"pixels")
    with store.open(Reporter()) as finished:
        assert finished == {1}
        assert not (store.folder / "7.decoded").exists()


def test_nothing_is_left_where_no_block_was_finished(store):
    _stop_after(store)
    assert not store.folder.exists()


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "record"])
def test_a_block_that_is_not_as_it_was_written_is_not_used(store, damage):
    _stop_after(store, 0, 1)
    ((part, record),) = zip(store.folder.rglob("000001.series.tif"), store.folder.rglob("000001.json"), strict=True)
    content = part.read_bytes()
    if damage == "cut":
        part.write_bytes(content[:-10])
    elif damage == "changed":
        part.write_bytes(content[:-10] + bytes(10))
    elif damage == "gone":
        part.unlink()
    else:
        record.write_text(record.read_text()[:20])
    with store.open(Reporter()) as finished:
        assert finished == {0}


def test_a_full_disk_while_a_job_is_resumed_keeps_the_finished_blocks(store, monkeypatch):
    """The fingerprint was cut to nothing first, and the next call threw all blocks away."""
    _stop_after(store, 0, 1)

    def full(path, *_, **__):
        path.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_text", full)
        with store.open(Reporter()) as finished:
            assert finished == {0, 1}
            with contextlib.suppress(InputError):
                _save(store, 2)
            raised = True
    assert raised
    _stop_after(store, 0, 1)
    with contextlib.suppress(ZeroDivisionError), store.open(Reporter()) as finished:
        assert finished == {0, 1}
        _ = 1 / 0
    assert store.left == PLAN
