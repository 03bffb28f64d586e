"""What every job has: typed parameters, one way to fill them from JSON or from the command line, and `run`."""

from __future__ import annotations

import dataclasses
import math
import shlex
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter

AnyJob = TypeVar("AnyJob", bound="Job")


@dataclass(frozen=True)
class Limit:
    """What a number may be.

    Args:
        words: It in words, such as ``1 or more``.
        allows: Whether a number is within it.
    """

    words: str
    allows: Callable[[float], bool]


AT_LEAST_0 = Limit("0 or more", lambda number: number >= 0)
AT_LEAST_1 = Limit("1 or more", lambda number: number >= 1)
ABOVE_0 = Limit("more than 0", lambda number: number > 0)
SEED = Limit("0 to 4294967295", lambda number: 0 <= number < 2**32)
SHARE_BETWEEN_0_AND_1 = Limit("more than 0, below 1", lambda number: 0 < number < 1)
SHARE_BELOW_1 = Limit("0 or more, below 1", lambda number: 0 <= number < 1)


def parameter(
    help: str,
    *,
    default: Any = dataclasses.MISSING,
    choices: tuple[str, ...] | None = None,
    limit: Limit | None = None,
) -> Any:
    """Declares a parameter of a job.

    Args:
        help: What it means, in a sentence.
        default: Its value where none is given; without one the parameter is required.
        choices: The values it can take.
        limit: What it may be, if it is a number.
    """
    return dataclasses.field(default=default, metadata={"help": help, "choices": choices, "limit": limit})


@dataclass(frozen=True, kw_only=True)
class Job:
    """A piece of work with named parameters: a subclass declares them as fields with `parameter`.

    Types are `Path`, `str`, `int`, `float`, `bool`, `date`, a tuple of `Path`, or one of them or None.
    """

    id: ClassVar[str]
    """Name in the worker's protocol and in QGIS, such as ``trainmodel``."""
    command: ClassVar[str]
    """Name on the command line, such as ``train-model``."""

    def check_numbers(self) -> None:
        """Checks the parameters that have a limit.

        Raises:
            InputError: A number is beyond its limit, or not finite.
        """
        for field in dataclasses.fields(self):
            limit, value = field.metadata["limit"], getattr(self, field.name)
            if limit and not (math.isfinite(value) and limit.allows(value)):
                raise InputError(f"The parameter '{field.name}' is {value}.", f"Expected {limit.words}.")

    def run(self, reporter: Reporter) -> dict[str, Any]:
        """Does the work and returns the outputs by name: paths as text, measures as numbers."""
        raise NotImplementedError

    def call(self) -> str:
        """Returns the call on the command line that repeats this job."""
        words = ["twinns", self.command]
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                words.append(f"--{field.name.replace('_', '-')}")
                words.extend(str(part) for part in (value if isinstance(value, tuple) else [value]))
        return shlex.join(words)

    @classmethod
    def from_values(cls: type[AnyJob], values: Mapping[str, Any]) -> AnyJob:
        """Makes a job from parameters as JSON or the command line give them; null means the default.

        Raises:
            InputError: A parameter is unknown, missing, or not of its type.
        """
        kinds = typing.get_type_hints(cls)
        fields = {field.name: field for field in dataclasses.fields(cls)}
        for name in values:
            if name not in fields:
                raise InputError(f"{cls.command} has no parameter '{name}'.", f"It has {', '.join(fields)}.")
        given = {name: value for name, value in values.items() if value is not None}
        for field in fields.values():
            if field.default is dataclasses.MISSING and field.name not in given:
                raise InputError(f"{cls.command} needs the parameter '{field.name}'.", field.metadata["help"])
        return cls(**{name: _convert(fields[name], kinds[name], value) for name, value in given.items()})


def item_type(kind: Any) -> tuple[type, bool]:
    """Returns the plain type of a parameter and whether it takes several values."""
    if isinstance(kind, types.UnionType):
        kind = next(part for part in typing.get_args(kind) if part is not types.NoneType)
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], True
    return kind, False


def _convert(field: dataclasses.Field[Any], kind: Any, value: Any) -> Any:
    item, several = item_type(kind)
    try:
        if several:
            if isinstance(value, (str, bytes)):
                raise ValueError(value)
            return tuple(_convert_item(item, part) for part in value)
        converted = _convert_item(item, value)
    except (ValueError, TypeError) as error:
        expected = {Path: "a path", date: "a date YYYY-MM-DD", int: "a whole number", float: "a number"}
        raise InputError(
            f"The parameter '{field.name}' is {value!r}.", f"Expected {expected.get(item, item.__name__)}."
        ) from error
    choices = field.metadata["choices"]
    if choices and converted not in choices:
        raise InputError(f"The parameter '{field.name}' is {value!r}.", f"Choose one of {', '.join(choices)}.")
    return converted


def _convert_item(kind: type, value: Any) -> Any:
    if kind is date:
        return date.fromisoformat(value)
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(value)
        return value
    if kind is int and isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    if kind is Path and value == "":
        raise ValueError(value)
    return kind(value)
