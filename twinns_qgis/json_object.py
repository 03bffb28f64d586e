"""Values out of a JSON file, each checked when it is taken: whatever a file holds is used, or refused in words."""

from __future__ import annotations

import math
import sys
from typing import Any, NoReturn

_FLOAT32 = 3.4028234663852886e38
"""The largest number of float32, in which networks compute."""


class JsonObject:
    """An object of a JSON file. Its methods raise `ValueError` for a value that is missing or of another kind.

    Args:
        values: What the file has in its place.
        what: What it is, for messages.

    Example:
        >>> JsonObject({"code": 3}, "class").whole_number("code", least=1, most=254)
        3

    Raises:
        ValueError: It is no object.
    """

    def __init__(self, values: Any, what: str) -> None:
        if not isinstance(values, dict):
            raise ValueError(f"The {what} is no object.")
        self._values = values
        self._what = what

    def value(self, name: str) -> Any:
        """Returns a value of any kind."""
        if name not in self._values:
            raise ValueError(f"The {self._what} lacks '{name}'.")
        return self._values[name]

    def text(self, name: str) -> str:
        """Returns a text."""
        value = self.value(name)
        return value if isinstance(value, str) else self._refuse(name, "no text")

    def flag(self, name: str) -> bool:
        """Returns whether something is so."""
        value = self.value(name)
        return value if isinstance(value, bool) else self._refuse(name, "neither true nor false")

    def whole_number(self, name: str, *, least: int, most: int) -> int:
        """Returns a whole number within limits."""
        value = self.value(name)
        if type(value) is not int or not least <= value <= most:
            self._refuse(name, f"no whole number from {least} to {most}")
        return value

    def number(self, name: str, *, least: float = -math.inf, below: float = math.inf) -> float:
        """Returns a finite number within limits; a no data value may be the lowest of float64."""
        value = self.value(name)
        if not _is_number(value) or not least <= value < below:
            self._refuse(name, "no number that can stand there")
        return float(value)

    def mapping(self, name: str) -> dict[str, Any]:
        """Returns an object whose values may be any."""
        value = self.value(name)
        return value if isinstance(value, dict) else self._refuse(name, "no object")

    def items(self, name: str) -> tuple[Any, ...]:
        """Returns the values of a list that is not empty."""
        value = self.value(name)
        if not isinstance(value, list | tuple) or not value:
            self._refuse(name, "no list, or an empty one")
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Returns one text or more, none of them twice."""
        found = self.items(name)
        if not all(isinstance(item, str) for item in found):
            self._refuse(name, "no list of texts")
        if len(set(found)) < len(found):
            self._refuse(name, "a list in which a text stands twice")
        return found

    def numbers(self, name: str, count: int) -> tuple[float, ...]:
        """Returns so many finite numbers."""
        found = self.value(name)
        if not isinstance(found, list | tuple) or not all(map(_is_number, found)):
            self._refuse(name, "no list of numbers")
        if any(abs(number) > _FLOAT32 for number in found):
            self._refuse(name, "a list with a number beyond float32")
        if len(found) != count:
            self._refuse(name, f"a list of {len(found)} numbers; {count} belong there")
        return tuple(map(float, found))

    def _refuse(self, name: str, why: str) -> NoReturn:
        raise ValueError(f"'{name}' of the {self._what} is {why}.")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max  # which no NaN is
