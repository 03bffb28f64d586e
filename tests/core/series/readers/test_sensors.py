"""What names of layers mean in formats that hold either sensor."""

import pytest

from twinns_qgis.series.products.masks import MASKS
from twinns_qgis.series.readers.sensors import SENTINEL1, SENTINEL2


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("B02", "B2"), ("S2-L2A-B04", "B4"), ("20180305_B8A", "B8A"), ("reflectance_B11", "B11"), ("red", "B4"),
        ("nir", "B8"), ("band4", "B4"), ("SCL", "SCL"), ("quality_scene_classification", "SCL"), ("S2_L2A_CLM", "CLM"),
        ("QA60", "QA60"), ("fmask", "FMASK"), ("quality_cloud_confidence", None), ("B04_std", None), ("B4_B8", None),
        ("scl_dilated", None), ("NDVI", None), ("crs", None), ("x", None), ("time", None), ("VV", None),
    ],
)  # fmt: skip
def test_layers_of_sentinel2_are_known_by_the_names_that_files_have(name, layer):
    assert SENTINEL2.layer(name) == layer
    assert layer is None or (layer in SENTINEL2.masks) == (layer in MASKS)


@pytest.mark.parametrize(("name", "layer"), [("VV", "VV"), ("Sigma0_VH_db", "VH"), ("VV_VH_ratio", None), ("B2", None)])
def test_layers_of_sentinel1_are_known_by_their_polarisation(name, layer):
    assert SENTINEL1.layer(name) == layer
