"""What a job can be asked for: kinds of parameters, each with its texts, its default and its limits.

The command line, QGIS's dialogs and models, and the documentation are made from these. QGIS imports this file into its
own Python, so it needs nothing but the standard library of Python 3.9.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

REQUIRED: Any = object()
"""The default of a parameter that has none."""


@dataclass(frozen=True)
class Limit:
    """What a number may be.

    Args:
        minimum: Its smallest value.
        maximum: Its largest value; none by default.
        above: Whether the smallest value itself is left out.
        below: Whether the largest value itself is left out.
    """

    minimum: float
    maximum: float = math.inf
    above: bool = False
    below: bool = False

    def allows(self, number: float) -> bool:
        """Returns whether a number lies within the limit."""
        low = number > self.minimum if self.above else number >= self.minimum
        high = number < self.maximum if self.below else number <= self.maximum
        return math.isfinite(number) and low and high

    def __str__(self) -> str:
        low = f"more than {self.minimum:.10g}" if self.above else f"{self.minimum:.10g} or more"
        if self.maximum == math.inf:
            return low
        if not (self.above or self.below):
            return f"{self.minimum:.10g} to {self.maximum:.10g}"
        return f"{low}, {'below' if self.below else 'up to'} {self.maximum:.10g}"


@dataclass(frozen=True)
class Parameter:
    """A parameter of a job; its name is that of the attribute that declares it.

    Args:
        label: What dialogs call it.
        help: What it means, in a sentence or two.
        default: Its value where none is given; without one the parameter is required.
        advanced: Whether dialogs hide it at first.
    """

    label: str
    help: str
    default: Any = REQUIRED
    advanced: bool = False

    expected: ClassVar[str] = "text"
    """What its value is, in words."""
    several: ClassVar[bool] = False
    """Whether it takes a tuple of values."""
    output: ClassVar[bool] = False
    """Whether it names a file that the job writes."""

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is REQUIRED

    @property
    def texts(self) -> tuple[str, ...]:
        """What users read of it, to be translated."""
        return self.label, self.help

    def read(self, value: Any) -> Any:
        """Returns a value as the job has it, from JSON or from the command line.

        Raises:
            ValueError: It is of another kind.
            TypeError: Likewise.
        """
        return str(value)

    def check(self, value: Any) -> str:
        """Returns what is expected instead of a value that the job can't use, such as ``1 or more``; else nothing."""
        return ""


@dataclass(frozen=True)
class Text(Parameter):
    """A line of text."""


@dataclass(frozen=True)
class Extent(Parameter):
    """A rectangle of the map, ``xmin,xmax,ymin,ymax [EPSG:code]``."""

    expected: ClassVar[str] = "xmin,xmax,ymin,ymax [EPSG:code]"


@dataclass(frozen=True)
class Crs(Parameter):
    """A coordinate reference system, ``EPSG:code`` or WKT."""

    expected: ClassVar[str] = "a CRS such as EPSG:32631"


@dataclass(frozen=True)
class Polygons(Parameter):
    """A layer of polygons, ``file|layername=name|subset=condition``.

    Args:
        points: Whether points are taken too.
    """

    points: bool = False

    expected: ClassVar[str] = "a vector file, or file|layername=name"


@dataclass(frozen=True)
class Field(Parameter):
    """A field of a layer.

    Args:
        of: The parameter that names the layer.
    """

    of: str = ""

    expected: ClassVar[str] = "the name of a field"


@dataclass(frozen=True)
class Choice(Parameter):
    """One of several words.

    Args:
        choices: What dialogs call each word. QGIS allows no comma in a word.
        spellings: Words that are understood too, with the one that each stands for.
    """

    choices: Mapping[str, str] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """What users read of it, to be translated."""
        return *super().texts, *self.choices.values()

    def read(self, value: Any) -> str:
        """Returns the word; see `Parameter.read`."""
        return self.spellings.get(str(value), str(value))

    def check(self, value: Any) -> str:
        """Returns the words, if a value is none of them; see `Parameter.check`."""
        return "" if value in self.choices else f"one of {', '.join(self.choices)}"


@dataclass(frozen=True)
class Choices(Choice):
    """Several of some words; dialogs show the words themselves."""

    several: ClassVar[bool] = True

    @property
    def texts(self) -> tuple[str, ...]:
        """What users read of it, to be translated."""
        return self.label, self.help

    def check(self, value: Any) -> str:
        """Returns the words, if a value is none of them, or stands there twice; see `Parameter.check`."""
        if value and set(value) <= set(self.choices) and len(set(value)) == len(value):
            return ""
        return f"some of {', '.join(self.choices)}, each once"


@dataclass(frozen=True)
class Number(Parameter):
    """A number.

    Args:
        limit: What it may be.
        decimals: Digits after the point that dialogs show and take.
    """

    limit: Limit = Limit(-math.inf)
    decimals: int = 2

    expected: ClassVar[str] = "a number"

    def read(self, value: Any) -> float:
        """Returns the number; see `Parameter.read`."""
        return float(_not_boolean(value))

    def check(self, value: Any) -> str:
        """Returns the limit, if a value lies beyond; see `Parameter.check`."""
        return "" if value is None or self.limit.allows(value) else str(self.limit)


@dataclass(frozen=True)
class WholeNumber(Number):
    """A whole number."""

    expected: ClassVar[str] = "a whole number"

    def read(self, value: Any) -> int:
        """Returns the number; see `Parameter.read`."""
        if isinstance(value, float) and not value.is_integer():
            raise ValueError(value)
        return int(_not_boolean(value))


@dataclass(frozen=True)
class Day(Parameter):
    """A date."""

    expected: ClassVar[str] = "a date YYYY-MM-DD"

    def read(self, value: Any) -> date:
        """Returns the date; see `Parameter.read`."""
        return value if isinstance(value, date) else date.fromisoformat(value)


@dataclass(frozen=True)
class FilePath(Parameter):
    """A file.

    Args:
        extension: That of its name.
    """

    extension: str = ""

    expected: ClassVar[str] = "a path"

    def read(self, value: Any) -> Path:
        """Returns the path; see `Parameter.read`."""
        if value == "":
            raise ValueError(value)
        return Path(value)


@dataclass(frozen=True)
class DatesTable(FilePath):
    """A CSV table of files and their dates; in QGIS, layers with a temporal range need none.

    Args:
        of: The parameter that names the layers.
    """

    of: str = ""


@dataclass(frozen=True)
class ClassesTable(FilePath):
    """A CSV table of classes with their names and colours; in QGIS, a layer with a categorised style needs none.

    Args:
        of: The parameter that names the field of the class.
    """

    of: str = ""


@dataclass(frozen=True)
class Folder(FilePath):
    """A folder to read."""


@dataclass(frozen=True)
class Raster(FilePath):
    """A raster, a layer in QGIS."""


@dataclass(frozen=True)
class Series(Raster):
    """A raster that holds the series of a sensor."""


@dataclass(frozen=True)
class Rasters(FilePath):
    """Any number of rasters."""

    several: ClassVar[bool] = True


@dataclass(frozen=True)
class FileOutput(FilePath):
    """A file to write.

    Args:
        kind: What dialogs call such files.
        offered: Whether dialogs propose to write it though it is optional.
    """

    kind: str = ""
    offered: bool = False

    output: ClassVar[bool] = True

    @property
    def texts(self) -> tuple[str, ...]:
        """What users read of it, to be translated."""
        return *super().texts, self.kind


@dataclass(frozen=True)
class RasterOutput(FilePath):
    """A raster to write; QGIS loads it, in its own style if there is one."""

    output: ClassVar[bool] = True


@dataclass(frozen=True)
class PolygonsOutput(FilePath):
    """A layer of polygons to write."""

    output: ClassVar[bool] = True


@dataclass(frozen=True)
class PointsOutput(FilePath):
    """A layer of points to write."""

    output: ClassVar[bool] = True


@dataclass(frozen=True)
class FolderOutput(FilePath):
    """A folder to make."""

    output: ClassVar[bool] = True


class Declaration:
    """What a job is called and what it can be asked for; a subclass declares its parameters as attributes."""

    command: ClassVar[str]
    """Its name on the command line, such as ``train-model``."""
    label: ClassVar[str]
    """Its name in QGIS's toolbox."""
    group: ClassVar[str]
    """The group of the toolbox that it belongs to."""
    summary: ClassVar[str]
    """What it does, in a sentence."""
    description: ClassVar[str]
    """The same in full, in paragraphs."""
    tags: ClassVar[str]
    """Words that find it, separated by commas."""
    page: ClassVar[str] = "qgis.md"
    """The page of the documentation that tells more, in the folder ``docs``."""
    servers: ClassVar[bool] = False
    """Whether it reads from servers, which may want to know who reads: QGIS tells it from its own store."""
    numbers: ClassVar[Mapping[str, str]] = {}
    """Numbers among its outputs, and what each is."""
    replaced: ClassVar[Mapping[str, str]] = {}
    """Inherited parameters that it has not, and those of its own that stand in their places, separated by blanks."""
    _own: ClassVar[Mapping[str, Parameter]] = {}
    """The parameters that the class itself declares."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._own = {name: item for name, item in vars(cls).items() if isinstance(item, Parameter)}

    @classmethod
    def id(cls) -> str:
        """Returns its name in QGIS and in the worker's protocol, such as ``trainmodel``."""
        return cls.command.replace("-", "")

    @classmethod
    def parameters(cls) -> dict[str, Parameter]:
        """Returns its parameters by name, in the order of dialogs: those of what it derives from come first."""
        every = {name: item for one in reversed(cls.__mro__) for name, item in vars(one).get("_own", {}).items()}
        moved = {name for names in cls.replaced.values() for name in names.split()}
        places = [cls.replaced.get(name, name).split() for name in every if name not in moved]
        return {name: every[name] for names in places for name in names}

    @classmethod
    def texts(cls) -> tuple[str, ...]:
        """Returns all that users read of it, to be translated."""
        own = (cls.label, cls.group, cls.summary, cls.description, cls.tags, *cls.numbers.values())
        return *own, *(text for parameter in cls.parameters().values() for text in parameter.texts)


def _not_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(value)
    return value


# Attributes that declare parameters have the types of their values, as jobs do: so these return anything.
text: Callable[..., Any] = Text
extent: Callable[..., Any] = Extent
crs: Callable[..., Any] = Crs
polygons: Callable[..., Any] = Polygons
field_of: Callable[..., Any] = Field
choice: Callable[..., Any] = Choice
choices: Callable[..., Any] = Choices
number: Callable[..., Any] = Number
whole_number: Callable[..., Any] = WholeNumber
day: Callable[..., Any] = Day
file: Callable[..., Any] = FilePath
dates_table: Callable[..., Any] = DatesTable
classes_table: Callable[..., Any] = ClassesTable
folder: Callable[..., Any] = Folder
raster: Callable[..., Any] = Raster
series: Callable[..., Any] = Series
rasters: Callable[..., Any] = Rasters
file_output: Callable[..., Any] = FileOutput
raster_output: Callable[..., Any] = RasterOutput
polygons_output: Callable[..., Any] = PolygonsOutput
points_output: Callable[..., Any] = PointsOutput
folder_output: Callable[..., Any] = FolderOutput
