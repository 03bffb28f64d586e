"""How the user wants the classes to look: a table of their order, names and colours."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.classes import Label, LandCoverClass, is_color
from twinns_qgis.samples.palette import colors_of

_HINT = (
    "The table is CSV with the column class, what the class field holds, and besides name or color (#rrggbb), or both."
)


@dataclass(frozen=True)
class ClassTable:
    """The look of classes, in the order of the legend.

    Args:
        path: The file, for messages.
        rows: Name and colour by what the class field holds, as text; empty where they are not given.
    """

    path: Path
    rows: Mapping[str, tuple[str, str]]

    @classmethod
    def read(cls, path: Path) -> ClassTable:
        """Reads a CSV table with the columns class, name and color, of which the first alone is needed.

        Raises:
            InputError: It can't be read, or gives a class twice, two classes one name, or a colour that is none.
        """
        rows: dict[str, tuple[str, str]] = {}
        names: set[str] = set()
        try:
            with path.open(newline="", encoding="utf-8-sig") as stream:
                reader = csv.DictReader(stream)
                if "class" not in (reader.fieldnames or ()):
                    raise InputError(f"{path} has no column class.", _HINT)
                for row in reader:
                    label, name, color = ((row.get(column) or "").strip() for column in ("class", "name", "color"))
                    where = f"{path}, line {reader.line_num}:"
                    if not label or label in rows:
                        raise InputError(f"{where} {'no class' if not label else f'{label} a second time'}.", _HINT)
                    if color and not is_color(color):
                        raise InputError(f"{where} there is no colour '{color}'.", _HINT)
                    if (name or label) in names:
                        raise InputError(f"{where} another class is called '{name or label}' too.", _HINT)
                    names.add(name or label)
                    rows[label] = (name, color)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"The table of classes {path} can't be read: {error}.", _HINT) from error
        return cls(path, rows)

    def apply(self, classes: Mapping[Label, LandCoverClass], reporter: Reporter) -> dict[Label, LandCoverClass]:
        """Returns classes in the order of the table, with its names and colours; those that it lacks come last.

        Codes stay as they are. A class without a colour in the table gets one that fits its name.
        """
        by_text = {str(label): label for label in classes}
        if unknown := [label for label in self.rows if label not in by_text]:
            reporter.info(f"No polygon has the class {', '.join(unknown)}, for which there is a name or a colour.")
        names = [self.rows.get(text, ("", ""))[0] or text for text in by_text]
        looks = {
            by_text[text]: replace(classes[by_text[text]], name=name, color=self.rows.get(text, ("", ""))[1] or meant)
            for text, name, meant in zip(by_text, names, colors_of(names), strict=True)
        }
        ordered = [by_text[text] for text in self.rows if text in by_text]
        return {label: looks[label] for label in (*ordered, *(label for label in classes if label not in ordered))}
