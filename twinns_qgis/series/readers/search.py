"""What readers are given, and what they tell of files that give nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from twinns_qgis.rasters.archives import File, place
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.band_names import BandNames
from twinns_qgis.series.dates import AcquisitionDates, path_below
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.products.offset import Offset
from twinns_qgis.series.products.product import LeftOut


@dataclass(frozen=True)
class Sentinel2Options:
    """What the user chooses about Sentinel-2 products.

    Args:
        clear: The values that count as clear, of those masks where the default is not wanted.
        reflectance: ``FRE`` for THEIA's reflectance corrected for slope, ``SRE`` for that of a flat surface.
        offset: What is to be added to numbers whose offset nothing tells; None refuses them.
    """

    clear: Mapping[str, frozenset[int]] = field(default_factory=dict)
    reflectance: str = "FRE"
    offset: Offset | None = None


@dataclass(frozen=True)
class Search:
    """A search for products.

    Args:
        dates: Gives files their dates.
        reporter: Receives warnings.
        bands: Names of the bands of files that do not describe them.
        scenes: Whether the files are scene lists, whose addresses are read.
        chosen: Whether the user named the files one by one; else they are what lies below a folder.
        options: What the user chose of Sentinel-2.
        root: The folder above which no folder's name tells anything of an image.
        left_out: Products that were found and are not used; readers add to it.
        passed_over: Why files give no product, which is told in any case.
        unrecognised: Why rasters give none that may be none of the user's images; told where nothing is found, and
            where one lies beside images: files that were cut short lose the descriptions of their bands.
        finished: Series that were prepared before.
        inputs: The files, as they are on disk, of all that is an input, whether it is used or not: no output may
            replace one.
    """

    dates: AcquisitionDates
    reporter: Reporter
    bands: BandNames = field(default_factory=BandNames)
    scenes: bool = False
    chosen: bool = False
    options: Sentinel2Options = field(default_factory=Sentinel2Options)
    root: Path | None = None
    left_out: list[LeftOut] = field(default_factory=list)
    passed_over: dict[File, str] = field(default_factory=dict)
    unrecognised: dict[File, str] = field(default_factory=dict)
    finished: list[File] = field(default_factory=list)
    inputs: set[Path] = field(default_factory=set)

    @classmethod
    def among(cls, inputs: Inputs, reporter: Reporter, options: Sentinel2Options | None = None) -> Search:
        """Returns a search among what the user gives.

        Args:
            inputs: Where to look.
            reporter: Receives warnings.
            options: What the user chose of Sentinel-2.
        """
        return cls(
            AcquisitionDates(inputs.dates, reporter, inputs.root),
            reporter,
            bands=inputs.bands,
            scenes=bool(inputs.scenes),
            chosen=bool(inputs.layers),
            options=options or Sentinel2Options(),
            root=inputs.root,
        )

    def path_of(self, file: File) -> PurePath:
        """Returns the part of a file's path whose names may tell something of it; an archive counts as a folder."""
        return path_below(place(file), self.root)

    def pass_over(self, files: Iterable[File], reason: str) -> None:
        """Notes why files give no product."""
        self.passed_over.update(dict.fromkeys(files, reason))
