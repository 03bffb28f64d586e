"""The zip that QGIS installs."""

import importlib.util
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def package():
    spec = importlib.util.spec_from_file_location("package", ROOT / "tools/package.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def archive(package, tmp_path_factory):
    path = tmp_path_factory.mktemp("dist") / "twinns.zip"
    package.write(path)
    return path


def test_the_zip_holds_one_folder_with_the_plugin_and_the_core(archive):
    with zipfile.ZipFile(archive) as file:
        names = set(file.namelist())
    assert {name.split("/")[0] for name in names} == {"twinns"}
    needed = "metadata.txt LICENSE README.md CHANGELOG.md requirements.txt icon.svg __init__.py plugin.py"
    needed += " requirements-cuda.txt requirements-jax.txt requirements-torch.txt requirements-uv.txt"
    needed += " algorithms/provider.py models/landcover.model3 twinns_qgis/__main__.py"
    assert {f"twinns/{name}" for name in needed.split()} <= names


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_the_zip_holds_all_that_git_has_of_the_core_and_nothing_else_of_the_repository(archive):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "twinns_qgis", "algorithms"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("this is no checkout")
    with zipfile.ZipFile(archive) as file:
        names = {name.removeprefix("twinns/") for name in file.namelist()}
    assert {name for name in names if "/" in name and not name.startswith("models/")} == set(listed.stdout.split())


def test_the_same_sources_give_the_same_zip(package, archive, tmp_path):
    package.write(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_versions_that_differ_are_refused(package, monkeypatch, tmp_path):
    for name in ("metadata.txt", "pyproject.toml", "twinns_qgis/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(package, "ROOT", tmp_path)
    good = package.version()
    metadata = tmp_path / "metadata.txt"
    metadata.write_text(metadata.read_text(encoding="utf-8").replace(f"version={good}", "version=9.9"))
    with pytest.raises(SystemExit, match=r"9\.9 in metadata\.txt"):
        package.version()


def test_a_release_refuses_placeholders(package, tmp_path):
    with pytest.raises(
        SystemExit, match=r"would refuse .*tracker in metadata\.txt is a placeholder, https://example\.org"
    ):
        package.write(tmp_path / "twinns.zip", release=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"metadata.txt": "[general]\nname=TWINNS\n"}, "metadata.txt has no description"),
        ({"algorithms/a.so": ""}, r"a\.so is a binary"),
        ({"algorithms/__pycache__/a.py": ""}, "does not belong there"),
    ],
)
def test_what_the_plugin_repository_refuses_is_refused(package, monkeypatch, tmp_path, files, told):
    root = tmp_path / "root"
    for source in package.sources():
        target = root / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(package, "ROOT", root)
    monkeypatch.setitem(package.FOLDERS, "algorithms", ["*.py", "*.so"])
    with pytest.raises(SystemExit, match=told):
        package.write(tmp_path / "twinns.zip")
    assert list(tmp_path.iterdir()) == [root]


def test_qgis_runs_the_zip_from_an_empty_profile(archive, worker, tmp_path):
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if program is None:
        pytest.skip("there is no qgis_process")
    plugins = tmp_path / "profile" / "python" / "plugins"
    with zipfile.ZipFile(archive) as file:
        file.extractall(plugins)
    variables = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "QGIS_PLUGINPATH": str(plugins),
        "QGIS_CUSTOM_CONFIG_PATH": str(tmp_path / "profile"),
        "TWINNS_PYTHON": str(worker("finish(folder=request['parameters']['folder'])")),
    }

    def call(*words):
        return subprocess.run(
            [program, *words], env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )

    assert call("plugins", "enable", "twinns").returncode == 0
    done = call("run", "twinns:createdemosite", "--json", "--", f"FOLDER={tmp_path / 'site'}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"] == {"FOLDER": str(tmp_path / "site")}


def test_the_worker_of_the_unpacked_zip_answers(archive, compute_python, tmp_path):
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "twinns"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [compute_python, "-m", "twinns_qgis", "worker"], env=environment, cwd=tmp_path, input='{"job": "none"}\n',
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert '"kind": "input"' in done.stdout
