"""SAFE products of full size for the benchmark of preparation, and how often GDAL decodes their tiles."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin
from scipy import ndimage

FIRST = date(2018, 3, 5)
BANDS = {10: ("B02", "B03", "B04", "B08"), 20: ("B05", "B06", "B07", "B8A", "B11", "B12")}
TILES = {10: 1024, 20: 640}
"""Sides of the tiles of real products."""
METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://example.org/psd"><n1:General_Info>
<PROCESSING_BASELINE>02.12</PROCESSING_BASELINE>
<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
</n1:General_Info></n1:Level-2A_User_Product>
"""
_DECODED = re.compile(r"Tile \d+/(\d+) has been decoded")


def make_products(folder: Path, size: int, dates: int) -> None:
    """Makes products of `size` x `size` pixels of 10 m, with about the bits a pixel of real ones.

    To compress them takes longer than to prepare them, so all bands of a resolution and all dates are one file under
    many names: what is decoded, and how often, does not depend on what the pixels show.
    """
    random = np.random.default_rng(0)
    originals = folder / "originals"
    originals.mkdir(parents=True, exist_ok=True)
    for resolution in BANDS:
        side = size * 10 // resolution
        _write(originals / f"band_{resolution}m.jp2", _reflectance(side, random), resolution)
    _write(originals / "SCL_20m.jp2", _scenes(size // 2, random), 20)
    for number in range(dates):
        day = FIRST + timedelta(days=10 * number)
        name = f"S2A_MSIL2A_{day:%Y%m%d}T105421_N0212_R051_T31UES_{day:%Y%m%d}T150000.SAFE"
        product = folder / "sentinel2" / name
        product.mkdir(parents=True)
        (product / "MTD_MSIL2A.xml").write_text(METADATA, encoding="utf-8")
        images = product / "GRANULE" / f"L2A_T31UES_A000001_{day:%Y%m%d}T105421" / "IMG_DATA"
        for resolution, bands in BANDS.items():
            (images / f"R{resolution}m").mkdir(parents=True)
            for band in bands:
                _link(originals / f"band_{resolution}m.jp2", images, day, band, resolution)
        _link(originals / "SCL_20m.jp2", images, day, "SCL", 20)


@contextmanager
def decodings() -> Iterator[Counter[int]]:
    """Counts what GDAL decodes meanwhile, by the number of tiles that the file has; CPL_DEBUG must be ON.

    OpenJPEG says so of each tile itself, so what GDAL finds in its cache does not count.
    """
    counts: Counter[int] = Counter()
    counting = logging.Handler()
    counting.emit = lambda record: counts.update(map(int, _DECODED.findall(record.getMessage())))
    logger = logging.getLogger("rasterio")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(counting)
    try:
        yield counts
    finally:
        logger.removeHandler(counting)
        logger.setLevel(logging.NOTSET)


def tiles(path: Path, rows: int) -> tuple[int, int]:
    """Returns how many tiles a file has, and how many of them its first rows of 10 m touch."""
    with rasterio.open(path) as dataset:
        height, width = dataset.block_shapes[0]
        across = -(-dataset.width // width)
        touched = -(-min(dataset.height, round(rows * 10 / dataset.res[1])) // height)
        return across * -(-dataset.height // height), across * touched


def _reflectance(side: int, random: np.random.Generator) -> np.ndarray:
    fields = ndimage.gaussian_filter(random.normal(0, 8000, (side, side)).astype(np.float32), 4)
    return np.clip(fields + random.normal(2000, 50, (side, side)), 1, 9999).astype(np.uint16)


def _scenes(side: int, random: np.random.Generator) -> np.ndarray:
    clouds = ndimage.gaussian_filter(random.normal(0, 1, (side, side)).astype(np.float32), 8) > 0.02
    return np.where(clouds, 9, 4).astype(np.uint8)


def _write(path: Path, values: np.ndarray, resolution: int) -> None:
    height, width = values.shape
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", width=width, height=height, count=1, dtype=values.dtype, crs="EPSG:32631",
        transform=from_origin(500000, 5600000, resolution, resolution), QUALITY="100", REVERSIBLE="YES",
        TILED="YES", BLOCKXSIZE=TILES[resolution], BLOCKYSIZE=TILES[resolution],
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)


def _link(original: Path, images: Path, day: date, band: str, resolution: int) -> None:
    os.link(original, images / f"R{resolution}m" / f"T31UES_{day:%Y%m%d}T105421_{band}_{resolution}m.jp2")
