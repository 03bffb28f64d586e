"""Finding the products that the user gives, of whatever kind, by the readers of a sensor."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, on_disk, place
from twinns_qgis.rasters.reading import describes
from twinns_qgis.rasters.remote.files import RemoteFile
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.product import LeftOut, Product
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.readers.stac_items import origins_of

_OTHER_FORMATS = (".jp2", ".img", ".vrt", ".nc", ".dim", ".hdf")
_WORDS = re.compile(r"[^A-Za-z0-9]+")
_LISTED = 5
"""Files that a message lists of each kind."""


class Reader(Protocol):
    """A module that knows a kind of data."""

    LOOKED_FOR: str
    """What it looks for, for messages."""

    def held(self, files: Sequence[File], search: Search) -> list[File]:
        """Returns the files that it is the one to read, by their names and those of their folders."""

    def find(self, files: Sequence[File], search: Search) -> list[Product]:
        """Returns the products among the files that it holds, and notes in the search why others give none.

        Raises:
            InputError: A product can't be used, or contradicts itself.
        """


@dataclass(frozen=True)
class Readers:
    """The readers of a sensor.

    Args:
        sought: What they find, for messages.
        readers: The readers. A file is read by the first one that holds it.
        is_name: Whether a text names a band of the sensor, also of one that no series has.
        is_band: Whether a band's description names one that a series can have.
        example: Names of bands in order, as the user may give them.
    """

    sought: str
    readers: tuple[Reader, ...]
    is_name: Callable[[str], bool]
    is_band: Callable[[str], bool]
    example: str

    @property
    def looked_for(self) -> str:
        """What is looked for, for messages."""
        return "; ".join(reader.LOOKED_FOR for reader in self.readers)


def find_products(readers: Readers, inputs: Inputs, period: Period, search: Search) -> list[Product]:
    """Finds the products in a period.

    Args:
        readers: Those of the sensor.
        inputs: Where to look.
        period: The dates wanted.
        search: Gives dates and names; gets what is left out and passed over.

    Returns:
        The products, in the order of their dates and names.

    Raises:
        InputError: There is none, one can't be used, or a file that the user named gives none.
    """
    inputs.bands.check(readers.is_name)
    if inputs.scenes and (origins := origins_of(inputs.scenes)):
        search.reporter.info(f"Files are read from {', '.join(origins)}, and from nowhere else.")
    files = rest = inputs.files()
    found: list[Product] = []
    of_products: set[File] = set()
    for reader in readers.readers:
        held = reader.held(rest, search)
        found += reader.find(held, search)
        taken = set(held)
        of_products |= taken
        rest = [file for file in rest if file not in taken]
    of_products -= {*search.finished, *search.unrecognised}
    local = [on_disk(file) for file in of_products if not isinstance(file, RemoteFile)]
    search.inputs.update(local, *(product.paths for product in found))
    search.pass_over(_of_other_formats(rest, readers.is_band), "in a format, or of a kind, that is not read")
    _tell_passed_over(readers, inputs, files, found, search)
    search.dates.warn_of_unused_rows()
    period.dates([product.date for product in found], Reporter())
    search.left_out.extend(
        LeftOut(product.date, product.name, "outside the period") for product in found if product.date not in period
    )
    inside = (product for product in found if product.date in period)
    return sorted(inside, key=lambda product: (product.date, product.name))


def _of_other_formats(files: Sequence[File], is_band: Callable[[str], bool]) -> list[File]:
    """Returns the rasters whose bands have names or descriptions of bands, in formats that no reader is for."""
    rasters = [file for file in files if place(file).suffix.lower() in _OTHER_FORMATS]
    named = {file for file in rasters if any(map(is_band, _WORDS.split(place(file).stem)))}
    return [file for file in rasters if file in named or describes(file, is_band)]


def _tell_passed_over(
    readers: Readers, inputs: Inputs, files: Sequence[File], found: Sequence[Product], search: Search
) -> None:
    """Tells which files give no product, and why.

    Raises:
        InputError: Nothing was found, or the user named such a file.
    """
    finished = dict.fromkeys(search.finished, "finished series, which training and mapping take as they are")
    unused = {**search.passed_over, **search.unrecognised, **finished}
    if search.chosen and unused:
        raise InputError(
            f"{len(unused)} of the {len(files)} layers can't be used:{_table(unused)}",
            f"Leave them out of LAYERS. Expected are {readers.looked_for}. Or name the bands in their order as BANDS, "
            f"such as {readers.example}.",
        )
    if not found:
        raise InputError(
            f"No {readers.sought} were found in {inputs}.{_table(unused)}{_others(set(files) - unused.keys())}",
            f"Looked for: {readers.looked_for}.",
        )
    folders = {place(file).parent for product in found for file in product.files}
    told = {
        **search.passed_over,
        **{file: reason for file, reason in search.unrecognised.items() if place(file).parent in folders},
    }
    if finished:
        search.reporter.info(f"Passed over:{_table(finished)}")
    if told:
        search.reporter.warning(f"Rasters are passed over:{_table(told)}")


def _table(reasons: Mapping[File, str]) -> str:
    """Returns a line for each kind of file, by reason and ending of the name."""
    kinds: defaultdict[tuple[str, str], list[File]] = defaultdict(list)
    for file, reason in reasons.items():
        kinds[reason, place(file).suffix.lower()].append(file)
    return "".join(
        f"\n- {len(files)} {suffix or 'without ending'} ({', '.join(map(str, files[:_LISTED]))}"
        f"{', ...' if len(files) > _LISTED else ''}): {reason}."
        for (reason, suffix), files in kinds.items()
    )


def _others(files: set[File]) -> str:
    """Returns a line on files that nobody asked what they are."""
    counts = Counter(place(file).suffix.lower() or "without ending" for file in files)
    listed = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(_LISTED))
    return f"\n- Not looked at: {listed}{', ...' if len(counts) > _LISTED else ''}." if counts else ""
