"""How programs reach the network from here: the proxy that is set in QGIS, and the system's certificates."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

_SCHEMES = {
    "HttpProxy": "http",
    "HttpCachingProxy": "http",
    "FtpCachingProxy": "http",
    "Socks5Proxy": "socks5h",
}
"""QGIS's kinds of proxy, and how addresses begin that name one."""
_SECRET = re.compile(r"(?<=://)(?:[^/\s]*:\S+|[^/\s]+)@")


@dataclass(frozen=True)
class Proxy:
    """A proxy as QGIS's options hold it.

    Args:
        kind: QGIS's word for what it is, ``DefaultProxy`` for that of the system.
        host: Its name or address.
        port: Its port; may be empty.
        user: Whom it knows; may be empty.
        password: Their password.
        excluded: Addresses that are reached without it.
    """

    kind: str
    host: str = ""
    port: str = ""
    user: str = ""
    password: str = ""
    excluded: Sequence[str] = ()

    def variables(self) -> dict[str, str]:
        """Returns the environment variables that name it."""
        if self.kind == "DefaultProxy":
            found = {name: url for name, url in urllib.request.getproxies().items() if name in ("http", "https")}
            named = {f"{name.upper()}_PROXY": url for name, url in found.items()}
        elif self.kind in _SCHEMES and self.host:
            named = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), self._address())
        else:
            return {}
        if self.excluded:
            named["NO_PROXY"] = ",".join(filter(None, map(_host, self.excluded)))
        # Some programs know the names in lower case alone.
        return {**named, **{name.lower(): value for name, value in named.items()}}

    def _address(self) -> str:
        host = self.host.strip().rpartition("://")[2].rstrip("/")
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        who = quote(self.user, safe="")
        if who and self.password:
            who += ":" + quote(self.password, safe="")
        port = self.port if self.port not in ("", "0") else ""
        return f"{_SCHEMES[self.kind]}://{who + '@' if who else ''}{host}{':' + port if port else ''}"


def _host(address: str) -> str:
    text = address.strip()
    return urlsplit(text).hostname or "" if "://" in text else text


def without_secrets(text: str) -> str:
    """Returns a text without the names and passwords that addresses in it hold."""
    return _SECRET.sub("***@", text)


def write_system_certificates(path: Path) -> bool:
    """Writes the certificates that the system trusts, a company's own among them, as programs read them.

    Returns:
        Whether any were found.
    """
    try:
        import ssl
    except ImportError:  # QGIS's Python on Windows, before its folders are searched for libraries
        return False
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    path.write_text("".join(ssl.DER_cert_to_PEM_cert(one) for one in found), encoding="ascii")
    return bool(found)


def is_about_certificates(text: str) -> bool:
    """Returns whether what a program said is that a certificate is not trusted."""
    return bool(re.search(r"certificate|UnknownIssuer|CERT_|SSLError", text, re.IGNORECASE))


def certificate_variables(variables: Mapping[str, str], system: Path | None) -> dict[str, str]:
    """Returns the environment variables that have the system's certificates trusted, where none say otherwise.

    Args:
        variables: Those that are there already.
        system: The file of the system's certificates, None if it could not be written.
    """
    # uv reads the system's own; so does pip from 24.2 on, and before it takes a file.
    named = {"UV_SYSTEM_CERTS": "true"}
    file = variables.get("SSL_CERT_FILE") or system
    if file is not None and not {"PIP_CERT", "REQUESTS_CA_BUNDLE"} & variables.keys():
        named["PIP_CERT"] = str(file)
    return named
