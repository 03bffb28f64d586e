"""The connections to servers."""

from __future__ import annotations

import threading

import requests

from twinns_qgis.rasters.remote.hosts import CheckedHosts

TIMEOUT = (10, 60)
"""Seconds until a connection, and then each piece of an answer, must be there."""
_own = threading.local()


def session() -> requests.Session:
    """Returns the connections of this thread."""
    if not hasattr(_own, "session"):
        _own.session = requests.Session()
        for scheme in ("https://", "http://"):
            _own.session.mount(scheme, CheckedHosts())
    return _own.session
