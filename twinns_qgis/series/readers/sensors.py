"""What readers of formats that hold either sensor ask of the one that is sought: its layers, and their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from rasterio.io import DatasetReader

from twinns_qgis.rasters.archives import File, place
from twinns_qgis.series.names.layers import layer_described
from twinns_qgis.series.names.polarisations import is_made_from_images, polarisations
from twinns_qgis.series.products.band_source import BandSource
from twinns_qgis.series.products.masks import MASKS, mask_source
from twinns_qgis.series.products.product import MaskSource, Product
from twinns_qgis.series.readers.backscatter_metadata import units_of
from twinns_qgis.series.readers.geotiff_bands import band_source
from twinns_qgis.series.series import SENTINEL1_BANDS

_SCENE_CLASSIFICATION = "quality_scene_classification"
"""SNAP's name of SCL: other layers that begin so tell how good something is."""
_MASKS = frozenset(MASKS) - {"SAT"}


@dataclass(frozen=True)
class Sensor:
    """A sensor, to a reader.

    Args:
        name: Its name, for messages.
        example: Names of layers, for messages.
        layer: Returns the band or mask that a name stands for, None if it is neither.
        source: Returns a band of an open raster, by its number and its name in the file, with what turns its values
            into those of the sensor.
        masks: The layers that are masks.
    """

    name: str
    example: str
    layer: Callable[[str], str | None]
    source: Callable[[File, DatasetReader, int, str], BandSource]
    masks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Layers:
    """Bands and masks that were found of one acquisition."""

    bands: dict[str, BandSource] = field(default_factory=dict)
    masks: dict[str, MaskSource] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The layers."""
        return frozenset(self.bands) | frozenset(self.masks)

    def add(self, sensor: Sensor, layer: str, file: File, dataset: DatasetReader, index: int, name: str) -> None:
        """Adds a band of an open raster.

        Args:
            sensor: The sensor.
            layer: What it is there, as `Sensor.layer` says.
            file: The raster's file.
            dataset: The raster.
            index: The band's number, from 1.
            name: Its name in the file.
        """
        if layer in sensor.masks:
            self.masks[layer] = mask_source(file, index, layer)
        else:
            self.bands[layer] = sensor.source(file, dataset, index, name)

    def update(self, other: Layers) -> None:
        """Adds what another file holds of the same acquisition."""
        self.bands.update(other.bands)
        self.masks.update(other.masks)

    def as_product(self, name: str, day: date) -> Product:
        """Returns them as a product."""
        return Product(name, day, self.bands, tuple(self.masks.values()))


def joined(found: Mapping[str, Sequence[Layers]]) -> list[tuple[str, Layers]]:
    """Returns the layers of files of one day and folder as one where no two hold the same, else each by itself.

    Args:
        found: The layers of each file, by the name of their product.
    """
    every = [(name, layers) for name, several in found.items() for layers in several]
    names = [layer for _, layers in every for layer in layers.names]
    if len(names) > len(set(names)):
        return every
    whole = Layers()
    for _, layers in every:
        whole.update(layers)
    return [(", ".join(dict.fromkeys(name for name, _ in every)), whole)]


def _optical_layer(name: str) -> str | None:
    return "SCL" if name == _SCENE_CLASSIFICATION else layer_described(name)


def _radar_layer(name: str) -> str | None:
    found = polarisations(name)
    if len(found) != 1 or found.isdisjoint(SENTINEL1_BANDS) or is_made_from_images(name):
        return None
    return next(iter(found))


def _radar_source(file: File, dataset: DatasetReader, index: int, name: str) -> BandSource:
    unit, dtype = dataset.units[index - 1] or "", dataset.dtypes[index - 1]
    return BandSource(
        file,
        index,
        dataset.scales[index - 1],
        dataset.offsets[index - 1],
        units=units_of(place(file), name, unit, dtype, dataset.tags()),
    )


SENTINEL2 = Sensor(
    "Sentinel-2",
    "B02, B03, ..., SCL",
    _optical_layer,
    lambda file, dataset, index, name: band_source(file, dataset, index),
    _MASKS,
)
SENTINEL1 = Sensor("Sentinel-1", "VV, VH", _radar_layer, _radar_source)
SENSORS = (SENTINEL1, SENTINEL2)
