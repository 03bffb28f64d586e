"""What the readers of Sentinel-2 products are given, and how they choose among versions of one acquisition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from twinns_qgis.reporter import Reporter
from twinns_qgis.series.band_names import BandNames
from twinns_qgis.series.dates import AcquisitionDates, by_name
from twinns_qgis.series.products.product import LeftOut
from twinns_qgis.series.readers.product_folder import ProductFolder


@dataclass(frozen=True)
class Sentinel2Options:
    """What the user chooses about Sentinel-2 products.

    Args:
        clear: The values that count as clear, of those masks where the default is not wanted.
        reflectance: ``FRE`` for THEIA's reflectance corrected for slope, ``SRE`` for that of a flat surface.
    """

    clear: Mapping[str, frozenset[int]] = field(default_factory=dict)
    reflectance: str = "FRE"


@dataclass(frozen=True)
class Search:
    """A search for products.

    Args:
        dates: Gives files their dates.
        options: What the user chose.
        reporter: Receives warnings.
        left_out: Products that were found and are not used; readers add to it.
        bands: Names of the bands of files that do not describe them.
    """

    dates: AcquisitionDates
    options: Sentinel2Options
    reporter: Reporter
    left_out: list[LeftOut] = field(default_factory=list)
    bands: BandNames = field(default_factory=BandNames)

    def pass_over(self, folders: Sequence[ProductFolder], expected: str) -> None:
        """Notes products of another level as left out, and warns of them."""
        if folders:
            names = ", ".join(folder.name for folder in folders)
            self.reporter.warning(f"{expected}; these are passed over: {names}.")
        for folder in folders:
            self.left_out.append(LeftOut(by_name(folder.path), folder.name, "of another level"))

    def newest(self, folders: Iterable[ProductFolder], acquisition: Iterable[str], version: str) -> list[ProductFolder]:
        """Returns the newest version of each acquisition, and warns of the others.

        Args:
            folders: The products.
            acquisition: Names of the parts of a product's name that tell the acquisition.
            version: Name of the part that tells the version: numbers that ascend.
        """
        versions: defaultdict[Hashable, list[ProductFolder]] = defaultdict(list)
        for folder in folders:
            versions[folder.match.group(*acquisition)].append(folder)
        chosen = []
        for same in versions.values():
            numbers = {folder.name: [int(part) for part in folder.match[version].split("-")] for folder in same}
            newest = [folder for folder in same if numbers[folder.name] == max(numbers.values())]
            older = [folder.name for folder in same if folder not in newest]
            chosen.extend(newest)
            self.left_out.extend(
                LeftOut(by_name(folder.path), folder.name, f"{newest[0].name} is newer")
                for folder in same
                if folder not in newest
            )
            if older:
                self.reporter.warning(
                    f"Several versions of one acquisition: {newest[0].name} is used, {', '.join(older)} is not."
                )
        return chosen
