"""Files on servers, of which only the ranges of bytes are read that are needed.

GDAL asks for bytes here and not over the network itself: so redirects, hosts, secrets and the bytes that were read are
ours to watch. Only the file itself is ever opened, as GeoTIFF or JPEG 2000: none that GDAL would look for beside it,
and none that it might refer to.
"""

from __future__ import annotations

import atexit
import io
import ipaddress
import os
import random
import re
import socket
import tempfile
import threading
import time
from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

import requests
from rasterio.abc import FileContainer

from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter

TOKENS = "TWINNS_TOKENS"
"""The environment variable of tokens: ``host=token``, parted by spaces; each is sent to its host alone."""
_HEAD = 32 * 1024
"""Bytes of the first read: the header of a cloud-optimised file."""
_LEAST = 4 * 1024
"""Smaller reads elsewhere are those of directories, which come in great number: more is read at once."""
_TIMEOUT = (10, 60)
_TRIES = 6
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = 3
_CONNECTIONS = 8
_BEFORE_EXPIRY = 300
"""Seconds before its end at which a signature is renewed."""
_SIGNED = ("sig", "x-amz-signature", "x-amz-security-token", "signature", "x-goog-signature", "token", "access_token")


@dataclass(frozen=True)
class Archive:
    """Where files come from, and how one may read them.

    Args:
        api: Address of the STAC API that the user named; empty if there was none.
        signing: Address of the service that signs files of Azure, on the API's host; empty for none.
    """

    api: str = ""
    signing: str = ""

    def __post_init__(self) -> None:
        if self.signing and urlsplit(self.signing).netloc != urlsplit(self.api).netloc:
            raise InputError(
                f"The files are to be signed at {self.signing}, which is not on the host of the API {self.api}.",
                "Search once more, with findscenes.",
            )


@dataclass(frozen=True, order=True)
class RemoteFile:
    """A file on a server.

    Args:
        url: Its address, without signatures and other secrets.
        archive: Where it comes from.
        query: What else its address has, which may be secret.
    """

    url: str
    archive: Archive = field(default=Archive(), compare=False)
    query: str = field(default="", compare=False, repr=False)

    @classmethod
    def of(cls, href: str, archive: Archive) -> RemoteFile:
        """Returns the file at an address that somebody else wrote.

        Raises:
            InputError: It is none that may be read.
        """
        parts = parts_of(href)
        if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
            raise InputError(
                f"{_shown(href)} is no address of a file on a server, https://...",
                "Choose an archive whose files have such addresses, or download them.",
            )
        _check_host(parts.hostname, archive)
        kept = [
            (key, value) for key, value in parse_qsl(parts.query) if not archive.signing or key.lower() not in _SIGNED
        ]
        return cls(parts._replace(query="", fragment="").geturl(), archive, urlencode(kept))

    @property
    def host(self) -> str:
        """The server."""
        return urlsplit(self.url).netloc

    @property
    def name(self) -> str:
        """The file's name."""
        return urlsplit(self.url).path.rpartition("/")[2]

    def content(self) -> bytes:
        """Returns the whole of it.

        Raises:
            InputError: The server does not give it.
        """
        return get(self, {}).content

    @property
    def driver(self) -> str:
        """How it is read, by its name: neither format refers to other files, as others do."""
        return "JP2OpenJPEG" if self.name.lower().endswith(".jp2") else "GTiff"

    def __str__(self) -> str:
        return self.url


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


class Watched(Reporter):
    """A reporter that tells with the progress how much was read over the network.

    Args:
        reporter: Receives it all.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def progress(self, fraction: float, message: str = "") -> None:
        """Receives the share of the work that is done, and what is being done."""
        self._reporter.progress(fraction, f"{message}; {traffic}" if traffic.bytes else message)

    def info(self, message: str) -> None:
        """Receives a message that needs no action of the user."""
        self._reporter.info(message)

    def warning(self, message: str) -> None:
        """Receives a message that may need action of the user."""
        self._reporter.warning(message)

    @property
    def cancelled(self) -> bool:
        """Whether the user asked the job to stop."""
        return self._reporter.cancelled

    def last_resort(self, action: Callable[[], str]) -> AbstractContextManager[None]:
        """Registers what is to be done if a cancelled job has to end at once."""
        return self._reporter.last_resort(action)


class _Cache:
    """The ranges that were read: the last ones within a number of bytes, the others in a file that nobody sees.

    Blocks of a series lie on the same tiles, and those of all dates and bands are more than memory holds.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._held: OrderedDict[_Start, bytes] = OrderedDict()
        self._spilt: dict[_Start, tuple[int, int]] = {}
        self._starts: dict[str, list[int]] = {}
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()

    def use(self, limit: int, folder: Path) -> None:
        """Bounds the memory, and says where the file may be."""
        with self._lock:
            self._limit = limit
            self._spilt.clear()
            if self._file is not None:
                self._file.close()
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # until the next job, or the process, ends

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None

    def find(self, url: str, at: int) -> bytes:
        """Returns what is held of a file from a place on, to the end of the range that was read; nothing if none is."""
        with self._lock:
            starts = self._starts.get(url, [])
            number = bisect_right(starts, at)
            start = starts[number - 1] if number else at
            return self._get((url, start))[at - start :]

    def keep(self, url: str, start: int, content: bytes) -> None:
        """Holds a range."""
        with self._lock:
            starts = self._starts.setdefault(url, [])
            if start not in starts:
                insort(starts, start)
            self._spilt.pop((url, start), None)
            self._put((url, start), content)

    def _get(self, key: _Start) -> bytes:
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        if key not in self._spilt or self._file is None:
            return b""
        place, size = self._spilt[key]
        self._file.seek(place)
        content = self._file.read(size)
        self._put(key, content)
        return content

    def _put(self, key: _Start, content: bytes) -> None:
        self._size += len(content) - len(self._held.pop(key, b""))
        self._held[key] = content
        while self._size > self._limit and len(self._held) > 1:
            oldest, dropped = self._held.popitem(last=False)
            self._size -= len(dropped)
            if self._file is not None and oldest not in self._spilt:
                self._spill(self._file, oldest, dropped)

    def _spill(self, file: BinaryIO, key: _Start, content: bytes) -> None:
        try:
            place = file.seek(0, os.SEEK_END)
            file.write(content)
            file.flush()
        except OSError:  # the disk is full: it is read from its server once more
            return
        self._spilt[key] = place, len(content)


_Start = tuple[str, int]
"""A file's address, and where in it a range begins."""
traffic = Traffic()
cache = _Cache(limit=64 * 2**20)
atexit.register(cache.close)
_sizes: dict[str, int] = {}
_turns = threading.BoundedSemaphore(_CONNECTIONS)
_own = threading.local()


def use_memory(megabytes: int, folder: Path) -> None:
    """Bounds what is kept of files on servers by a share of the memory that a job may use; more goes to a folder."""
    cache.use(megabytes * 2**20 // 8, folder)


_failures: dict[str, InputError] = {}


def failure(name: str) -> InputError | None:
    """Returns why a file could not be read, which GDAL does not tell; None if that is not known.

    Args:
        name: The file's address, or what rasterio calls it.
    """
    return _failures.pop(address_of(name), None)


def address_of(name: str) -> str:
    """Returns the address of a file of which rasterio tells the name; the name of other files."""
    return re.sub(r"^/vsiriopener_\w+/", "", name)


@dataclass(frozen=True)
class Opener(FileContainer):
    """Opens a file on a server for rasterio, and no other.

    Args:
        file: The file.
    """

    file: RemoteFile

    def open(self, path: str, mode: str = "rb", **options: Any) -> io.BufferedIOBase:
        """Returns the file, open."""
        self._check(path)
        return _Ranges(self.file)  # type: ignore[return-value]

    def isfile(self, path: str) -> bool:
        """Whether it is the file."""
        return path == self.file.url

    def isdir(self, path: str) -> bool:
        """Whether it is a folder: never."""
        return False

    def ls(self, path: str) -> list[str]:
        """Returns what lies beside the file: nothing that matters."""
        return []

    def mtime(self, path: str) -> int:
        """Returns when the file was changed: it is taken not to be."""
        return 0

    def rm(self, path: str) -> None:
        """Refuses to remove anything."""
        raise FileNotFoundError(path)

    def size(self, path: str) -> int:
        """Returns the size of the file."""
        self._check(path)
        return _Ranges(self.file).size

    def _check(self, path: str) -> None:
        if path != self.file.url:
            raise FileNotFoundError(path)


class _Ranges:
    """An open file."""

    def __init__(self, file: RemoteFile) -> None:
        self._file, self._at = file, 0
        if file.url not in _sizes:
            self._fetch(0, _HEAD)
        self.size = _sizes[file.url]

    def __enter__(self) -> _Ranges:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Does nothing: connections are kept."""

    def tell(self) -> int:
        """Returns where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves to where the next read begins."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes."""
        left = max(0, self.size - self._at)
        size = left if size < 0 else min(size, left)
        content = self._read(self._at, size)
        self._at += size
        return content

    def _read(self, start: int, size: int) -> bytes:
        content = b""
        while len(content) < size:  # GDAL reads a tile in one piece here, in several there
            at, left = start + len(content), size - len(content)
            held = cache.find(self._file.url, at)
            content += (held or self._fetch(at, max(left, _HEAD) if at == 0 or left < _LEAST else left))[:left]
        return content

    def _fetch(self, start: int, size: int) -> bytes:
        try:
            return self._fetched(start, size)
        except InputError as error:  # GDAL hides it
            _failures[self._file.url] = error
            raise

    def _fetched(self, start: int, size: int) -> bytes:
        response = get(self._file, {"Range": f"bytes={start}-{start + size - 1}"})
        content, total = response.content, response.headers.get("Content-Range", "").rpartition("/")[2]
        if response.status_code == requests.codes.partial_content and total.isdecimal():
            _sizes[self._file.url] = int(total)
            expected = min(size, int(total) - start)
        else:
            raise InputError(
                f"The server of {self._file} gives no ranges of files.", "Download the files, and give their folder."
            )
        if len(content) != expected:
            raise InputError(f"The server of {self._file} cut an answer short.", "Call it again: it goes on.")
        cache.keep(self._file.url, start, content)
        return content


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
            _forget_signatures()
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
    query = "&".join(filter(None, (file.query, _signature(file))))
    for _ in range(_REDIRECTS):
        host = urlsplit(url).hostname or ""
        _check_host(host, file.archive)
        token = token_of(host)
        known = {"Authorization": f"Bearer {token}"} if token else {}
        response = _session().get(
            f"{url}?{query}" if query else url,
            headers={**headers, **known, "Accept-Encoding": "identity"},
            timeout=_TIMEOUT,
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


def _session() -> requests.Session:
    """Returns the connections of this thread."""
    if not hasattr(_own, "session"):
        _own.session = requests.Session()
    return _own.session


@lru_cache(maxsize=1)
def _parsed(text: str) -> Mapping[str, str]:
    return dict(part.split("=", 1) for part in text.split() if "=" in part)


def token_of(host: str) -> str | None:
    """Returns the token that the user gave for a host; None if there is none."""
    tokens = _parsed(os.environ.get(TOKENS, ""))
    return tokens.get(host) or tokens.get(host.partition(":")[0])


_signatures: dict[str, tuple[float, str]] = {}
_signing = threading.Lock()


def _signature(file: RemoteFile) -> str:
    """Returns the signature of a file's container, as a query; empty if none is needed."""
    if not file.archive.signing:
        return ""
    parts = urlsplit(file.url)
    account, container = (parts.hostname or "").partition(".")[0], parts.path.lstrip("/").partition("/")[0]
    address = f"{file.archive.signing.rstrip('/')}/{account}/{container}"
    with _signing:
        until, token = _signatures.get(address, (0.0, ""))
        if time.time() > until - _BEFORE_EXPIRY:
            response = _session().get(address, timeout=_TIMEOUT, allow_redirects=False)
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


def _forget_signatures() -> None:
    with _signing:
        _signatures.clear()


@lru_cache(maxsize=1024)
def _check_host(host: str, archive: Archive) -> None:
    """Raises an error if a host is this machine or a service of its network, unless the API is there itself."""
    if host == urlsplit(archive.api).hostname:
        return
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:  # behind a proxy names need not be known; a name that is not can't be reached
        return
    for *_, address in found:
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast:
            raise InputError(
                f"An address in the scene list is on {host}, which is this machine or a service of its network, and "
                "not that of the archive. It is not read.",
                "Take scene lists from archives that you trust.",
            )


def parts_of(href: str) -> SplitResult:
    """Returns the parts of an address that somebody else wrote; empty ones of what is none."""
    try:
        return urlsplit(href)
    except ValueError:
        return urlsplit("")


def _shown(href: str) -> str:
    return href.partition("?")[0][:200]
