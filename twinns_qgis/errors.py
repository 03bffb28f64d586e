"""Errors that a user can act on.

Every message names the file or the parameter, the value that was found and what was expected; the hint says what to
do. Whatever else is raised is a defect of the program, and is reported as one.
"""


class TwinnsError(Exception):
    """An error that a user can act on: a message, and a hint what to do.

    Args:
        message: What is wrong, with which file or value, and what was expected.
        hint: What to do about it.

    Example:
        >>> str(TwinnsError("a.tif has no CRS.", "Assign one."))
        'a.tif has no CRS. Assign one.'
    """

    kind = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class InputError(TwinnsError):
    """A file or a parameter that can't be used as it is."""

    kind = "input"


class Cancelled(TwinnsError):
    """The user stopped the job."""

    kind = "cancelled"

    def __init__(self, message: str = "Cancelled.", hint: str = "") -> None:
        super().__init__(message, hint)
