"""A GPU that is there and does not compute is told, with the reason; the driver is a stand-in."""

import sys

import pytest

from twinns_qgis.mapping import unused_gpu as module
from twinns_qgis.mapping.unused_gpu import unused_gpu


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
    driver("H100\\nH100\\n")
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    assert unused_gpu("auto").startswith("H100, H100 is there but not used")
    assert "tensorflow[and-cuda]" in unused_gpu("auto")


def test_a_variable_that_hides_the_gpu_is_named(driver, monkeypatch):
    driver("H100")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert "CUDA_VISIBLE_DEVICES hides it" in unused_gpu("auto")


def test_who_chose_the_processor_is_not_warned(driver):
    driver("H100")
    assert unused_gpu("cpu") is None


def test_a_gpu_that_is_used_is_no_news(driver, monkeypatch):
    driver("H100")
    monkeypatch.setattr(module, "gpu_available", lambda: True)
    assert unused_gpu("auto") is None


@pytest.mark.parametrize(("listing", "status"), [("", 0), ("No devices were found", 6)])
def test_a_driver_without_a_gpu_is_no_news(driver, listing, status):
    driver(listing, status)
    assert unused_gpu("auto") is None
