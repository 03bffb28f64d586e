"""What every job has: the parameters that it declares, one way to fill them, and `run`."""

from __future__ import annotations

import copy
import dataclasses
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from twinns_qgis.errors import InputError
from twinns_qgis.files import check_distinct, check_outputs, kept_beside
from twinns_qgis.jobs.parameters import Declaration, FolderOutput, Parameter
from twinns_qgis.locks import locked
from twinns_qgis.reporter import Reporter

AnyJob = TypeVar("AnyJob", bound="Job")


class Job(Declaration):
    """A piece of work with named parameters: a subclass derives from this and from a declaration, and runs it.

    A job is a frozen dataclass whose fields are the declared parameters.

    Raises:
        InputError: A value lies beyond its limit, or is none of the choices.
    """

    if TYPE_CHECKING:  # the dataclass brings its own

        def __init__(self, **values: Any) -> None: ...

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        parameters = cls.parameters()
        cls.__annotations__ = {name: type(parameter).__name__ for name, parameter in parameters.items()}
        for name, parameter in parameters.items():
            default = dataclasses.MISSING if parameter.required else parameter.default
            setattr(cls, name, dataclasses.field(default=default))
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)

    stands_for: ClassVar[Mapping[str, str]] = {}
    """What people are to read instead of the value of a parameter that names a temporary file."""

    def __post_init__(self) -> None:
        for name, parameter in self.parameters().items():
            value = getattr(self, name)
            if value != parameter.default and (expected := parameter.check(value)):
                raise InputError(f"The parameter '{name}' is {value!r}.", f"Expected {expected}.")

    def run(self, reporter: Reporter) -> dict[str, Any]:
        """Does the work, and keeps other processes from the job's outputs meanwhile.

        Returns:
            The outputs by name: paths as text, measures as numbers.

        Raises:
            TwinnsError: Something among the inputs can't be used, an output can't be written, or the user stopped it.
        """
        outputs = [getattr(self, name) for name, parameter in self.parameters().items() if _is_written(parameter)]
        written = [path for path in outputs if path]
        check_distinct(written)
        with locked(written):
            check_outputs(written)
            return _told(self._run(reporter), reporter)

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        raise NotImplementedError

    def with_values(self: AnyJob, **values: Any) -> AnyJob:
        """Returns the same job with other values of some parameters."""
        other = copy.copy(self)
        for name, value in values.items():
            object.__setattr__(other, name, value)
        other.__post_init__()
        return other

    def call(self, leave_out: Collection[str] = ()) -> str:
        """Returns the call on the command line that repeats this job.

        Args:
            leave_out: Parameters that make no difference to what is made.
        """
        words = ["twinns", self.command]
        for name, parameter in self.parameters().items():
            value = self.told(name)
            if name not in leave_out and value != parameter.default:
                parts = value if parameter.several else [value]
                words.extend(f"{option(name)}={part}" for part in parts)
        return shlex.join(words)

    def told(self, name: str) -> Any:
        """Returns the value of a parameter for people to read: of a temporary file what it stands for."""
        return self.stands_for.get(name, getattr(self, name))

    @classmethod
    def from_values(
        cls: type[AnyJob], values: Mapping[str, Any], stands_for: Mapping[str, str] | None = None
    ) -> AnyJob:
        """Makes a job from parameters as JSON or the command line give them; null means the default.

        Args:
            values: The parameters.
            stands_for: What people are to read instead of the value of a parameter that names a temporary file.

        Raises:
            InputError: A parameter is unknown, missing, not of its kind, or beyond its limit.
        """
        parameters = cls.parameters()
        for name in values:
            if name not in parameters:
                raise InputError(f"{cls.command} has no parameter '{name}'.", f"It has {', '.join(parameters)}.")
        given = {name: value for name, value in values.items() if value is not None}
        for name, parameter in parameters.items():
            if parameter.required and name not in given:
                raise InputError(f"{cls.command} needs the parameter '{name}'.", parameter.help)
        job = cls(**{name: _read(name, parameters[name], value) for name, value in given.items()})
        object.__setattr__(job, "stands_for", dict(stands_for or {}))  # beside the parameters, which alone are fields
        return job


def _is_written(parameter: Parameter) -> bool:
    """Whether it is a file that the job writes; a folder is made under another name, which keeps others from it."""
    return parameter.output and not isinstance(parameter, FolderOutput)


def _told(outputs: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Returns a job's outputs, with a warning those that could not take their names by the names that they have."""
    told = dict(outputs)
    for name, value in outputs.items():
        if isinstance(value, str) and (beside := kept_beside(Path(value))):
            told[name] = str(beside)
            reporter.warning(
                f"{value} could not be replaced, as another program has it open; the new file is {beside}. Close the "
                "other one, or remove its layer from QGIS, and rename it."
            )
    return told


def option(name: str) -> str:
    """Returns the option of the command line for a parameter, such as ``--class-field``."""
    return f"--{name.replace('_', '-')}"


def _read(name: str, parameter: Parameter, value: Any) -> Any:
    try:
        if not parameter.several:
            return parameter.read(value)
        if isinstance(value, (str, bytes)):
            raise ValueError(value)
        return tuple(parameter.read(part) for part in value)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"The parameter '{name}' is {value!r}.", f"Expected {parameter.expected}.") from error
