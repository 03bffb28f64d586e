"""The programs that an installation calls, and in words how they ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..errors import InputError
from ..reporter import Reporter
from .network import is_about_certificates, without_secrets
from .processes import Ended, run

_CHATTER = ("WARNING: Retrying", "Ignoring ", "Looking in ", "Collecting ")
"""How lines of pip begin that don't tell what is wrong."""


class Untrusted(Exception):
    """A certificate is not trusted."""


class Calls:
    """Calls programs, and ends them when the user cancels.

    Args:
        variables: Their environment variables, which may be added to.
        folder: Their working folder.
        reporter: Receives what is done meanwhile, and knows whether the user cancelled.
    """

    def __init__(self, variables: Mapping[str, str], folder: Path, reporter: Reporter) -> None:
        self.variables = dict(variables)
        self.reporter = reporter
        self._folder = folder

    def __call__(
        self,
        command: Sequence[str | Path],
        variables: Mapping[str, str] | None = None,
        between: Callable[[], None] | None = None,
    ) -> Ended:
        """Runs a program to its end; see `processes.run`."""
        return run(
            command,
            self.variables if variables is None else variables,
            folder=self._folder,
            between=between or self.reporter.check_cancelled,
        )


def fail_if_untrusted(ended: Ended) -> None:
    """Raises `Untrusted` if a program ended for a certificate that is not trusted."""
    if is_about_certificates(ended.text):
        raise Untrusted(told(ended))


def why_not_installed(ended: Ended) -> InputError:
    """Returns the error for packages that could not be installed."""
    text = ended.text.lower()
    if "hash" in text and ("mismatch" in text or "do not match" in text or "does not match" in text):
        return InputError(
            f"A package has another hash than the lock: it is damaged, or not the one that was tested. {told(ended)}",
            "Try again; if that does not help, a proxy or the package index changes files: ask its keeper.",
        )
    if "no space" in text or "os error 112" in text or "disk quota" in text:
        return InputError(f"The disk is full. {told(ended)}", "Make room and run it again.")
    if any(word in text for word in ("407", "proxy auth")):
        return InputError(
            f"The proxy refuses user or password. {told(ended)}",
            "Set them in Settings > Options > Network.",
        )
    return InputError(
        f"The packages could not be installed. {told(ended)}",
        "Check the network and the proxy in Settings > Options > Network, and run it again: what was downloaded is "
        "kept. Without a network, give WHEELS, a folder of wheels.",
    )


def told(ended: Ended) -> str:
    """Returns what a program said, without its chatter."""
    lines = [line for line in ended.text.splitlines() if not line.startswith(_CHATTER)]
    return without_secrets("\n".join(["The installer said:", *lines]))


def last(ended: Ended) -> str:
    """Returns the last line that a program wrote."""
    lines = without_secrets(ended.text).splitlines()
    return lines[-1].strip() if lines else f"exit status {ended.status}"
