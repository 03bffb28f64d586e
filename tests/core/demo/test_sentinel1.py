from datetime import date

import numpy as np
import pytest
import rasterio

from twinns_qgis.demo.sentinel1 import LOOKS, write_date
from twinns_qgis.demo.site import site_grid


class EvenGround:
    """Ground of -10 dB in VV and -17 dB in VH everywhere."""

    def backscatter(self, day):
        return np.tile(10 ** (np.array([-10.0, -17.0]) / 10), (64, 64, 1))


@pytest.fixture
def files(tmp_path):
    write_date(tmp_path, EvenGround(), date(2018, 1, 10), site_grid(64), seed=0)
    return {path.name: path for path in tmp_path.iterdir()}


def test_files_are_named_as_s1tiling_names_them(files):
    assert sorted(files) == [
        "s1a_31UES_vh_DES_110_20180110txxxxxx.tif",
        "s1a_31UES_vv_DES_110_20180110txxxxxx.tif",
    ]


def test_speckle_multiplies_power_with_the_stated_looks(files):
    for name, level in (("vv", -10), ("vh", -17)):
        with rasterio.open(files[f"s1a_31UES_{name}_DES_110_20180110txxxxxx.tif"]) as dataset:
            assert dataset.dtypes == ("float32",)
            power = 10 ** (dataset.read(1).astype(float) / 10)
            assert not (dataset.read_masks(1) == 0).any()
        assert 10 * np.log10(power.mean()) == pytest.approx(level, abs=0.1)
        assert power.mean() ** 2 / power.var() == pytest.approx(LOOKS, rel=0.08)


def test_the_polarisations_have_speckle_of_their_own(files):
    one, other = (rasterio.open(path).read(1).ravel() for path in files.values())
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05
