"""A file server on loopback, with range requests, tokens, and failures on demand."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

from twinns_qgis.rasters.remote.hosts import OWN_HOSTS, check_host

Answer = Callable[[BaseHTTPRequestHandler], bool]
"""Answers a request in place of the server, and returns whether it did."""


class FileServer:
    """Serves the files below a folder.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.before: Answer = lambda request: False
        self.requests: list[tuple[str, str]] = []
        self.sent = 0
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with server._lock:
                    server.requests.append((self.path, self.headers.get("Range", "")))
                if not server.before(self):
                    server._give(self)

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._http.server_port}"
        self.url = f"http://{self.host}"

    def __enter__(self) -> FileServer:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _give(self, request: BaseHTTPRequestHandler) -> None:
        path = self.folder / unquote(urlsplit(request.path).path).lstrip("/")
        if not path.is_file():
            answer(request, 404)
            return
        content = path.read_bytes()
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
        start, end = (int(match[1]), min(int(match[2]), len(content) - 1)) if match else (0, len(content) - 1)
        part = content[start : end + 1]
        with self._lock:
            self.sent += len(part)
        headers = {"Content-Range": f"bytes {start}-{end}/{len(content)}"} if match else {}
        answer(request, 206 if match else 200, part, **headers)


def answer(request: BaseHTTPRequestHandler, status: int, content: bytes = b"", **headers: str) -> bool:
    """Answers a request."""
    request.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)
    return True


@contextmanager
def serving(folder: Path) -> Iterator[FileServer]:
    """Serves the files below a folder, until the context is left."""
    with FileServer(folder) as server, patch.dict(os.environ, {OWN_HOSTS: "127.0.0.1 localhost"}):
        check_host.cache_clear()
        yield server
    check_host.cache_clear()
