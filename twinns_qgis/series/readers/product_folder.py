"""The folder of a product, on disk or in a zip archive: finding it by its name, and the files in it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

# Bandit: since version 2.4.1 (2021) the expat beneath bounds what entities expand to.
from xml.etree import ElementTree  # nosec B405

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.archives import File, ZipMember, place, read_bytes
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.dates import by_name
from twinns_qgis.series.inputs import is_geotiff
from twinns_qgis.series.products.product import LeftOut
from twinns_qgis.series.readers.pieces import has_bands
from twinns_qgis.series.readers.search import Search


@dataclass(frozen=True)
class ProductFolder:
    """A folder whose name is that of a product, or an archive without such a folder that has the name itself.

    Args:
        path: The folder; in an archive, its path goes on within the archive as if that were a folder.
        match: The product's name in that of the folder, with the parts that the reader asked for.
        files: All files below, by their path from the folder, with slashes.
    """

    path: Path
    match: re.Match[str]
    files: Mapping[str, File]

    @property
    def name(self) -> str:
        """The product's name, without what unpacking or copying may have added."""
        return self.match[0]

    @property
    def zipped(self) -> bool:
        """Whether it lies in an archive."""
        return any(isinstance(file, ZipMember) for file in self.files.values())

    def find(self, pattern: str) -> list[File]:
        """Returns the files whose path from the folder matches a pattern; ``*`` stops at slashes."""
        names = pattern.split("/")
        paths = [path for path in self.files if _matches(path.split("/"), names)]
        return [self.files[path] for path in sorted(paths)]

    def one(self, pattern: str) -> File:
        """Returns the only file whose path from the folder matches a pattern.

        Raises:
            InputError: There is none, or there are several.
        """
        found = self.find(pattern)
        if len(found) != 1:
            state = f"has {len(found)} files" if found else "has no file"
            raise InputError(
                f"The product {self.name} {state} {pattern} in {self.path}, one was expected.",
                "Download or unpack the product once more; don't rename its files.",
            )
        return found[0]

    def metadata(self, pattern: str) -> Metadata:
        """Returns the metadata in the only file whose path from the folder matches a pattern.

        Raises:
            InputError: There is no such file, or it is no XML.
        """
        return read_metadata(self.one(pattern))


def _matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    return len(path) == len(pattern) and all(map(fnmatchcase, path, pattern))


@dataclass(frozen=True)
class Metadata:
    """Metadata of a product, in XML.

    Args:
        file: The file, for messages.
        root: Its content.
    """

    file: File
    root: ElementTree.Element

    def elements(self, name: str) -> list[ElementTree.Element]:
        """Returns the elements of a name, whatever namespace they are in."""
        return [element for element in self.root.iter() if element.tag.rpartition("}")[2] == name]

    def values(self, name: str) -> list[str]:
        """Returns the texts of the elements of a name."""
        return [(element.text or "").strip() for element in self.elements(name)]


def read_metadata(file: File) -> Metadata:
    """Returns the metadata in a file.

    Raises:
        InputError: It is no XML.
    """
    try:
        return Metadata(file, ElementTree.fromstring(read_bytes(file)))  # nosec B314
    except ElementTree.ParseError as error:
        raise InputError(f"{file} can't be read: {error}.", "Download or copy the product once more.") from error


def files_of_products(
    files: Iterable[File],
    name: re.Pattern[str],
    other: re.Pattern[str],
    is_product: Callable[[Sequence[File]], bool],
) -> list[File]:
    """Returns the files in folders that have the name of a product; not those of a folder that holds GeoTIFFs instead.

    Args:
        files: The files among which to search.
        name: How names of products begin.
        other: How those of products begin that are told and passed over.
        is_product: Whether files in such a folder are those that products have.
    """
    inside: list[File] = []
    folders: defaultdict[Path, list[File]] = defaultdict(list)
    for file in files:
        parts = place(file).parts
        depths = [depth for depth, part in enumerate(parts[:-1], start=1) if name.match(part)]
        if depths or any(map(other.match, parts[:-1])):
            inside.append(file)
        if depths:
            folders[Path(*parts[: depths[0]])].append(file)
    emptied = [held for held in folders.values() if any(map(is_geotiff, held)) and not is_product(held)]
    instead = {file for held in emptied for file in held}
    return [file for file in inside if file not in instead]


def pass_over_bands(files: Iterable[File], search: Search) -> None:
    """Notes those GeoTIFFs as passed over that lie in a product's folder, are no part of it and hold bands."""
    search.pass_over(
        [file for file in files if is_geotiff(file) and has_bands(file)],
        "no part of the product in whose folder it lies, though it holds bands; GeoTIFFs with described bands are read "
        "outside of the folders of products",
    )


def product_folders(files: Iterable[File], name: re.Pattern[str], reporter: Reporter) -> list[ProductFolder]:
    """Returns the products whose folders have names that begin with a pattern, in the order of their places.

    A folder that holds another one of such a name is taken for the inner one's wrapping. A product that is there
    several times is returned once: as a folder rather than in an archive, which is slower to read.

    Args:
        files: The files among which to search.
        name: The pattern.
        reporter: Receives a warning of products that are there several times.
    """
    grouped: defaultdict[PurePosixPath, dict[str, File]] = defaultdict(dict)
    for file in files:
        path = PurePosixPath(place(file).as_posix())
        for depth, part in enumerate(path.parts[:-1], start=1):
            if name.match(part):
                folder = PurePosixPath(*path.parts[:depth])
                grouped[folder][str(path.relative_to(folder))] = file
    wrappings = {folder.parent for folder in grouped}
    found: dict[str, ProductFolder] = {}
    for folder in sorted(grouped):
        match = name.match(folder.name)
        if match is None or folder in wrappings:
            continue
        product = ProductFolder(Path(folder), match, grouped[folder])
        known = found.setdefault(product.name, product)
        if known is not product:
            used, other = (product, known) if known.zipped and not product.zipped else (known, product)
            found[product.name] = used
            reporter.info(f"{product.name} is there twice: {used.path} is used, {other.path} is not.")
    return list(found.values())


def leave_out(folders: Sequence[ProductFolder], expected: str, search: Search) -> None:
    """Notes products of another level as left out, and warns of them."""
    if folders:
        names = ", ".join(folder.name for folder in folders)
        search.reporter.warning(f"{expected}; these are passed over: {names}.")
    for folder in folders:
        search.left_out.append(LeftOut(by_name(Path(folder.path.name)), folder.name, "of another level"))


def newest(
    folders: Iterable[ProductFolder], acquisition: Iterable[str], version: str, search: Search
) -> list[ProductFolder]:
    """Returns the newest version of each acquisition, and warns of the others.

    Args:
        folders: The products.
        acquisition: Names of the parts of a product's name that tell the acquisition.
        version: Name of the part that tells the version: numbers that ascend.
        search: Gets the others as left out.
    """
    versions: defaultdict[Hashable, list[ProductFolder]] = defaultdict(list)
    for folder in folders:
        versions[folder.match.group(*acquisition)].append(folder)
    chosen = []
    for same in versions.values():
        numbers = {folder.name: [int(part) for part in folder.match[version].split("-")] for folder in same}
        latest = [folder for folder in same if numbers[folder.name] == max(numbers.values())]
        older = [folder.name for folder in same if folder not in latest]
        chosen.extend(latest)
        search.left_out.extend(
            LeftOut(by_name(Path(folder.path.name)), folder.name, f"{latest[0].name} is newer")
            for folder in same
            if folder not in latest
        )
        if older:
            search.reporter.warning(
                f"Several versions of one acquisition: {latest[0].name} is used, {', '.join(older)} is not."
            )
    return chosen
