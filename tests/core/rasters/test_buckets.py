"""Files in buckets that want keys."""

import numpy as np
import pytest
import rasterio
from bucket_server import Keys, signature
from file_server import answer, serving
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.reading import open_raster, read_bands
from twinns_qgis.rasters.remote.files import Archive, RemoteFile

VALUES = np.random.default_rng(0).integers(0, 4000, (64, 64)).astype("uint16")
NAMES = ("AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID")
NAMES += ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REQUEST_PAYER")


@pytest.fixture
def server(tmp_path, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "eodata" / "a b+c=d").mkdir(parents=True)
    for name in ("a.tif", "a b+c=d/é.tif"):
        with rasterio.open(
            tmp_path / "eodata" / name, "w", "GTiff", 64, 64, 1, "EPSG:32631", from_origin(5e5, 5.6e6, 10, 10), "uint16"
        ) as dataset:
            dataset.write(VALUES, 1)
    with serving(tmp_path) as running:
        running.before = Keys("user", "secret")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", running.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "user")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        yield running


def read(href="s3://eodata/a.tif"):
    with open_raster(RemoteFile.of(href, Archive("https://archive.example"))) as dataset:
        return read_bands(dataset, indexes=1)


def test_the_servers_own_computation_gives_the_published_example():
    headers = {
        "host": "examplebucket.s3.amazonaws.com",
        "range": "bytes=0-9",
        "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-amz-date": "20130524T000000Z",
    }
    scope = "20130524/us-east-1/s3/aws4_request"
    made = signature(
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", headers["x-amz-date"], scope, "GET", "/test.txt", headers
    )
    assert made == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"


@pytest.mark.parametrize("href", ["s3://eodata/a.tif", "s3://eodata/a b+c=d/é.tif"])
def test_requests_are_signed(server, href):
    np.testing.assert_array_equal(read(href), VALUES)


def test_the_region_the_session_and_the_payer_are_told(server, monkeypatch):
    server.before = Keys("user", "secret", x_amz_security_token="passing", x_amz_request_payer="requester")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "passing")
    monkeypatch.setenv("AWS_REQUEST_PAYER", "requester")
    np.testing.assert_array_equal(read(), VALUES)
    assert {scope.partition("/")[2] for scope in server.before.scopes} == {"eu-central-1/s3/aws4_request"}


def test_a_wrong_key_is_told_and_not_shown(server, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    with pytest.raises(InputError, match="refuses to give it for your keys") as raised:
        read()
    assert "AWS_REQUEST_PAYER" in raised.value.hint
    assert "other" not in str(raised.value).split()


def test_keys_go_to_no_other_address(server, monkeypatch):
    seen = []
    server.before = lambda request: seen.append(request.headers.get("Authorization")) or False
    with open_raster(RemoteFile.of(f"{server.url}/eodata/a.tif", Archive())) as dataset:
        read_bands(dataset, indexes=1)
    assert set(seen) == {None}
    server.before = lambda request: answer(request, 307, Location="http://localhost:1/eodata/b.tif")
    with pytest.raises(InputError, match="sends us to another host"):
        read("s3://eodata/a b+c=d/é.tif")


def test_what_is_missing_in_the_environment_is_told(server, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(InputError, match="want keys"):
        read("s3://eodata/a b+c=d/é.tif")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    with pytest.raises(InputError, match="the server is not known"):
        read()
    assert not server.requests


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AWS_REGION", "eu-central-1", "https://s3.eu-central-1.amazonaws.com/eodata/a.tif"),
        ("AWS_S3_ENDPOINT", "eodata.archive.example", "https://eodata.archive.example/eodata/a.tif"),
        ("AWS_ENDPOINT_URL_S3", "https://eodata.archive.example/", "https://eodata.archive.example/eodata/a.tif"),
    ],
)
def test_the_server_is_the_one_of_the_environment(server, monkeypatch, name, value, expected):
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    monkeypatch.setenv(name, value)
    assert RemoteFile.of("s3://eodata/a.tif", Archive()).url == expected


@pytest.mark.parametrize("href", ["s3://eodata/../a.tif", "s3://user@host/a.tif", "s3:///a.tif", "s3://eo:80/a.tif"])
def test_what_is_no_bucket_is_refused(server, href):
    with pytest.raises(InputError, match="no address of a file in a bucket"):
        RemoteFile.of(href, Archive())
