"""One process at a time for an output.

The lock of an output is a file beside it, ``NAME.lock``: whoever else writes that output, on this machine or on another
one that shares the disk, meets it there. It is removed while it is still held; who had opened it before notices, and
takes a new one. The operating system frees it when its holder ends, however that ends: one that a kill left tells
nothing, and the next process takes it over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path

from twinns_qgis.errors import InputError
from twinns_qgis.files import check_folder, scratch_file

_SECONDS = 0.5
"""How long a lock is waited for: long enough for one that is just being removed."""
_held: ContextVar[frozenset[Path]] = ContextVar("held", default=frozenset())


class InUse(InputError):
    """Another process is at work on the same output."""


@contextmanager
def locked(outputs: Iterable[Path]) -> Iterator[None]:
    """Keeps other processes from outputs, for as long as the block lasts.

    Within the block the same outputs may be locked again: whoever writes a file locks it, also on behalf of a job that
    has locked all its files from the start.

    Raises:
        InUse: Another process is at work on one of them.
        InputError: The folder of one does not exist or can't be written to, or an output is a folder.
    """
    wanted = {path.parent.resolve() / path.name for path in outputs} - _held.get()
    with ExitStack() as stack:
        for path in sorted(wanted):
            stack.enter_context(_locked(path))
        token = _held.set(_held.get() | wanted)
        try:
            yield
        finally:
            _held.reset(token)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout  # here, as the worker tells what is lacking and needs this module for it

    check_folder(path)
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=_SECONDS)
    except (Timeout, OSError) as error:
        if isinstance(error, Timeout) and Path(lock.lock_file).exists():
            raise InUse(
                f"Another process is writing the same output, {path}: it holds {lock.lock_file}.",
                "Wait for it, or stop it.",
            ) from error
        raise InputError(
            f"The output {path} can't be written: its lock {lock.lock_file} can't be.",
            "Choose a folder that you may write to, on a disk that has room.",
        ) from error
    try:
        with scratch_file(path, "lock"):
            yield
    finally:
        lock.release()
