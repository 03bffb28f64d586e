"""Addresses of files on servers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.remote.buckets import address_in, is_bucket
from twinns_qgis.rasters.remote.hosts import check_host

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
        bucket: Whether it is in a bucket that wants keys.
    """

    url: str
    archive: Archive = field(default=Archive(), compare=False)
    query: str = field(default="", repr=False)
    bucket: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, href: str, archive: Archive) -> RemoteFile:
        """Returns the file at an address that somebody else wrote, `https://...` or `s3://...`.

        Raises:
            InputError: It is none that may be read.
        """
        if is_bucket(href):
            return cls(address_in(href), archive, bucket=True)
        parts = parts_of(href)
        if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
            raise InputError(
                f"{_shown(href)} is no address of a file on a server, https://...",
                "Choose an archive whose files have such addresses, or download them.",
            )
        check_host(parts.hostname)
        kept = [
            (key, value) for key, value in parse_qsl(parts.query) if not archive.signing or key.lower() not in _SIGNED
        ]
        return cls(parts._replace(query="", fragment="").geturl(), archive, urlencode(kept))

    @property
    def key(self) -> str:
        """What tells it from all others, without secrets: files may differ in the query of their address alone."""
        return f"{self.url}?{hashlib.sha256(self.query.encode()).hexdigest()}" if self.query else self.url

    @property
    def host(self) -> str:
        """The server."""
        return urlsplit(self.url).netloc

    @property
    def name(self) -> str:
        """The file's name."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2])

    @property
    def driver(self) -> str:
        """How it is read, by its name: neither format refers to other files, as others do."""
        return "JP2OpenJPEG" if self.name.lower().endswith(".jp2") else "GTiff"

    def __str__(self) -> str:
        return self.url


def parts_of(href: str) -> SplitResult:
    """Returns the parts of an address that somebody else wrote; empty ones of what is none."""
    try:
        return urlsplit(href)
    except ValueError:
        return urlsplit("")


def _shown(href: str) -> str:
    return href.partition("?")[0][:200]
