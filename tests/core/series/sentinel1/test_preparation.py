"""Preparing Sentinel-1, from files to a series."""

import shutil
from datetime import date

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.transform import Affine

from twinns_qgis.errors import InputError

HALF_A_STEP = 15 / 254 + 1e-6
"""What rounding to the 8 bits' values may change, in decibels."""


def test_a_series_keeps_the_contract_and_gives_decibels_back(prepare_radar, radar_image, tmp_path, decibels):
    radar_image("S1_20180301.tif", -10)
    radar_image("S1_20180313.tif", -3.3)
    series = prepare_radar()
    assert (series.dtype, series.nodata, series.bands) == ("uint8", 0, ("VV", "VH"))
    assert series.dates == (date(2018, 3, 1), date(2018, 3, 13))
    np.testing.assert_allclose(decibels(series)[7, 8], [[-10, -17], [-3.3, -10.3]], atol=HALF_A_STEP)
    assert series.read()[0, 0, 0, 0] == 1 + round(15 / 30 * 254)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in",
        "out.qml",
        "out.tif",
        "out.tif.qml",
        "out.tif.vrt",
        "reference.tif",
    ]


@pytest.mark.parametrize("units", ["dB", "power", "amplitude"])
def test_units_are_converted(prepare_radar, tmp_path, write_raster, units, decibels):
    power = np.full((1, 16, 16), 0.05)
    values = {"dB": 10 * np.log10(power), "power": power, "amplitude": np.sqrt(power)}[units]
    write_raster(tmp_path / "in" / "s1a_vv_20180301.tif", values.astype("float32"))
    series = prepare_radar(units=units)
    np.testing.assert_allclose(decibels(series), 10 * np.log10(0.05), atol=HALF_A_STEP)


def test_backscatter_is_resampled_in_power(prepare_radar, tmp_path, write_raster, decibels):
    image = np.full((1, 8, 8), -20, "float32")
    image[0, :, 4:] = -1
    write_raster(tmp_path / "in" / "s1a_vv_20180301.tif", image, resolution=20)
    across = decibels(prepare_radar())[5, :, 0, 0]
    bright = 10**-0.1
    expected = 10 * np.log10([0.75 * 0.01 + 0.25 * bright, 0.25 * 0.01 + 0.75 * bright])  # no mean of decibels
    np.testing.assert_allclose(across[7:9], expected, atol=HALF_A_STEP)


def test_missing_values_are_filled_linearly_in_time_indecibels(prepare_radar, radar_image, decibels):
    hole = np.full((16, 16), -5.0)
    hole[2, 3] = np.nan
    radar_image("S1_20180301.tif", -10)
    radar_image("S1_20180311.tif", hole)
    radar_image("S1_20180331.tif", -16)
    filled = decibels(prepare_radar())
    np.testing.assert_allclose(filled[2, 3, 1], [-12, -19], atol=HALF_A_STEP)
    np.testing.assert_allclose(filled[3, 3, 1], [-5, -12], atol=HALF_A_STEP)


def test_a_step_interpolatesdecibels(prepare_radar, radar_image, decibels):
    radar_image("S1_20180301.tif", -10)
    radar_image("S1_20180311.tif", -20)
    series = prepare_radar(step=5)
    np.testing.assert_allclose(decibels(series)[0, 0, :, 0], [-10, -15, -20], atol=HALF_A_STEP)


def test_polarisations_in_files_of_their_own_meet_at_their_date(prepare_radar, tmp_path, write_raster, decibels):
    for name, value in (("vv", -8), ("vh", -15)):
        write_raster(
            tmp_path / "in" / f"s1a_31UES_{name}_DES_110_20180103txxxxxx.tif", np.full((1, 16, 16), value / 1.0)
        )
    series = prepare_radar()
    assert series.bands == ("VV", "VH")
    np.testing.assert_allclose(decibels(series)[4, 4], [[-8, -15]], atol=HALF_A_STEP)


def test_a_polarisation_that_some_dates_lack_is_left_out_with_a_warning(
    prepare_radar, radar_image, tmp_path, write_raster, listener
):
    radar_image("S1_20180301.tif", -10)
    write_raster(tmp_path / "in" / "s1_vv_20180313.tif", np.full((1, 16, 16), -8.0))
    assert prepare_radar().bands == ("VV",)
    assert "1 of 2 dates have no VH: 2018-03-13" in listener.warnings[0]


def test_values_outside_the_range_are_cut_and_told(prepare_radar, radar_image, listener):
    pixels = np.full((16, 16), -10.0)
    pixels[:4] = 20
    radar_image("S1_20180301.tif", pixels)
    values = prepare_radar().read()
    assert (values[:4] == 255).all()
    assert "25.00% of the values" in listener.warnings[0]


@pytest.mark.parametrize("db_range", ["VV=-25:5", "p1:p99"])
def test_neither_memory_nor_blocks_change_the_result(prepare_radar, tmp_path, write_raster, db_range):
    random = np.random.default_rng(0)
    write_raster(tmp_path / "wide.tif", np.zeros((1, 70, 90), "uint8"))
    for day in (1, 13, 25):
        values = random.uniform(-24, 4, (1, 40, 50)).astype("float32")
        values[random.random(values.shape) < 0.2] = np.nan
        write_raster(tmp_path / "in" / f"s1_vv_201803{day:02}.tif", values, resolution=20, origin=(499987, 5600013))
    whole = prepare_radar("whole.tif", reference=tmp_path / "wide.tif", memory=512, db_range=db_range)
    blocks = prepare_radar("blocks.tif", reference=tmp_path / "wide.tif", memory=1, db_range=db_range)
    np.testing.assert_array_equal(whole.read(), blocks.read())
    assert len(np.unique(whole.read())) > 100


def _speckled(radar_image):
    """Writes three dates of speckle with holes, of pixels that are those of the reference; returns VV of all."""
    random = np.random.default_rng(3)
    images = 10 * np.log10(random.gamma(4.4, 0.02, (3, 16, 16))).astype("float32")
    images[random.random(images.shape) < 0.1] = np.nan
    for day, image in zip((1, 13, 25), images, strict=True):
        radar_image(f"S1_201803{day:02}.tif", image)
    return images


@pytest.mark.parametrize("speckle", [0, 3])
def test_the_range_may_be_percentiles_of_the_images_before_speckle_is_filtered(
    prepare_radar, radar_image, listener, speckle
):
    images = _speckled(radar_image)
    series = prepare_radar(db_range="p2:p98", speckle=speckle)
    low, high = np.percentile(images[~np.isnan(images)], [2, 98], method="inverted_cdf")
    np.testing.assert_allclose(np.add(series.offset, series.scale), [low, low - 7], atol=0.006)
    np.testing.assert_allclose(np.add(series.offset, np.multiply(series.scale, 255)), [high, high - 7], atol=0.006)
    assert any("VV=p2:p98" in message for message in listener.messages)
    assert listener.fractions == sorted(listener.fractions)


@pytest.mark.parametrize("db_range", ["VV=p1:p99,VH=p3:p97", "VV=-20:0,VH=p3:p97", "VV=-25:5,VH=-32:-2.5"])
def test_the_range_in_the_tags_gives_the_same_series_as_a_parameter(prepare_radar, radar_image, db_range):
    _speckled(radar_image)
    first = prepare_radar(db_range=db_range)
    with rasterio.open(first.path) as dataset:
        written = dataset.tags()["DB_RANGE"]
    assert "p" not in written
    again = prepare_radar("again.tif", db_range=written)
    np.testing.assert_array_equal(first.read(), again.read())
    assert (first.scale, first.offset) == (again.scale, again.offset)


def test_images_in_archives_give_the_series_of_those_in_folders(prepare_radar, radar_image, tmp_path):
    radar_image("a/S1_20180301.tif", np.random.default_rng(0).uniform(-20, 0, (16, 16)))
    radar_image("b/S1_20180313.tif", -10)
    unpacked = prepare_radar("unpacked.tif").read()
    shutil.make_archive(tmp_path / "in" / "product", "zip", tmp_path / "in", "a")
    shutil.rmtree(tmp_path / "in" / "a")
    np.testing.assert_array_equal(prepare_radar("packed.tif").read(), unpacked)


@pytest.mark.parametrize(
    ("db_range", "warned"),
    [("p10:p90", set()), ("VV=p10:p90,VH=-21:-13", {"VH"}), ("VV=-14:-6,VH=-21:-13", {"VV", "VH"}), ("p1:p99", set())],
)
def test_many_values_that_are_cut_are_a_warning_unless_percentiles_cut_them(
    prepare_radar, radar_image, listener, db_range, warned
):
    _speckled(radar_image)
    prepare_radar(db_range=db_range)
    warnings, messages = ("\n".join(texts) for texts in (listener.warnings, listener.messages))
    for name in ("VV", "VH"):
        assert (f"of the values of {name} lie outside" in warnings) == (name in warned)
        assert (f"of the values of {name} lie outside" in messages) == (name not in warned)


@pytest.mark.parametrize(
    ("value", "units", "how"),
    [
        (0, "dB", {}),
        (-9999, "dB", {}),
        (-3.4e38, "dB", {}),
        (99, "dB", {}),
        (-9999, "power", {}),
        (0, "power", {}),
        (1e20, "power", {}),
        (1e-10, "power", {}),
        (9999, "dB", {}),
        (-0.5, "amplitude", {}),
        (-12, "dB", {"mask": True}),
        (-12, "dB", {"alpha": True}),
    ],
)
def test_what_is_missing_is_missing_however_an_image_tells_it(
    prepare_radar, tmp_path, write_raster, decibels, value, units, how
):
    """0 in decibels, undeclared, became the brightest backscatter there is."""
    image = np.full((1, 16, 16), {"dB": -12.0, "power": 10**-1.2, "amplitude": 10**-0.6}[units], "float32")
    image[:, :, :4] = value
    layers = np.concatenate([image, np.full_like(image, 255)]) if how.get("alpha") else image
    if how.get("alpha"):
        layers[1, :, :4] = 0
    path = tmp_path / "in" / "s1a_vv_20180301.tif"
    write_raster(path, layers)
    with rasterio.open(path, "r+") as dataset:
        if how.get("alpha"):
            dataset.colorinterp = [ColorInterp.gray, ColorInterp.alpha]
        if how.get("mask"):
            dataset.write_mask(np.where(np.arange(16) < 4, 0, 255).astype("uint8") * np.ones((16, 1), "uint8"))
    found = decibels(prepare_radar(units=units))[:, :, 0, 0]
    assert np.isnan(found[:, :4]).all()
    np.testing.assert_allclose(found[:, 4:], -12, atol=HALF_A_STEP)


def test_zero_decibels_are_told_as_a_share(prepare_radar, tmp_path, write_raster, listener):
    image = np.full((1, 16, 16), -12, "float32")
    image[:, :, :4] = 0
    path = tmp_path / "in" / "s1a_vv_20180301.tif"
    write_raster(path, image)
    prepare_radar()
    assert any("25.00% of the values read can't be" in message for message in listener.messages)
    assert any(f"25% of the date of {path}, mostly 0" in warning for warning in listener.warnings)


@pytest.mark.parametrize(("value", "share"), [(-9999, 75), (1e-10, 75), (0, 0)])
def test_power_that_is_no_backscatter_is_told_but_0_is_plainly_missing(
    prepare_radar, tmp_path, write_raster, listener, value, share
):
    image = np.full((1, 16, 16), 0.05, "float32")
    image[:, :12] = value
    write_raster(tmp_path / "in" / "s1a_vv_20180301.tif", image)
    assert (prepare_radar(units="power").read()[:12] == 0).all()
    told = [warning for warning in listener.warnings if "Many values can't be" in warning]
    assert len(told) == bool(share)
    assert all(f"{share}% of the date" in warning for warning in told)


def test_a_stack_of_dates_becomes_a_series_of_them(tmp_path, write_raster, prepare_radar, decibels):
    days = [date(2018, 3, 15), date(2018, 4, 14), date(2018, 5, 14)]
    values = np.random.default_rng(0).uniform(-20, -10, (6, 16, 16)).astype("float32")
    names = [f"{day:%Y%m%d}_{band}" for day in days for band in ("VV", "VH")]
    write_raster(tmp_path / "in" / "site.tif", values, names=names)
    series = prepare_radar()
    assert series.dates == tuple(days)
    expected = np.moveaxis(values.reshape(3, 2, 16, 16), (2, 3), (0, 1))
    np.testing.assert_allclose(decibels(series), expected, atol=30 / 254 / 2 + 1e-4)


def test_a_reference_may_be_south_up(prepare_radar, radar_image, tmp_path):
    radar_image("S1A_20180305_DES_110.tif", np.arange(256).reshape(16, 16) / -16)
    north = prepare_radar("north.tif")
    profile = {"driver": "GTiff", "width": 16, "height": 16, "count": 1, "dtype": "uint8", "crs": "EPSG:32631"}
    south_up = Affine(10, 0, 500000, 0, 10, 5600000 - 160)
    with rasterio.open(tmp_path / "south.tif", "w", transform=south_up, **profile):
        pass
    south = prepare_radar("from_south.tif", reference=tmp_path / "south.tif")
    assert south.grid == north.grid
    np.testing.assert_array_equal(south.read(), north.read())


def test_an_image_outside_the_period_is_never_replaced(prepare_radar, radar_image, tmp_path):
    radar_image("S1_20180301.tif", -10)
    radar_image("S1_20180313.tif", -10)
    outside = tmp_path / "in" / "S1_20180301.tif"
    before = outside.read_bytes()
    with pytest.raises(InputError, match=r"S1_20180301\.tif is one of the inputs"):
        prepare_radar(outside, start=date(2018, 3, 10), end=date(2018, 3, 20))
    assert outside.read_bytes() == before
    assert prepare_radar(tmp_path / "in" / "series.tif").dates == prepare_radar(tmp_path / "in" / "series.tif").dates
