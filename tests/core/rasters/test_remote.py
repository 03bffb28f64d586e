"""Files on servers: ranges, patience, secrets, and what is refused."""

import base64
import json
import socket
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
import rasterio
from file_server import answer, serving
from rasterio.transform import from_origin
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.reading import open_raster, read_bands
from twinns_qgis.rasters.remote import requesting
from twinns_qgis.rasters.remote.cache import cache
from twinns_qgis.rasters.remote.files import Archive, RemoteFile
from twinns_qgis.rasters.remote.hosts import OWN_HOSTS, check_host
from twinns_qgis.rasters.remote.opening import fetch_heads, size_of

SIDE = 1024
WINDOW = Window(300, 300, 200, 200)
VALUES = np.random.default_rng(0).integers(0, 4000, (SIDE, SIDE)).astype("uint16")


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(requesting, "_FIRST_WAIT", 0.01)
    with rasterio.open(
        tmp_path / "a.tif", "w", "COG", SIDE, SIDE, 1, "EPSG:32631", from_origin(5e5, 5.6e6, 10, 10), "uint16",
        blocksize=256, compress="deflate", overviews="none",
    ) as dataset:  # fmt: skip
        dataset.write(VALUES, 1)
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def read(server):
    """Returns a function that reads a window of a file on the server."""

    def run(name="a.tif", window=WINDOW, **archive):
        with open_raster(RemoteFile.of(f"{server.url}/{name}", Archive(server.url, **archive))) as dataset:
            return read_bands(dataset, indexes=1, window=window)

    return run


def expected(window=WINDOW):
    return VALUES[window.toslices()]


def test_the_tiles_of_a_window_are_read_and_the_head_and_nothing_twice(server, read):
    np.testing.assert_array_equal(read(), expected())
    np.testing.assert_array_equal(read(), expected())
    tile = (Path(server.folder) / "a.tif").stat().st_size / 16
    assert server.sent < 1.1 * tile + 32 * 1024
    assert len(server.requests) == len(set(server.requests)) == 2
    assert {path for path, _ in server.requests} == {"/a.tif"}  # nothing is looked for beside it


@pytest.mark.parametrize("limit", [0, 200_000])
def test_what_memory_does_not_hold_is_kept_in_a_file(tmp_path, server, read, limit):
    cache.use(limit, tmp_path)
    whole = Window(0, 0, SIDE, SIDE)
    for _ in range(3):
        np.testing.assert_array_equal(read(window=whole), VALUES)
    assert len(server.requests) == len(set(server.requests)) == 17
    assert {path.name for path in tmp_path.iterdir()} == {"a.tif"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(server, read, status):
    turns = iter([True, True, False, True])
    server.before = lambda request: next(turns, False) and answer(request, status, **{"Retry-After": "0"})
    np.testing.assert_array_equal(read(), expected())


def test_a_server_that_hangs_up_is_asked_again(server, read):
    turns = iter([True, False, True])

    def hang_up(request):
        if not next(turns, False):
            return False
        request.close_connection = True
        request.wfile.write(b"HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\n\r\nshort")
        return True

    server.before = hang_up
    np.testing.assert_array_equal(read(), expected())


def test_what_can_not_be_read_is_told_without_secrets(server, read):
    server.before = lambda request: answer(request, 500)
    with pytest.raises(InputError, match=r"a\.tif answers 500") as raised:
        read("a.tif?sig=secret")
    assert "secret" not in str(raised.value)
    assert "secret" not in repr(RemoteFile.of(f"{server.url}/a.tif?sig=secret", Archive(server.url)))


@pytest.mark.parametrize(
    ("name", "message"),
    [("none.tif", "is not on its server"), ("page.tif", "is no GeoTIFF"), ("list.tif", "is no GeoTIFF")],
)
def test_what_is_no_image_is_named(server, read, name, message):
    (server.folder / "page.tif").write_text("<html>" * 9000)
    (server.folder / "list.tif").write_text(
        '<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        "<SourceFilename>/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(InputError, match=message):
        read(name)


def test_a_server_without_ranges_is_told(server, read):
    server.before = lambda request: answer(request, 200, b"all of it")
    with pytest.raises(InputError, match="gives no ranges"):
        read()


def test_a_token_goes_to_its_host_alone(server, read, monkeypatch):
    seen = []
    server.before = lambda request: seen.append(request.headers.get("Authorization")) or False
    monkeypatch.setenv("TWINNS_TOKENS", "127.0.0.1=abc example.org=def")
    read()
    assert set(seen) == {"Bearer abc"}
    monkeypatch.setenv("TWINNS_TOKENS", "example.org=def")
    read(window=Window(0, 0, 9, 9))
    assert seen[-1] is None


def test_a_user_with_a_password_is_told_to_the_host(server, read, monkeypatch):
    def check(request):
        known = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic "))
        return known != b"me:secret=1" and answer(request, 401)

    server.before = check
    monkeypatch.setenv("TWINNS_TOKENS", f"127.0.0.1=basic:{base64.b64encode(b'me:secret=1').decode()}")
    np.testing.assert_array_equal(read(), expected())


def test_a_file_that_wants_a_token_says_how_to_give_it(server, read):
    server.before = lambda request: answer(request, 401)
    with pytest.raises(InputError, match="refuses to give it") as raised:
        read()
    assert "TWINNS_TOKENS" in raised.value.hint


def test_a_signature_is_renewed_when_it_expires(server, read):
    signed = []

    def check(request):
        if request.path.startswith("/sign/"):
            signed.append(request.path)
            until = datetime.now(timezone.utc) + timedelta(hours=1)
            token = {"token": f"sig={len(signed)}", "msft:expiry": until.isoformat().replace("+00:00", "Z")}
            return answer(request, 200, json.dumps(token).encode())
        if request.path.endswith("sig=1") and request.headers["Range"] != "bytes=0-32767":
            return answer(request, 403)
        return "sig=" not in request.path and answer(request, 403)

    server.before = check
    (server.folder / "box").mkdir()
    (server.folder / "a.tif").rename(server.folder / "box" / "a.tif")
    np.testing.assert_array_equal(read("box/a.tif?sig=old", signing=f"{server.url}/sign"), expected())
    assert signed == ["/sign/127/box"] * 2


@pytest.mark.parametrize("target", ["http://localhost:1/a.tif", "https://127.0.0.1/a.tif", "file:///etc/passwd"])
def test_redirects_to_other_hosts_are_refused(server, read, target):
    server.before = lambda request: answer(request, 302, Location=target)
    with pytest.raises(InputError, match="sends us to another host"):
        read()


def test_redirects_on_the_host_are_followed_and_never_in_circles(server, read):
    (server.folder / "b").mkdir()
    server.before = lambda request: request.path == "/moved.tif" and answer(request, 302, Location="/a.tif")
    np.testing.assert_array_equal(read("moved.tif"), expected())
    server.before = lambda request: answer(request, 302, Location="/round.tif")
    with pytest.raises(InputError, match="in circles"):
        read("round.tif")


@pytest.mark.parametrize(
    "href",
    [
        "file:///etc/passwd", "/etc/passwd", "/vsicurl/http://127.0.0.1/a.tif", "vrt:///etc/passwd", "gs://bucket/a.tif",
        "ftp://example.org/a.tif", "https://user:word@example.org/a.tif", "https:///a.tif", "http://[::1",
    ],
)  # fmt: skip
def test_addresses_of_other_kinds_are_refused(href):
    with pytest.raises(InputError, match="no address of a file on a server"):
        RemoteFile.of(href, Archive("https://example.org"))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0.0.0.0", "2130706433", "[::ffff:127.0.0.1]", "127.1"],
)
def test_services_of_this_machine_are_refused_unless_the_user_names_them(monkeypatch, host):
    address, forged = f"http://{host}:8080/a.tif", Archive(f"http://{host}/stac")
    monkeypatch.delenv(OWN_HOSTS, raising=False)
    check_host.cache_clear()
    with pytest.raises(InputError, match="this machine or a service of its network") as raised:
        RemoteFile.of(address, forged)  # whatever API the list tells
    assert OWN_HOSTS in raised.value.hint
    monkeypatch.setenv(OWN_HOSTS, f"example.org {host.strip('[]')}")
    assert RemoteFile.of(address, forged).host == f"{host}:8080"


def test_a_name_that_means_another_address_when_it_is_contacted_is_asked_nothing(server, monkeypatch):
    monkeypatch.delenv(OWN_HOSTS, raising=False)
    real, addresses = socket.getaddrinfo, iter(["192.0.2.1", *["127.0.0.1"] * 9])
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: real(next(addresses), *more, **named))
    file = RemoteFile.of(f"http://archive.example.org:{server.host.partition(':')[2]}/a.tif", Archive())
    with pytest.raises(InputError, match=r"archive\.example\.org, which is this machine"):
        requesting.get(file, {})
    assert not server.requests


def test_files_that_differ_in_the_query_of_their_address_alone_are_two(server):
    server.before = lambda request: request.path.endswith("?item=2") and answer(request, 404)
    files = [RemoteFile.of(f"{server.url}/a.tif?item={number}", Archive(server.url)) for number in (1, 2)]
    with open_raster(files[0]) as dataset:
        np.testing.assert_array_equal(read_bands(dataset, indexes=1, window=WINDOW), expected())
    with pytest.raises(InputError, match="not on its server") as raised, open_raster(files[1]):
        pass
    assert "item" not in str(raised.value)
    assert files[0] != files[1]


def test_an_answer_that_stalls_is_asked_for_again(server, read, monkeypatch):
    monkeypatch.setattr(requesting, "TIMEOUT", (5, 0.2))
    stalled, going_on = [], threading.Event()

    def stall(request):
        if len(stalled) < 3:
            stalled.append(request.path)
            request.send_response(206)
            request.send_header("Content-Length", "1000")
            request.end_headers()
            request.wfile.write(b"begun")
            going_on.wait(10)
            return True
        return False

    server.before = stall
    np.testing.assert_array_equal(read(), expected())
    going_on.set()
    assert len(stalled) == 3


def test_a_slow_answer_is_waited_for_as_long_as_it_comes(server, read, monkeypatch):
    monkeypatch.setattr(requesting, "TIMEOUT", (5, 1.0))
    content = (Path(server.folder) / "a.tif").read_bytes()

    def trickle(request):
        start, end = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
        part = content[start : end + 1]
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(part)))
        request.end_headers()
        for piece in np.array_split(np.frombuffer(part, np.uint8), 6):
            time.sleep(0.3)
            request.wfile.write(piece.tobytes())
        return True

    server.before = trickle
    np.testing.assert_array_equal(read(), expected())
    assert len(server.requests) == 2


def test_signatures_are_made_on_the_host_of_the_api_alone():
    with pytest.raises(InputError, match="not on the host of the API"):
        Archive("https://example.org/stac", "https://example.com/sign")


def test_heads_are_read_side_by_side_and_once(server, listener):
    for number in range(16):
        (server.folder / f"{number}.tif").write_bytes((server.folder / "a.tif").read_bytes())
    files = [RemoteFile.of(f"{server.url}/{number}.tif", Archive(server.url)) for number in range(16)]
    together = threading.Barrier(requesting.CONNECTIONS)  # breaks, unless so many requests are under way at once
    server.before = lambda request: together.wait(10) < 0
    fetch_heads([*files, *files, server.folder / "a.tif"], listener)
    assert len(server.requests) == len(files)
    server.before = lambda request: False
    with open_raster(files[0]) as dataset:
        assert dataset.shape == (SIDE, SIDE)
    assert len(server.requests) == len(files)


def test_a_file_that_failed_once_is_asked_for_again_by_the_next_reading(server, read, listener, monkeypatch):
    monkeypatch.setattr(requesting, "_TRIES", 1)
    server.before = lambda request: answer(request, 503)
    file = RemoteFile.of(f"{server.url}/a.tif", Archive(server.url))
    for failing in (lambda: fetch_heads([file], listener), lambda: size_of(file), read):
        with pytest.raises(InputError, match="answers 503"):
            failing()
    server.before = lambda request: False
    assert size_of(file) == (server.folder / "a.tif").stat().st_size
    np.testing.assert_array_equal(read(), expected())
