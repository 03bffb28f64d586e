"""Files in buckets that want keys, ``s3://bucket/key``, over HTTPS with requests that are signed.

Keys and the server that they are for are the user's, from the environment, by names that other programs know too. What
somebody else wrote tells bucket and key alone: so nothing that is signed goes anywhere else. The secret is never sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import quote

from requests_aws4auth import AWS4Auth

from twinns_qgis.errors import InputError

_HREF = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)")
_FIRST_REGION = "us-east-1"
"""What is signed where a server has no regions."""


def is_bucket(href: str) -> bool:
    """Whether an address is of a file in a bucket."""
    return href.startswith("s3://")


def address_in(href: str) -> str:
    """Returns the address that a file in a bucket has on the user's server: `https://server/bucket/key`.

    Raises:
        InputError: It is none, or the environment does not tell the server.
    """
    match = _HREF.fullmatch(href)
    if not match or {"", ".", ".."} & set(match[2].split("/")):
        raise InputError(f"{href[:200]} is no address of a file in a bucket.", "Take scene lists from their archive.")
    return f"{_server(href)}/{match[1]}/{quote(match[2], safe='/~')}"


def headers() -> Mapping[str, str]:
    """Returns what a request tells besides: who pays for it, if the user says so."""
    payer = os.environ.get("AWS_REQUEST_PAYER")
    return {"x-amz-request-payer": payer} if payer else {}


def signer() -> AWS4Auth:
    """Returns what signs a request with the user's keys.

    Raises:
        InputError: There are none.
    """
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        raise InputError(
            "Files in buckets, s3://..., want keys, and there are none in the environment.",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys of the archive, and AWS_SESSION_TOKEN if they "
            "have one.",
        )
    token = os.environ.get("AWS_SESSION_TOKEN")
    return AWS4Auth(key, secret, _region() or _FIRST_REGION, "s3", session_token=token)


def _server(href: str) -> str:
    named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_S3_ENDPOINT")
    if named:
        return (named if "://" in named else f"https://{named}").rstrip("/")
    if region := _region():
        return f"https://s3.{region}.amazonaws.com"
    raise InputError(
        f"{href[:200]} is in a bucket, of which the server is not known.",
        "Set AWS_ENDPOINT_URL_S3 to the server that your keys are for (of the Copernicus Data Space: "
        "https://eodata.dataspace.copernicus.eu), or at Amazon AWS_REGION to the bucket's region.",
    )


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
