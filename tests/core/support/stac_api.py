"""A real STAC API on loopback: rustac's server."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVER = Path(sys.executable).with_name("rustac")


@contextmanager
def stac_api(items: Path) -> Iterator[str]:
    """Serves the items of a file, until the context is left; yields the address.

    Args:
        items: An ItemCollection.
    """
    if not SERVER.is_file():
        pytest.skip("rustac is not installed, which serves the API")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    server = subprocess.Popen([SERVER, "serve", "--addr", address, items], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{address}", timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://{address}"
    finally:
        server.kill()
        server.wait()
