"""Buckets on loopback that want requests signed with AWS Signature Version 4, computed here by its definition."""

from __future__ import annotations

import hashlib
import hmac
import re
from http.server import BaseHTTPRequestHandler

from file_server import answer


def signature(secret: str, date: str, scope: str, method: str, path: str, headers: dict[str, str]) -> str:
    """Returns the signature of a request without query and body, for the headers that are signed."""
    names = sorted(headers)
    lines = [f"{name}:{headers[name]}" for name in names]
    canonical = "\n".join([method, path, "", *lines, "", ";".join(names), headers["x-amz-content-sha256"]])
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in [*scope.split("/"), text]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


class Keys:
    """Answers requests that are not signed with a key by 403; for `FileServer.before`.

    Args:
        key: The key's name.
        secret: The key.
        must: Headers that have to be signed, with their values.
    """

    def __init__(self, key: str, secret: str, **must: str) -> None:
        self._key, self._secret = key, secret
        self._must = {name.replace("_", "-"): value for name, value in must.items()}
        self.scopes: set[str] = set()

    def __call__(self, request: BaseHTTPRequestHandler) -> bool:
        """Returns whether it answered."""
        return not self._holds(request) and answer(request, 403)

    def _holds(self, request: BaseHTTPRequestHandler) -> bool:
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)",
            request.headers.get("Authorization", ""),
        )
        if not match or match[1] != self._key:
            return False
        self.scopes.add(match[2])
        signed = {name: request.headers.get(name, "") for name in match[3].split(";")}
        expected = signature(
            self._secret, request.headers["x-amz-date"], match[2], request.command, request.path, signed
        )
        return (
            "host" in signed
            and self._must.items() <= signed.items()
            and hmac.compare_digest(expected, match[4])
            and signed["x-amz-content-sha256"] == hashlib.sha256(b"").hexdigest()
        )
