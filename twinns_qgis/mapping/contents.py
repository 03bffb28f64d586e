"""Hashes of the files that a map is made from, by which a stopped call knows them again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.files import container_of, sha256_of, url_of
from twinns_qgis.rasters.fingerprint import hashed
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.reporter import Reporter

_PATIENCE = 2.0
"""Seconds of waiting that need no word."""
_PAUSE = 0.2
"""Seconds between two looks at whether the user cancelled."""


@contextmanager
def hashing(files: Mapping[str, Path], reporter: Reporter) -> Iterator[Callable[[], dict[str, str]]]:
    """Computes hashes of files in threads while other things are prepared.

    Args:
        files: The files, by name.
        reporter: Receives a message if it takes long, and says whether the user cancelled.

    Yields:
        A function that waits for the end, and returns a hash of each file. It raises `InputError` if a file can't
        be read, and `Cancelled` if the user asked the job to stop.
    """
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise Cancelled

    with ThreadPoolExecutor(max(1, len(files))) as threads:
        futures = {name: threads.submit(_content, path, check) for name, path in files.items()}

        def hashes() -> dict[str, str]:
            if wait(futures.values(), _PATIENCE).not_done:
                size = sum(path.stat().st_size for path in map(container_of, files.values()) if path.is_file())
                reporter.info(
                    f"Reading the series, {size / 1e9:.1f} GB, to know them again should this call be stopped."
                )
            while wait(futures.values(), _PAUSE).not_done:
                reporter.check_cancelled()
            try:
                return {name: future.result() for name, future in futures.items()}
            except OSError as error:
                raise InputError(f"{error.filename} can't be read: {error.strerror}.", "Check the path.") from error

        try:
            yield hashes
        finally:
            stop.set()


def _content(path: Path, between: Callable[[], None]) -> str:
    """Returns the SHA-256 of a file; of one at a URL that of its metadata and of its first tiles' sizes."""
    if url_of(path) is None:
        return sha256_of(path, between)
    with open_raster(path) as dataset:
        sizes = [dataset.get_tag_item("BLOCK_SIZE_0_0", "TIFF", band) for band in dataset.indexes]
        known = dataset.profile, dataset.descriptions, dataset.scales, dataset.offsets, dataset.tags(), sizes
        return hashed({"metadata": str(known)})
