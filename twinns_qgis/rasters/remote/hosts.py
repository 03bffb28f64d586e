"""Which hosts are contacted: none that is this machine or a service of its network, unless the user names it."""

from __future__ import annotations

import ipaddress
import os
import socket
from functools import lru_cache
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from twinns_qgis.errors import InputError

OWN_HOSTS = "TWINNS_OWN_HOSTS"
"""The environment variable of hosts that may be this machine, parted by spaces: of an archive of the user's own.

That a scene list says so is not enough: somebody else may have written it.
"""


@lru_cache(maxsize=1024)
def check_host(host: str) -> None:
    """Checks a host before anything is asked of it.

    Raises:
        InputError: It is this machine or a service of its network.
    """
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:  # behind a proxy names need not be known; a name that is not can't be reached
        return
    for *_, address in found:
        _check(host, str(address[0]))


class CheckedHosts(HTTPAdapter):
    """Sends nothing to an address that no name may stand for: a name may mean another one each time it is asked for."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Makes the connections; those through a proxy are the proxy's own."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(self.host, super()._new_conn())


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(self.host, super()._new_conn())


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def _checked(host: str, connection: socket.socket) -> socket.socket:
    try:
        _check(host, str(connection.getpeername()[0]))
    except InputError:
        connection.close()
        raise
    return connection


def _check(host: str, address: str) -> None:
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    inner = ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast
    if inner and host.strip("[]").lower() not in os.environ.get(OWN_HOSTS, "").lower().split():
        raise InputError(
            f"An address in the scene list is on {host}, which is this machine or a service of its network. It is not "
            "read.",
            f"Take scene lists from archives that you trust. If it is an archive of your own, name {host} in the "
            f"environment variable {OWN_HOSTS}.",
        )
