"""Writes docs/parameters.md: every parameter of every job, as `twinns_qgis.jobs.declarations` declares it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from twinns_qgis.compute import declarations as compute  # noqa: E402
from twinns_qgis.jobs.declarations import DECLARATIONS  # noqa: E402
from twinns_qgis.jobs.parameters import Choice, Declaration, Number, Parameter  # noqa: E402

PAGE = ROOT / "docs" / "parameters.md"
HEAD = """# Parameters

Every algorithm with its parameters, as the toolbox, models and `qgis_process` name them. On the command line they are
options in lower case with hyphens, `CLASS_FIELD` is `--class-field`; in Python they are the arguments of the job, in
lower case.
"""


def page() -> str:
    """Returns the page."""
    return "\n".join([HEAD, *(section(declaration) for declaration in (*compute.DECLARATIONS, *DECLARATIONS))])


def section(declaration: type[Declaration]) -> str:
    """Returns what the page says of a job."""
    names = f"`twinns:{declaration.id()}`"
    if declaration in DECLARATIONS:
        names += f", `twinns {declaration.command}`, `twinns_qgis.jobs.{declaration.__name__}`"
    rows = "\n".join(row(name, parameter) for name, parameter in declaration.parameters().items())
    given = "".join(f"\n\nOutput: `{name.upper()}`, {text}." for name, text in declaration.numbers.items())
    return (
        f"## {declaration.label}\n\n{names}\n\n{declaration.description}\n\n"
        f"| parameter | what it is | by default |\n| --- | --- | --- |\n{rows}{given}\n"
    )


def row(name: str, parameter: Parameter) -> str:
    """Returns the row of a parameter."""
    default = "must be given" if parameter.required else f"`{parameter.default}`"
    if not parameter.required and parameter.default in (None, (), ""):
        default = ""
    return f"| `{name.upper()}` | {' '.join(told(parameter)).replace('|', chr(92) + '|')} | {default} |"


def told(parameter: Parameter) -> Iterator[str]:
    """Yields the sentences on a parameter."""
    yield parameter.help
    if isinstance(parameter, Choice):
        yield "; ".join(f"`{word}`: {label}" for word, label in parameter.choices.items()) + "."
    if isinstance(parameter, Number) and str(parameter.limit) not in parameter.help:
        yield f"{str(parameter.limit).capitalize()}."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
