"""QGIS's own store of passwords and tokens: what the worker is told of it, and where else it is not."""

import base64

import pytest
from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
)

SECRET = "sé cret=1"
BASIC = base64.b64encode(f"me:{SECRET}".encode()).decode()
TELL = """
say(type="info", message=json.dumps(request))
open(request["parameters"]["output"], "w").write(os.environ.get("TWINNS_TOKENS", "nothing") + "\\n" + str(sys.argv))
finish(output=request["parameters"]["output"])
"""


@pytest.fixture
def store(qgis_app):
    """Returns a function that stores a configuration in QGIS and returns its identifier."""
    manager, made = QgsApplication.authManager(), []
    assert manager.setMasterPassword("master", True)

    def add(uri="https://archive.example/stac", method="Basic"):
        config = QgsAuthMethodConfig(method)
        config.setName("of the archive")
        config.setUri(uri)
        config.setConfig("username", "me")
        config.setConfig("password", SECRET)
        assert manager.storeAuthenticationConfig(config)[0]
        made.append(config.id())
        return config.id()

    yield add
    for identifier in made:
        manager.removeAuthenticationConfig(identifier)


@pytest.fixture
def find_scenes(provider, worker, tmp_path):
    """Returns a function that runs findscenes with a worker that writes what it was told; returns that and the log."""

    def run(**parameters):
        worker(TELL)
        feedback, output = QgsProcessingFeedback(), tmp_path / "scenes.geojson"
        parameters = {
            "API": "https://archive.example/stac", "EXTENT": "3,4,50,51 [EPSG:4326]", "START": "2021-01-01",
            "END": "2021-12-31", "OUTPUT": str(output), **parameters,
        }  # fmt: skip
        algorithm = provider.algorithm("findscenes").create()
        algorithm.run(parameters, QgsProcessingContext(), feedback, {}, False)
        return output.read_text(), feedback.textLog()

    return run


def test_user_and_password_go_to_the_worker_for_the_host_of_the_resource(store, find_scenes, monkeypatch):
    monkeypatch.setenv("TWINNS_TOKENS", "archive.example=old other.example=abc")
    told, log = find_scenes(AUTHENTICATION=store())
    assert told.splitlines()[0] == f"other.example=abc archive.example=basic:{BASIC}"
    for secret in (SECRET, BASIC):
        assert secret not in log
        assert secret not in told.splitlines()[1]  # the command line


def test_without_a_configuration_nothing_is_told(find_scenes, monkeypatch):
    monkeypatch.delenv("TWINNS_TOKENS", raising=False)
    assert find_scenes()[0].startswith("nothing\n")


@pytest.mark.parametrize("uri", ["", "archive.example", "http://archive.example"])
def test_a_configuration_that_names_no_host_is_refused(store, find_scenes, uri):
    with pytest.raises(QgsProcessingException, match="does not say which host it is for"):
        find_scenes(AUTHENTICATION=store(uri))


def test_a_configuration_that_is_not_there_is_told(store, find_scenes):
    with pytest.raises(QgsProcessingException, match="QGIS has no configuration abc1234"):
        find_scenes(AUTHENTICATION="abc1234")


def test_algorithms_that_read_from_servers_alone_ask_for_it(provider):
    asking = {item.name() for item in provider.algorithms() if item.parameterDefinition("AUTHENTICATION")}
    assert asking == {"downloadscenes", "findscenes", "preparesentinel1", "preparesentinel2"}
