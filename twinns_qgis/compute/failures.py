"""What programs say when they fail, in words that a user can act on."""

from __future__ import annotations

import re

from ..errors import InputError
from .network import is_about_certificates, without_secrets
from .processes import Ended

_CHATTER = ("WARNING: Retrying", "Ignoring ", "Looking in ", "Collecting ")
"""How lines of pip begin that don't tell what is wrong."""
_HASH = re.compile(r"hash.*(mismatch|do(es)? not match)|do(es)? not match.*hash", re.IGNORECASE | re.DOTALL)
_FULL_DISK = re.compile(r"no space|os error 112|disk quota", re.IGNORECASE)
_PROXY = re.compile(r"\b407 Proxy|proxy auth", re.IGNORECASE)
_NETWORK = re.compile(
    r"connection broken by|new connection|error sending request|dns error|tcp connect error|getaddrinfo", re.IGNORECASE
)


class Untrusted(Exception):
    """A certificate is not trusted."""


def fail_if_untrusted(ended: Ended) -> None:
    """Raises `Untrusted` if a program ended for a certificate that is not trusted."""
    if is_about_certificates(ended.text):
        raise Untrusted(told(ended))


def fail_if_unreachable(ended: Ended) -> None:
    """Raises the error for packages that could not be installed if the reason lies on the way to them."""
    if _PROXY.search(ended.text) or _NETWORK.search(ended.text):
        raise why_not_installed(ended)


def why_not_installed(ended: Ended) -> InputError:
    """Returns the error for packages that could not be installed."""
    if _HASH.search(ended.text):
        return InputError(
            f"A package has another hash than the lock: it is damaged, or not the one that was tested. {told(ended)}",
            "Try again; if that does not help, a proxy or the package index changes files: ask its keeper.",
        )
    if _FULL_DISK.search(ended.text):
        return InputError(f"The disk is full. {told(ended)}", "Make room and run it again.")
    if _PROXY.search(ended.text):
        return InputError(
            f"The proxy refuses user or password. {told(ended)}",
            "Set them in Settings > Options > Network.",
        )
    reasons = [line for line in ended.text.splitlines() if _NETWORK.search(line)]
    what = f"The packages can't be reached: {without_secrets(reasons[-1]).strip()}\n" if reasons else ""
    return InputError(
        f"{what or 'The packages could not be installed. '}{told(ended)}",
        "Check the network and the proxy in Settings > Options > Network, and run it again: what was downloaded is "
        "kept. Without a network, give WHEELS, a folder of wheels.",
    )


def told(ended: Ended) -> str:
    """Returns what a program said, without its chatter."""
    lines = [line for line in ended.text.splitlines() if not line.lstrip().startswith(_CHATTER)]
    return without_secrets("\n".join(["The installer said:", *lines]))


def last(ended: Ended) -> str:
    """Returns the last line that a program wrote."""
    lines = without_secrets(ended.text).splitlines()
    return lines[-1].strip() if lines else f"exit status {ended.status}"
