"""Which GPU counts, its memory, and why one that is there does not compute; the driver is a stand-in."""

import sys

import pytest

from twinns_qgis.mapping import devices as module
from twinns_qgis.mapping.devices import free_memory, unused_gpu, visible_gpus

ONE = "GPU-1a2b-0, H100, 81000\\n"
TWO = ONE + "GPU-1a2c-1, A2, 14000\\n"


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Returns a function that installs a driver which lists some GPUs."""
    if sys.platform == "win32":
        pytest.skip("the stand-in is a shell script")

    def install(listing, status=0):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\nprintf '{listing}'\nexit {status}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        monkeypatch.setattr(module, "gpu_available", lambda: False)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return install


def test_gpus_that_tensorflow_cannot_use_are_named_with_what_to_install(driver, monkeypatch):
    driver(TWO)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    assert unused_gpu("auto").startswith("H100, A2 is there but not used")
    assert "tensorflow-gpu" in unused_gpu("auto")


def test_a_variable_that_hides_the_gpu_is_named(driver, monkeypatch):
    driver(ONE)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert "CUDA_VISIBLE_DEVICES hides it" in unused_gpu("auto")


def test_who_chose_the_processor_is_not_warned(driver):
    driver(ONE)
    assert unused_gpu("cpu") is None


def test_a_gpu_that_is_used_is_no_news(driver, monkeypatch):
    driver(ONE)
    monkeypatch.setattr(module, "gpu_available", lambda: True)
    assert unused_gpu("auto") is None


@pytest.mark.parametrize(("listing", "status"), [("", 0), ("No devices were found", 6)])
def test_a_driver_without_a_gpu_is_no_news(driver, listing, status):
    driver(listing, status)
    assert unused_gpu("auto") is None


@pytest.mark.parametrize(
    ("chosen", "names", "free"),
    [
        (None, ["H100", "A2"], 81000),
        ("1", ["A2"], 14000),
        ("1,0", ["A2", "H100"], 14000),
        (" 1 ", ["A2"], 14000),
        ("GPU-1a2c", ["A2"], 14000),
        ("GPU-1a2", [], None),
        ("MIG-GPU-1a2b-0/1/0", ["MIG-GPU-1a2b-0/1/0"], None),
        ("", [], None),
        ("-1", [], None),
        ("0,7,1", ["H100"], 81000),
        ("7,0", [], None),
    ],
)
def test_the_gpu_that_counts_is_the_first_that_the_process_may_use(driver, monkeypatch, chosen, names, free):
    driver(TWO)
    if chosen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert [gpu.name for gpu in visible_gpus()] == names
    assert free_memory() == free


@pytest.mark.parametrize(("answer", "status"), [("GPU-1, H100, [N/A]\\n", 0), ("", 0), (ONE, 9), ("nonsense", 0)])
def test_memory_that_the_driver_does_not_tell_is_not_known(driver, answer, status):
    driver(answer, status)
    assert free_memory() is None
