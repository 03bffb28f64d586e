"""Outputs of a preparation that lie among its images."""

from datetime import date

import numpy as np

from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2


def test_outputs_that_are_named_like_images_are_none_next_time(tmp_path, write_raster, find_in, listener):
    images = [f"S2A_31UES_{day}_B04" for day in ("20180301", "20180311")]
    for name in images:
        write_raster(tmp_path / f"{name}.tif", np.full((1, 4, 4), 2000, "uint16"))
    outputs = Outputs(tmp_path / "S2A_31UES_20170101_B04.tif", tmp_path / "S2A_31UES_20170102_B04.tif")
    period = Period(date(2018, 1, 1))
    prepare_sentinel2(outputs, Inputs(folder=tmp_path), period, machine=Machine(64), reporter=listener)
    assert [product.name for product in find_in(folder=tmp_path)] == images
