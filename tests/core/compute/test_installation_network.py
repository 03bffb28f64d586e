"""Setting up over a network: an index behind a proxy with password, and behind a certificate of a company's own."""

import base64
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from twinns_qgis.compute.network import Proxy
from twinns_qgis.errors import InputError

USER, PASSWORD = "Élodie", "p@ss/w#1 :%"
KEY = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class Index(BaseHTTPRequestHandler):
    """A package index, and a proxy on the way to it if the server has a key."""

    def do_GET(self):
        if self.server.key and self.headers.get("Proxy-Authorization") != self.server.key:
            return self.answer(407)
        self.server.asked.append(self.path)
        wheels = {path.name: path for path in self.server.wheels.glob("*.whl")}
        name = self.path.rpartition("/")[2]
        if name in wheels:
            return self.answer(200, wheels[name].read_bytes())
        if self.path.endswith("/simple/tiny/"):
            links = "".join(f'<a href="{name}">{name}</a>' for name in wheels)
            return self.answer(200, f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), "text/html")
        return self.answer(404)

    do_HEAD = do_GET  # noqa: N815

    def do_CONNECT(self):
        self.answer(407)

    def answer(self, status, body=b"", kind="application/octet-stream"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 407:
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *words):
        pass


@pytest.fixture
def index(wheels):
    """An index of the wheels, on this computer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    server.wheels, server.key, server.asked = wheels, "", []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def only(setup, monkeypatch):
    """The Pythons of this computer have no pip: uv is that on the path."""
    monkeypatch.setattr("twinns_qgis.compute.empty.EmptyEnvironment._downloaded_uv", lambda self, python: None)
    return setup.surroundings.variables


def through(index, password):
    proxy = Proxy("HttpProxy", "127.0.0.1", str(index.server_address[1]), USER, password)
    return {**proxy.variables(), "UV_DEFAULT_INDEX": "http://packages.invalid/simple"}


def test_a_proxy_with_user_and_password_lets_the_packages_through(setup, only, index):
    index.key = KEY
    only.update(through(index, PASSWORD))
    setup()
    assert setup.place.current() is not None
    assert "http://packages.invalid/simple/tiny/" in index.asked


@pytest.mark.parametrize("scheme", ["http", pytest.param("https", marks=pytest.mark.slow)])
def test_a_proxy_that_refuses_the_password_is_told_without_it(setup, only, index, scheme):
    index.key = KEY
    only.update(through(index, "geheim"), UV_DEFAULT_INDEX=f"{scheme}://packages.invalid/simple", UV_HTTP_RETRIES="0")
    with pytest.raises(InputError, match="proxy refuses user or password") as refusal:
        setup()
    assert "geheim" not in refusal.value.message
    assert USER not in refusal.value.message
    assert setup.place.current() is None


def test_a_network_that_is_not_there_is_told(setup, only, index):
    only.update(UV_DEFAULT_INDEX="http://127.0.0.1:1/simple", UV_HTTP_RETRIES="0")
    with pytest.raises(InputError, match="can't be reached") as refusal:
        setup()
    assert "WHEELS" in refusal.value.hint


@pytest.fixture
def company(tmp_path, index):
    """The certificate of a company that nobody else trusts, with which the index is served."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl")
    command = "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=localhost"
    command += " -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
    subprocess.run([openssl, *command.split()], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    index.socket = context.wrap_socket(index.socket, server_side=True)
    return tmp_path / "cert.pem"


def test_a_certificate_of_a_company_counts_if_it_is_named_and_is_told_if_not(setup, only, index, company):
    only.update(UV_DEFAULT_INDEX=f"https://localhost:{index.server_address[1]}/simple", UV_HTTP_RETRIES="0")
    with pytest.raises(InputError, match="not trusted") as refusal:
        setup()
    assert "SSL_CERT_FILE" in refusal.value.hint
    only["SSL_CERT_FILE"] = str(company)
    setup()
    assert setup.place.current() is not None
