"""Cloud-optimised GeoTIFFs as archives have them, small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin


def write_cog(path: Path, values: NDArray[np.generic], resolution: float = 10, **profile: Any) -> None:
    """Writes a band in tiles of 128 pixels, whose upper left corner is always the same.

    Args:
        path: The file.
        values: The band, shape (height, width).
        resolution: Width and height of a pixel in metres.
        profile: What else rasterio is to know.
    """
    height, width = values.shape
    with rasterio.open(
        path, "w", "COG", width, height, 1, "EPSG:32631", from_origin(5e5, 5.6e6, resolution, resolution), values.dtype,
        blocksize=128, compress="deflate", overviews="none", **profile,
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
