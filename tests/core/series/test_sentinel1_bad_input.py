"""What can't be prepared as Sentinel-1, and what the messages say of it."""

import numpy as np
import pytest

from twinns_qgis.errors import InputError


def test_dates_without_a_common_polarisation_are_refused(prepare_radar, tmp_path, write_raster):
    write_raster(tmp_path / "in" / "s1_vh_20180301.tif", np.full((1, 16, 16), -8.0))
    write_raster(tmp_path / "in" / "s1_vv_20180313.tif", np.full((1, 16, 16), -8.0))
    with pytest.raises(InputError, match="No polarisation is there at all dates"):
        prepare_radar()


@pytest.mark.parametrize(("units", "value"), [("dB", 0.05), ("power", -12.0), ("amplitude", -12.0)])
def test_values_that_can_not_be_of_the_units_are_refused(prepare_radar, tmp_path, write_raster, units, value):
    write_raster(tmp_path / "in" / "s1_vv_20180301.tif", np.full((1, 16, 16), value, "float32"))
    with pytest.raises(InputError, match=r"s1_vv_20180301\.tif.*UNITS"):
        prepare_radar(units=units)


def test_a_reference_elsewhere_is_refused_with_both_grids(prepare_radar, radar_image, tmp_path, write_raster):
    radar_image("S1_20180301.tif", -10)
    write_raster(tmp_path / "away.tif", np.zeros((1, 4, 4), "uint8"), origin=(700000, 5600000))
    with pytest.raises(InputError, match=r"away\.tif .*700000.*does not overlap.*S1_20180301\.tif .*500000"):
        prepare_radar(reference=tmp_path / "away.tif")


def test_a_polarisation_without_a_range_is_refused(prepare_radar, radar_image):
    radar_image("S1_20180301.tif", -10)
    with pytest.raises(InputError, match="DB_RANGE has no range for VH"):
        prepare_radar(db_range="VV=-25:5")


def test_a_truncated_image_is_named_and_leaves_no_series(prepare_radar, tmp_path, write_raster):
    for name in ("s1_vv_20180301.tif", "s1_vv_20180313.tif"):
        write_raster(tmp_path / "in" / name, np.full((1, 16, 16), -8.0))
    path = tmp_path / "in" / "s1_vv_20180313.tif"
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 100)
    with pytest.raises(InputError, match=r"s1_vv_20180313\.tif"):
        prepare_radar()
    assert not (tmp_path / "out.tif").exists()


def test_nothing_found_says_what_was_looked_for(prepare_radar, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=r"No Sentinel-1 images.*VV or VH"):
        prepare_radar()
