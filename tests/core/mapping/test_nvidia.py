"""What the driver of a GPU tells, by a stand-in."""

import sys

import pytest

from twinns_qgis.mapping import nvidia

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Returns a function that installs a driver which answers every question alike."""

    def install(answer, status=0):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\nprintf '{answer}'\nexit {status}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return install


@pytest.mark.parametrize(("answer", "free"), [("81000\\n40000\\n", 81000), ("[N/A]\\n", None), ("", None)])
def test_the_free_memory_is_that_of_the_first_gpu(driver, answer, free):
    driver(answer)
    assert nvidia.free_memory() == free


def test_a_driver_that_fails_or_is_missing_tells_nothing(driver, monkeypatch):
    driver("81000", status=9)
    assert nvidia.free_memory() is None
    monkeypatch.setenv("PATH", "/nowhere")
    assert nvidia.query("name") == []
