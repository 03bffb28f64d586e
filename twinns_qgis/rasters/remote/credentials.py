"""What servers want to see before they give a file: tokens and signatures."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import lru_cache
from urllib.parse import urlsplit

import requests

from twinns_qgis.rasters.remote.connections import TIMEOUT, session
from twinns_qgis.rasters.remote.files import RemoteFile

TOKENS = "TWINNS_TOKENS"
"""The environment variable of tokens: ``host=token``, parted by spaces; each is sent to its host alone.

``host=basic:text`` is for hosts that want a user and a password: the text is ``user:password`` in Base64.
"""
_BASIC = "basic:"
_BEFORE_EXPIRY = 300
"""Seconds before its end at which a signature is renewed."""


@lru_cache(maxsize=1)
def _parsed(text: str) -> Mapping[str, str]:
    return dict(part.split("=", 1) for part in text.split() if "=" in part)


def authorization_of(host: str) -> str | None:
    """Returns the header Authorization that the user gave for a host; None if there is none."""
    tokens = _parsed(os.environ.get(TOKENS, ""))
    token = tokens.get(host) or tokens.get(host.partition(":")[0])
    if not token:
        return None
    return f"Basic {token.removeprefix(_BASIC)}" if token.startswith(_BASIC) else f"Bearer {token}"


_signatures: dict[str, tuple[float, str]] = {}
_signing = threading.Lock()


def signature_of(file: RemoteFile) -> str:
    """Returns the signature of a file's container, as a query; empty if none is needed."""
    if not file.archive.signing:
        return ""
    parts = urlsplit(file.url)
    account, container = (parts.hostname or "").partition(".")[0], parts.path.lstrip("/").partition("/")[0]
    address = f"{file.archive.signing.rstrip('/')}/{account}/{container}"
    with _signing:
        until, token = _signatures.get(address, (0.0, ""))
        if time.time() > until - _BEFORE_EXPIRY:
            response = session().get(address, timeout=TIMEOUT, allow_redirects=False)
            response.raise_for_status()
            until, token = _token(response)
            _signatures[address] = until, token
    return token


def _token(response: requests.Response) -> tuple[float, str]:
    try:
        content = response.json()
        expiry = datetime.fromisoformat(str(content["msft:expiry"]).replace("Z", "+00:00"))
        return expiry.astimezone(timezone.utc).timestamp(), str(content["token"])
    except (ValueError, KeyError, TypeError) as error:
        raise requests.RequestException("no token") from error


def forget_signatures() -> None:
    """Has all files signed anew."""
    with _signing:
        _signatures.clear()
