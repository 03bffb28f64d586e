"""What can be installed on which computer."""

import re
from pathlib import Path

import pytest

from twinns_qgis.compute.backends import BACKENDS, TOOLS_LOCK, choose, direct_requirements, locked_torch
from twinns_qgis.compute.declarations import DECLARATIONS
from twinns_qgis.errors import InputError

ROOT = Path(__file__).resolve().parents[3]


def test_each_choice_of_the_dialog_is_known():
    choices = DECLARATIONS[0].parameters()["backend"].choices
    assert set(choices) == {"auto", "remove", *BACKENDS}


@pytest.mark.parametrize(
    ("platform", "nvidia", "index", "expected"),
    [
        ("linux", False, "", "tensorflow"),
        ("linux", True, "", "tensorflow-gpu"),
        ("win32", True, "", "tensorflow"),
        ("win32", True, "https://wheels", "torch"),
        ("win32", False, "https://wheels", "tensorflow"),
        ("darwin", False, "", "tensorflow"),
    ],
)
def test_automatic_takes_the_gpu_where_there_is_a_way(platform, nvidia, index, expected):
    assert choose("auto", nvidia=nvidia, index=index, platform=platform).name == expected


@pytest.mark.parametrize(("platform", "nvidia"), [("win32", True), ("darwin", False), ("linux", False)])
def test_a_gpu_that_cannot_be_used_is_refused_with_a_way_out(platform, nvidia):
    with pytest.raises(InputError, match="tensorflow for the processor"):
        choose("tensorflow-gpu", nvidia=nvidia, platform=platform)


def test_an_unknown_backend_is_refused():
    with pytest.raises(InputError, match="'mxnet', expected auto, tensorflow"):
        choose("mxnet", nvidia=False)


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)
def test_every_lock_is_there_and_has_a_hash_for_every_package(backend):
    for name in (*backend.locks, TOOLS_LOCK):
        text = (ROOT / name).read_text(encoding="utf-8")
        blocks = [block for block in re.split(r"\n(?=[a-z])", text) if re.match(r"[\w.-]+==", block)]
        assert blocks
        assert all("--hash=sha256:" in block for block in blocks)


def test_locks_of_one_environment_agree():
    pins = [dict(re.findall(r"^([\w.-]+)(==\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
            for lock in BACKENDS["jax"].locks]  # fmt: skip
    # Packages with several versions, by Python's, are left out: the last of each is compared.
    assert {name: pins[0][name] for name in pins[0].keys() & pins[1].keys()} == {
        name: pins[1][name] for name in pins[0].keys() & pins[1].keys()
    }


def test_torch_has_the_version_of_the_python(tmp_path):
    lock = tmp_path / "lock.txt"
    lock.write_text(
        "torch==2.1 ; python_full_version < '3.11' \\\n    --hash=sha256:0\n"
        "torch==2.2 ; python_full_version >= '3.11' \\\n    --hash=sha256:1\n"
    )
    assert [locked_torch(lock, (3, minor)) for minor in (10, 11, 13)] == ["2.1", "2.2", "2.2"]
    assert locked_torch(ROOT / "requirements-torch.txt", (3, 12))


def test_the_packages_that_twinns_imports_are_read_from_the_lock():
    found = dict(direct_requirements([ROOT / "requirements.txt"]))
    assert {"keras", "numpy", "rasterio", "tensorflow"} <= found.keys()
    assert "zipp" not in found
