"""Files are known again by what is in them."""

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.mapping import contents
from twinns_qgis.mapping.contents import hashing
from twinns_qgis.series.series import Series


def hashes_of(files, reporter):
    with hashing(files, reporter) as hashes:
        return hashes()


def test_files_on_disk_count_by_their_sha256(tmp_path, listener):
    (tmp_path / "a").write_bytes(b"abc")
    assert hashes_of({"one": tmp_path / "a"}, listener) == {"one": hashlib.sha256(b"abc").hexdigest()}
    assert not listener.messages


def test_a_missing_file_is_named(tmp_path, listener):
    with pytest.raises(InputError, match=r"nowhere\.tif can't be read: No such file"):
        hashes_of({"one": tmp_path / "nowhere.tif"}, listener)


@pytest.fixture
def endless(monkeypatch):
    """Makes reading last until it is stopped; returns whether it was."""
    stopped = threading.Event()

    def read(path, between):
        try:
            while True:
                between()
        finally:
            stopped.set()

    monkeypatch.setattr(contents, "sha256_of", read)
    monkeypatch.setattr(contents, "_PATIENCE", 0.01)
    return stopped


def test_a_long_reading_is_told_and_can_be_cancelled(tmp_path, listener, endless):
    (tmp_path / "a").write_bytes(bytes(10))
    listener.stop = True
    with pytest.raises(Cancelled):
        hashes_of({"one": tmp_path / "a"}, listener)
    assert "to know them again" in listener.messages[0]
    assert endless.is_set()


def test_an_error_meanwhile_ends_the_reading(tmp_path, listener, endless):
    with pytest.raises(ZeroDivisionError), hashing({"one": tmp_path}, listener):
        _ = 1 / 0
    assert endless.is_set()


SERVER = """
import re
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

class Ranges(SimpleHTTPRequestHandler):
    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        first, last = re.fullmatch(r"bytes=(\\d+)-(\\d+)", self.headers["Range"]).groups()
        part = content[int(first) : int(last) + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

server = ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
print(server.server_port, flush=True)
server.serve_forever()
"""
"""Serves parts of files, as GDAL asks for them; in a process of its own, as GDAL keeps this one busy meanwhile."""


@pytest.fixture
def serve(tmp_path):
    """The address of a server of the test's folder."""
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-c", SERVER], cwd=tmp_path, text=True, **quiet)
    yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
    server.kill()
    server.wait()


def test_a_series_at_a_url_is_read_and_counts_by_its_metadata(serve, make_series, listener):
    random = np.random.default_rng(0)
    values = random.integers(0, 9000, (40, 30, 2, 10)).astype("int16")
    make_series("one.tif", values)
    make_series("same.tif", values)
    make_series("other.tif", values // 3)
    one, same, other = (Path(f"{serve}/{name}.tif") for name in ("one", "same", "other"))
    np.testing.assert_array_equal(Series.open(one).read(), values)
    found = hashes_of({"one": one, "same": same, "other": other}, listener)
    assert found["one"] == found["same"] != found["other"]
