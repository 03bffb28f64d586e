"""Rasters whose rows run from south to north, or whose columns run from east to west, turned as they are read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.coords import BoundingBox
from rasterio.io import DatasetReader
from rasterio.transform import Affine, array_bounds
from rasterio.windows import Window


def north_up(dataset: DatasetReader) -> DatasetReader:
    """Returns an open raster, turned so that north is up and west is left; a rotated one as it is."""
    transform = dataset.transform
    rotated = transform.b or transform.d
    # The identity is what rasterio says of rasters that do not tell where they lie.
    if transform.is_identity or rotated or (transform.a > 0 and transform.e < 0):
        return dataset
    return _Turned(dataset)


class _Turned:
    """An open raster with its rows, columns or both in the other order, and as rasterio has it for the rest."""

    def __init__(self, dataset: DatasetReader) -> None:
        self._dataset = dataset
        own = dataset.transform
        self._upside, self._mirrored = own.e > 0, own.a < 0
        self.transform = Affine(
            abs(own.a),
            0.0,
            own.c + own.a * dataset.width if self._mirrored else own.c,
            0.0,
            -abs(own.e),
            own.f + own.e * dataset.height if self._upside else own.f,
        )

    @property
    def bounds(self) -> BoundingBox:
        return BoundingBox(*array_bounds(self._dataset.height, self._dataset.width, self.transform))

    @property
    def profile(self) -> Any:
        return {**self._dataset.profile, "transform": self.transform}

    def read(self, indexes: Any = None, *, window: Window | None = None, **options: Any) -> NDArray[np.generic]:
        return self._turn(self._dataset.read(indexes, window=self._window(window), **options))

    def read_masks(self, indexes: Any = None, *, window: Window | None = None, **options: Any) -> NDArray[np.uint8]:
        return self._turn(self._dataset.read_masks(indexes, window=self._window(window), **options))

    def _window(self, window: Window | None) -> Window | None:
        """Returns where the pixels of a window lie in the file."""
        if window is None:
            return None
        row = self._dataset.height - window.row_off - window.height if self._upside else window.row_off
        column = self._dataset.width - window.col_off - window.width if self._mirrored else window.col_off
        return Window(column, row, window.width, window.height)

    def _turn(self, values: NDArray[Any]) -> NDArray[Any]:
        axes = tuple(axis for axis, turned in ((-2, self._upside), (-1, self._mirrored)) if turned)
        return np.ascontiguousarray(np.flip(values, axes))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)
