"""Reports as HTML: a template of the report's own within the page that all share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from twinns_qgis import __version__
from twinns_qgis.files import whole_file
from twinns_qgis.rasters.layout import disk_errors

_SHARED = Path(__file__).with_name("templates")


def write_page(path: Path, template: Path, **values: Any) -> None:
    """Writes a report as one HTML file.

    Args:
        path: The HTML file to write.
        template: The report's template, which extends ``report.html.j2``.
        values: What the template tells.

    Raises:
        InputError: The file can't be written.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(grouped=_grouped, duration=_duration, percent=_percent)
    text = environment.get_template(template.name).render(version=__version__, **values)
    with whole_file(path) as partial, disk_errors(path):
        partial.write_text(text, encoding="utf-8")


def _grouped(number: int) -> str:
    """Writes a count with its thousands set apart by a narrow space that does not break."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _percent(share: float | None) -> str:
    """Writes a share, 0 to 1, in percent; a dash for none."""
    return "\N{EN DASH}" if share is None else f"{100 * share:.1f}"


def _duration(seconds: float) -> str:
    """Writes a time in the unit that suits it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
