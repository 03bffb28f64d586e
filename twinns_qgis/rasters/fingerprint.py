"""Fingerprints of jobs: whether blocks that a stopped call left are those of this one."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def described(item: Any) -> dict[str, str]:
    """Returns a hash of each field of a dataclass instance, by its name; of nested ones, and mappings, of each part.

    Fields that are declared with ``compare=False`` don't count: they tell how the work is done, not what comes out.
    """
    parts: dict[str, str] = {}
    for field in _compared(item):
        value = getattr(item, field.name)
        if isinstance(value, Mapping):
            parts |= {f"{field.name} ({key})": hashed(entry) for key, entry in value.items()}
        elif dataclasses.is_dataclass(value):
            parts |= {f"{field.name} ({key})": part for key, part in described(value).items()}
        else:
            parts[field.name] = hashed(value)
    return parts


def states(files: Iterable[Path]) -> dict[str, str]:
    """Returns the size and the time of change of files, by their paths."""
    found = {}
    for path in files:
        state = path.stat()
        found[str(path.resolve())] = f"{state.st_size} {state.st_mtime_ns}"
    return found


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Returns the names of the parts in which two fingerprints differ."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def hashed(value: object) -> str:
    """Returns a hash of a value that is the same in every process."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def _canonical(value: object) -> str:
    """Returns a text that is the same in every process: sets have an order of their own in each."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in _compared(value)}
        return f"{type(value).__name__}{_canonical(fields)}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{key!r}: {_canonical(item)}' for key, item in value.items()))}}}"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(_canonical(item) for item in value))}}}"
    if isinstance(value, (tuple, list)):
        return f"({', '.join(_canonical(item) for item in value)})"
    return repr(value)


def _compared(item: Any) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(item) if field.compare]
