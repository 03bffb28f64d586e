"""Checksums as the STAC extension *file* has them: multihashes, a code and a length before the digest, in hexadecimal.

Codes: the table of the multiformats project.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from twinns_qgis.files import add_to_digest, sha256_of

_SHA256 = "1220"
_KNOWN = {
    "1114": "sha1", "d50110": "md5", _SHA256: "sha256", "1340": "sha512", "1620": "sha3_256", "1440": "sha3_512",
}  # fmt: skip


def checksum_of(path: Path, between: Callable[[], None] = lambda: None) -> str:
    """Returns the SHA-256 of a file as a multihash.

    Args:
        path: The file.
        between: Is called every now and then, and may raise.
    """
    return _SHA256 + sha256_of(path, between)


def agrees(path: Path, checksum: str, between: Callable[[], None] = lambda: None) -> bool | None:
    """Returns whether a file has a checksum that others computed; None if that is of a kind that is not known.

    Args:
        path: The file.
        checksum: The multihash.
        between: Is called every now and then, and may raise.
    """
    checksum = checksum.lower()
    code = next((code for code in _KNOWN if checksum.startswith(code)), None)
    if code is None:
        return None
    digest = hashlib.new(_KNOWN[code], usedforsecurity=False)
    if len(checksum) - len(code) != 2 * digest.digest_size:
        return None
    add_to_digest(digest, path, between)
    return digest.hexdigest() == checksum[len(code) :]
