"""Asking servers for files, with patience, and counting what they give."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

import requests

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.remote import buckets
from twinns_qgis.rasters.remote.connections import TIMEOUT, session
from twinns_qgis.rasters.remote.credentials import TOKENS, authorization_of, forget_signatures, signature_of
from twinns_qgis.rasters.remote.files import RemoteFile, parts_of
from twinns_qgis.reporter import Passing

_TRIES = 6
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = 3
CONNECTIONS = 8
"""Requests that are under way at once, of all threads."""
_turns = threading.BoundedSemaphore(CONNECTIONS)


class Traffic:
    """Counts what was read over the network, in this process."""

    def __init__(self) -> None:
        self.bytes = self.requests = 0
        self._started: float | None = None
        self._lock = threading.Lock()

    def count(self, size: int) -> None:
        """Counts the answer to a request."""
        with self._lock:
            if self._started is None:
                self._started = time.monotonic()
            self.bytes += size
            self.requests += 1

    def __str__(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-3) if self._started else 1.0
        return f"{self.bytes / 1e6:.1f} MB read over the network, {self.bytes / 1e6 / seconds:.1f} MB/s"


class Watched(Passing):
    """A reporter that tells with the progress how much was read over the network."""

    def progress(self, fraction: float, message: str = "") -> None:
        """Receives the share of the work that is done, and what is being done."""
        super().progress(fraction, f"{message}; {traffic}" if traffic.bytes else message)


traffic = Traffic()


def get(file: RemoteFile, headers: Mapping[str, str]) -> requests.Response:
    """Asks a server for a file: with patience where it is busy, and with a new signature where that has expired.

    Raises:
        InputError: The server refuses, has no such file, sends us to another host or does not answer.
    """
    renewed = False
    for attempt in range(_TRIES):
        last = attempt == _TRIES - 1
        try:
            with _turns:
                response = _ask(file, headers)
        except requests.RequestException as error:
            # The error's own text holds the address with its signature.
            if last:
                raise InputError(
                    f"{file} can't be read: {type(error).__name__}, after {_TRIES} tries.",
                    "Check the connection, and call it again: it goes on where it stopped.",
                ) from None
            _wait(attempt, None)
            continue
        status = response.status_code
        if status in (401, 403) and file.archive.signing and not renewed:
            forget_signatures()
            renewed = True
        elif status in _PASSING and not last:
            _wait(attempt, response.headers.get("Retry-After"))
        elif response.ok:
            traffic.count(len(response.content))
            return response
        else:
            raise _refused(file, status)
    raise _refused(file, status)


def _ask(file: RemoteFile, headers: Mapping[str, str]) -> requests.Response:
    url = file.url
    query = "&".join(filter(None, (file.query, signature_of(file))))
    for _ in range(_REDIRECTS):
        authorization = None if file.bucket else authorization_of(urlsplit(url).hostname or "")
        known = buckets.headers() if file.bucket else {"Authorization": authorization} if authorization else {}
        response = session().get(
            f"{url}?{query}" if query else url,
            headers={**headers, **known, "Accept-Encoding": "identity"},
            auth=buckets.signer() if file.bucket else None,
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        if not response.is_redirect:
            return response
        target = urljoin(url, response.headers["Location"])
        if parts_of(target)[:2] != urlsplit(url)[:2]:
            raise InputError(
                f"The server of {file} sends us to another host, {parts_of(target).netloc}, which is not contacted.",
                "Choose an archive that gives the files itself, or download them.",
            )
        url, _, query = target.partition("?")
    raise InputError(f"The server of {file} sends us round in circles.", "Choose another archive.")


def _refused(file: RemoteFile, status: int) -> InputError:
    if status in (401, 403) and file.bucket:
        return InputError(
            f"The server of {file} refuses to give it for your keys ({status}).",
            f"Check that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are of {file.host} and still hold, AWS_REGION is "
            "the bucket's, and the clock is right; a bucket whose readers pay wants AWS_REQUEST_PAYER=requester.",
        )
    if status in (401, 403):
        return InputError(
            f"The server of {file} refuses to give it ({status}).",
            f"Set the environment variable {TOKENS} to {file.host}=TOKEN, with a token of the archive; or put user and "
            "password of the host into the file .netrc of your home.",
        )
    if status == 404:
        return InputError(f"{file} is not on its server.", "Search once more: archives move files.")
    return InputError(f"The server of {file} answers {status}.", "Try later: it goes on where it stopped.")


def _wait(attempt: int, asked: str | None) -> None:
    seconds = float(asked) if asked and asked.isdecimal() else _FIRST_WAIT * 2**attempt * random.uniform(0.5, 1.5)  # nosec B311
    time.sleep(min(seconds, _LONGEST_WAIT))
