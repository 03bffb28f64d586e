"""Which interpreter runs the worker, what it sees, and what users read when there is none or a wrong one."""

import os
import shutil
import subprocess
import sys

import pytest
from processing.core.ProcessingConfig import ProcessingConfig
from qgis import utils
from qgis.core import QgsApplication, QgsProcessingException, QgsSettings
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices


@pytest.fixture
def environment(provider):
    from twinns.algorithms import environment

    return environment


@pytest.fixture
def profile(monkeypatch, tmp_path):
    """A fresh profile, without a compute environment."""
    monkeypatch.delenv("TWINNS_PYTHON", raising=False)
    monkeypatch.setattr(QgsApplication, "qgisSettingsDirPath", lambda: str(tmp_path / "my profile") + os.sep)
    return tmp_path / "my profile"


@pytest.fixture
def algorithm(provider):
    return provider.algorithm("createdemosite").create()


@pytest.fixture
def setting(provider):
    yield lambda path: ProcessingConfig.setSettingValue("TWINNS_PYTHON", str(path))
    ProcessingConfig.setSettingValue("TWINNS_PYTHON", "")


def made(environment, profile, **more):
    """An environment in the profile, as setting up leaves it."""
    from twinns.twinns_qgis.compute.backends import BACKENDS
    from twinns.twinns_qgis.compute.place import Environment, hash_of

    python = profile / "twinns/e-123456/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    lock = hash_of([environment.PLUGIN_FOLDER / name for name in BACKENDS["jax"].locks])
    values = {"python": str(python), "backend": "jax", "keras": "jax", "lock": lock, "own": True}
    environment.place().mark(Environment(**{**values, **more}))
    return python


def test_without_an_environment_all_but_those_that_make_one_say_how_to_make_one(provider, profile):
    for algorithm in provider.algorithms():
        executable, why_not = algorithm.create().canExecute()
        if algorithm.name() in ("setupcompute", "checkcompute"):
            assert executable
        else:
            assert not executable
            assert "Set up the compute environment" in why_not
            assert "twinns:setupcompute" in why_not
            assert "TWINNS_PYTHON" in why_not


def test_where_there_are_windows_the_message_has_a_link_that_opens_the_dialog(algorithm, profile, monkeypatch):
    import processing

    monkeypatch.setattr(utils, "iface", object())
    assert '<a href="twinns:setupcompute">' in algorithm.canExecute()[1]
    opened = []
    monkeypatch.setattr(processing, "execAlgorithmDialog", opened.append)
    from twinns.algorithms.set_up_link import SetUpLink

    link = SetUpLink()
    link.follow()
    assert QDesktopServices.openUrl(QUrl("twinns:setupcompute"))
    link.forget()
    assert opened == ["twinns:setupcompute"]


def test_a_run_without_an_environment_is_refused(run, profile, tmp_path):
    with pytest.raises(QgsProcessingException, match="compute environment is missing"):
        run("createdemosite", {"FOLDER": str(tmp_path / "site")})


def test_the_environment_in_the_profile_is_found(algorithm, environment, profile):
    python = made(environment, profile)
    assert algorithm.canExecute() == (True, "")
    assert (environment.chosen_interpreter().path, environment.chosen_interpreter().keras) == (python, "jax")


def test_a_half_made_environment_is_not_taken_for_whole(algorithm, environment, profile):
    made(environment, profile)
    (profile / "twinns/environment.json").unlink()
    assert not algorithm.canExecute()[0]


def test_an_environment_of_another_version_of_the_plugin_is_told(algorithm, environment, profile):
    made(environment, profile, lock="of an older version")
    executable, why_not = algorithm.canExecute()
    assert not executable
    assert "made for another version of the plugin" in why_not
    assert "twinns:setupcompute" in why_not


def test_an_environment_whose_python_is_gone_is_told(algorithm, environment, profile):
    made(environment, profile).unlink()
    executable, why_not = algorithm.canExecute()
    assert not executable
    assert "environment in your profile" in why_not


def test_the_worker_computes_with_what_the_environment_was_made_for_unless_the_user_says_otherwise(environment):
    assert environment.worker_environment({}, keras="jax")["KERAS_BACKEND"] == "jax"
    assert environment.worker_environment({"KERAS_BACKEND": "torch"}, keras="jax")["KERAS_BACKEND"] == "torch"


@pytest.fixture
def proxy(qgis_app):
    """Sets a proxy in QGIS's options."""
    settings = QgsSettings()
    yield lambda **values: [settings.setValue(f"proxy/{name}", value) for name, value in values.items()]
    settings.remove("proxy")


def test_the_proxy_of_qgis_is_that_of_the_installation_and_not_of_the_worker(environment, proxy):
    proxy(
        proxyEnabled=True, proxyType="HttpProxy", proxyHost="proxy", proxyPort="3128", proxyUser="jane",
        proxyPassword="a b:@", noProxyUrls=["http://inside/"],
    )  # fmt: skip
    variables = environment.surroundings().variables
    assert variables["HTTPS_PROXY"] == variables["https_proxy"] == "http://jane:a%20b%3A%40@proxy:3128"
    assert variables["NO_PROXY"] == "inside"
    assert "a%20b" not in str(environment.worker_environment(os.environ))


def test_a_proxy_that_is_switched_off_is_not_used(environment, proxy, monkeypatch):
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    proxy(proxyEnabled=False, proxyType="HttpProxy", proxyHost="proxy")
    assert "HTTPS_PROXY" not in environment.surroundings().variables


def test_what_the_user_has_set_for_pip_counts_for_the_installation(environment, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror/simple")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    variables = environment.surroundings().variables
    assert variables["PIP_INDEX_URL"] == "https://mirror/simple"
    assert "PIP_TARGET" not in variables


def test_the_setting_goes_before_the_profile_and_the_variable_before_both(
    environment, profile, setting, monkeypatch, program
):
    named, other = program("a"), program("b")
    setting(named)
    assert environment.chosen_interpreter().path == named
    monkeypatch.setenv("TWINNS_PYTHON", str(other))
    assert environment.chosen_interpreter().path == other


def test_an_interpreter_that_is_gone_is_told_with_who_named_it(algorithm, setting, profile, program):
    python = program("")
    setting(python)
    python.unlink()
    executable, why_not = algorithm.canExecute()
    assert not executable
    assert f"{python} (named in the Processing options" in why_not


def test_asking_starts_no_process(algorithm, program, monkeypatch, tmp_path):
    monkeypatch.setenv("TWINNS_PYTHON", str(program(f"#!/bin/sh\ntouch {tmp_path}/started\n")))
    assert algorithm.canExecute()[0]
    assert not (tmp_path / "started").exists()


def wrong(run, monkeypatch, path, tmp_path):
    monkeypatch.setenv("TWINNS_PYTHON", str(path))
    with pytest.raises(QgsProcessingException) as refusal:
        run("createdemosite", {"FOLDER": str(tmp_path / "site"), "SIZE": 64})
    message = str(refusal.value)
    assert str(path) in message
    assert "twinns:setupcompute" in message
    return message


def test_a_python_that_is_too_old_is_told_with_its_version(run, monkeypatch, program, tmp_path):
    # It answers as Python 3.8 does: to the question for its version, and with a syntax error to our code.
    old = program('#!/bin/sh\nif [ "$2" = -c ]; then echo 3 8; else echo SyntaxError >&2; exit 1; fi\n')
    assert "is Python 3.8, Python 3.10 to 3.13 is needed" in wrong(run, monkeypatch, old, tmp_path)


@pytest.mark.parametrize("name", ["ls", "false", "echo"])
def test_a_program_that_is_no_python_is_told(run, monkeypatch, tmp_path, name):
    assert "not a working Python" in wrong(run, monkeypatch, shutil.which(name), tmp_path)


def test_a_file_that_is_no_program_is_told(run, monkeypatch, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no program")
    assert "can't be started" in wrong(run, monkeypatch, path, tmp_path)


def test_a_python_without_the_packages_is_told_which_is_missing(run, monkeypatch, tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    python = bare / "bin/python"
    if not (3, 10) <= sys.version_info < (3, 14):
        pytest.skip("QGIS's Python is not one of those that the core runs on")
    assert "lacks what TWINNS needs: No module named" in wrong(run, monkeypatch, python, tmp_path)


def test_qgis_itself_is_not_started(run, monkeypatch, program, tmp_path):
    qgis = program(f"#!/bin/sh\ntouch {tmp_path}/started\n").rename(tmp_path / "QGIS")
    link = tmp_path / "python3"
    link.symlink_to(qgis)
    assert "is QGIS itself" in wrong(run, monkeypatch, link, tmp_path)
    assert not (tmp_path / "started").exists()


def test_what_belongs_to_qgis_is_dropped_and_the_rest_is_kept(environment):
    names = "PYTHONHOME PYTHONPATH PYTHONEXECUTABLE PYTHONUSERBASE VIRTUAL_ENV PIP_INDEX_URL PROJ_LIB PROJ_DATA"
    names += " GDAL_DATA GDAL_DRIVER_PATH LD_LIBRARY_PATH LD_PRELOAD DYLD_LIBRARY_PATH"
    qgis = dict.fromkeys(names.split(), "/of/qgis")
    kept = {"HOME": "/home/a", "CUDA_VISIBLE_DEVICES": "1", "KERAS_BACKEND": "torch"}
    assert environment.worker_environment({**qgis, **kept}) == {
        **kept,
        "PYTHONPATH": str(environment.PLUGIN_FOLDER),
        "PYTHONSAFEPATH": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def test_folders_of_qgis_leave_the_search_path(environment):
    path = os.pathsep.join(["/opt/qgis/bin", "/usr/bin", "/opt/qgis", "/opt/qgis-tools"])
    found = environment.worker_environment({"Path": path}, ["/opt/qgis"])
    assert found["Path"] == os.pathsep.join(["/usr/bin", "/opt/qgis-tools"])


def test_what_pip_and_uv_are_told_counts_where_packages_come_from_and_else_not(environment, profile, monkeypatch):
    monkeypatch.setenv("UV_CONSTRAINT", "mine.txt")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://index")
    monkeypatch.setenv("PIP_TARGET", "mine")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index")
    variables = environment.surroundings().variables
    assert not {"UV_CONSTRAINT", "PIP_TARGET"} & variables.keys()
    assert {"UV_DEFAULT_INDEX", "PIP_INDEX_URL"} <= variables.keys()
