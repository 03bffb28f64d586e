"""Preparing Sentinel-1, from files to a series."""

from datetime import date

import numpy as np
import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.series.backscatter import parse_db_range
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.preparation import Machine
from twinns_qgis.series.sentinel1 import prepare_sentinel1
from twinns_qgis.series.series import Series

RANGES = parse_db_range("VV=-25:5,VH=-32:-2")
STEP = 30 / 254


@pytest.fixture
def prepare(tmp_path, listener, write_raster):
    """Returns a function that prepares a series on a grid of 16 x 16 pixels of 10 m and opens it."""
    write_raster(tmp_path / "reference.tif", np.zeros((1, 16, 16), "uint8"))

    def run(
        output="out.tif", *, start=None, end=None, step=0, units="auto", orbit="any", speckle=0, memory=64, **settings
    ):
        prepare_sentinel1(
            tmp_path / output,
            Inputs(folder=tmp_path / "in"),
            Period(start, end, step),
            reference=settings.pop("reference", tmp_path / "reference.tif"),
            units=units,
            orbit=orbit,
            speckle=speckle,
            db_range=settings.pop("db_range", RANGES),
            machine=Machine(memory),
            reporter=listener,
        )
        return Series.open(tmp_path / output)

    return run


@pytest.fixture
def image(tmp_path, write_raster):
    """Returns a function that writes an image of 10 m with the same VV everywhere, and VH 7 dB below it."""

    def write(name, vv, **settings):
        pixels = np.broadcast_to(vv, (16, 16))
        values = np.stack([pixels, pixels - 7]).astype("float32")
        write_raster(tmp_path / "in" / name, values, names=("VV_dB", "VH_dB"), nodata=np.nan, **settings)

    return write


def _decibels(series):
    return np.where(series.missing(series.read()), np.nan, series.read() * series.scale + series.offset)


def test_a_series_keeps_the_contract_and_gives_decibels_back(prepare, image, tmp_path):
    image("S1_20180301.tif", -10)
    image("S1_20180313.tif", -3.3)
    series = prepare()
    assert (series.dtype, series.nodata, series.bands) == ("uint8", 0, ("VV", "VH"))
    assert series.dates == (date(2018, 3, 1), date(2018, 3, 13))
    np.testing.assert_allclose(_decibels(series)[7, 8], [[-10, -17], [-3.3, -10.3]], atol=STEP / 2 + 1e-6)
    assert series.read()[0, 0, 0, 0] == 1 + round(15 / 30 * 254)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.tif", "reference.tif"]


@pytest.mark.parametrize("units", ["dB", "power", "amplitude"])
def test_units_are_converted(prepare, tmp_path, write_raster, units):
    power = np.full((1, 16, 16), 0.05)
    values = {"dB": 10 * np.log10(power), "power": power, "amplitude": np.sqrt(power)}[units]
    write_raster(tmp_path / "in" / "s1a_vv_20180301.tif", values.astype("float32"))
    series = prepare(units=units)
    np.testing.assert_allclose(_decibels(series), 10 * np.log10(0.05), atol=STEP / 2 + 1e-6)


def test_backscatter_is_resampled_in_power(prepare, tmp_path, write_raster):
    decibels = np.full((1, 8, 8), -20, "float32")
    decibels[0, :, 4:] = 0
    write_raster(tmp_path / "in" / "s1a_vv_20180301.tif", decibels, resolution=20)
    across = _decibels(prepare())[5, :, 0, 0]
    expected = 10 * np.log10([0.75 * 0.01 + 0.25, 0.25 * 0.01 + 0.75])  # a mean of decibels would be -15 and -5
    np.testing.assert_allclose(across[7:9], expected, atol=STEP / 2 + 1e-6)


def test_missing_values_are_filled_linearly_in_time_in_decibels(prepare, image):
    hole = np.full((16, 16), -5.0)
    hole[2, 3] = np.nan
    image("S1_20180301.tif", -10)
    image("S1_20180311.tif", hole)
    image("S1_20180331.tif", -16)
    decibels = _decibels(prepare())
    np.testing.assert_allclose(decibels[2, 3, 1], [-12, -19], atol=STEP / 2 + 1e-6)
    np.testing.assert_allclose(decibels[3, 3, 1], [-5, -12], atol=STEP / 2 + 1e-6)


def test_a_step_interpolates_decibels(prepare, image):
    image("S1_20180301.tif", -10)
    image("S1_20180311.tif", -20)
    series = prepare(step=5)
    np.testing.assert_allclose(_decibels(series)[0, 0, :, 0], [-10, -15, -20], atol=STEP / 2 + 1e-6)


def test_images_of_one_day_are_averaged_in_power(prepare, image):
    image("S1A_20180301T055000.tif", 0)
    image("S1A_20180301T173000.tif", -20)
    np.testing.assert_allclose(_decibels(prepare())[..., 0], 10 * np.log10(0.505), atol=STEP / 2 + 1e-6)


def test_polarisations_in_files_of_their_own_meet_at_their_date(prepare, tmp_path, write_raster):
    for name, value in (("vv", -8), ("vh", -15)):
        write_raster(
            tmp_path / "in" / f"s1a_31UES_{name}_DES_110_20180103txxxxxx.tif", np.full((1, 16, 16), value / 1.0)
        )
    series = prepare()
    assert series.bands == ("VV", "VH")
    np.testing.assert_allclose(_decibels(series)[4, 4], [[-8, -15]], atol=STEP / 2 + 1e-6)


def test_a_polarisation_that_some_dates_lack_is_left_out_with_a_warning(
    prepare, image, tmp_path, write_raster, listener
):
    image("S1_20180301.tif", -10)
    write_raster(tmp_path / "in" / "s1_vv_20180313.tif", np.full((1, 16, 16), -8.0))
    assert prepare().bands == ("VV",)
    assert "1 of 2 dates have no VH: 2018-03-13" in listener.warnings[0]


def test_dates_without_a_common_polarisation_are_refused(prepare, tmp_path, write_raster):
    write_raster(tmp_path / "in" / "s1_vh_20180301.tif", np.full((1, 16, 16), -8.0))
    write_raster(tmp_path / "in" / "s1_vv_20180313.tif", np.full((1, 16, 16), -8.0))
    with pytest.raises(InputError, match="No polarisation is there at all dates"):
        prepare()


def test_values_outside_the_range_are_cut_and_told(prepare, image, listener):
    pixels = np.full((16, 16), -10.0)
    pixels[:4] = 20
    image("S1_20180301.tif", pixels)
    values = prepare().read()
    assert (values[:4] == 255).all()
    assert "25.00% of the values" in listener.warnings[0]


def test_neither_memory_nor_blocks_change_the_result(prepare, tmp_path, write_raster):
    random = np.random.default_rng(0)
    write_raster(tmp_path / "wide.tif", np.zeros((1, 70, 90), "uint8"))
    for day in (1, 13, 25):
        values = random.uniform(-24, 4, (1, 40, 50)).astype("float32")
        values[random.random(values.shape) < 0.2] = np.nan
        write_raster(tmp_path / "in" / f"s1_vv_201803{day:02}.tif", values, resolution=20, origin=(499987, 5600013))
    whole = prepare("whole.tif", reference=tmp_path / "wide.tif", memory=512)
    blocks = prepare("blocks.tif", reference=tmp_path / "wide.tif", memory=1)
    np.testing.assert_array_equal(whole.read(), blocks.read())
    assert len(np.unique(whole.read())) > 100


@pytest.fixture
def noisy(tmp_path, write_raster):
    """Writes three dates of power with holes, 20 m, that reach beyond a reference of 70 x 90 pixels of 10 m."""
    random = np.random.default_rng(0)
    write_raster(tmp_path / "wide.tif", np.zeros((1, 70, 90), "uint8"))
    for day in (1, 13, 25):
        values = random.uniform(-24, 4, (1, 40, 50)).astype("float32")
        values[random.random(values.shape) < 0.2] = np.nan
        write_raster(tmp_path / "in" / f"s1_vv_201803{day:02}.tif", values, resolution=20, origin=(499947, 5600053))
    return tmp_path / "wide.tif"


@pytest.mark.parametrize("speckle", [3, 7])
def test_filtered_speckle_depends_neither_on_blocks_nor_on_the_reference_ending(
    prepare, noisy, tmp_path, write_raster, speckle
):
    write_raster(tmp_path / "part.tif", np.zeros((1, 30, 33), "uint8"), origin=(500200, 5599900))
    whole = prepare("whole.tif", reference=noisy, memory=512, speckle=speckle)
    blocks = prepare("blocks.tif", reference=noisy, memory=1, speckle=speckle)
    part = prepare("part_out.tif", reference=tmp_path / "part.tif", speckle=speckle)
    np.testing.assert_array_equal(whole.read(), blocks.read())
    np.testing.assert_array_equal(whole.read()[10:40, 20:53], part.read())
    assert (whole.read() != prepare("unfiltered.tif", reference=noisy).read()).mean() > 0.5


def test_speckle_is_filtered_in_power_before_decibels_fill_gaps(prepare, image):
    pixels = np.full((2, 16, 16), -10.0)
    pixels[0, ::2], pixels[1, 5, 5] = -16, np.nan
    image("S1_20180301.tif", pixels[0])
    image("S1_20180313.tif", pixels[1])
    power = 10 ** (pixels / 10)
    means = np.nanmean(power[:, 4:7, 4:7], axis=(1, 2))  # of a window round row 5, column 5, where one date is missing
    expected = means[0] * (power[0, 5, 5] / means[0])
    filtered = _decibels(prepare(speckle=3))[5, 5, :, 0]
    np.testing.assert_allclose(filtered, 10 * np.log10([expected, expected]), atol=STEP / 2 + 1e-6)
    means = np.nanmean(power[:, 8:11, 8:11], axis=(1, 2))
    expected = means * np.mean(power[:, 9, 9] / means)
    filtered = _decibels(prepare(speckle=3))[9, 9, :, 0]
    np.testing.assert_allclose(filtered, 10 * np.log10(expected), atol=STEP / 2 + 1e-6)


def _both_directions(image):
    image("s1a_31UES_DES_110_20180301.tif", -10)
    image("s1a_31UES_ASC_132_20180301.tif", -16)
    image("s1a_31UES_ASC_030_20180307.tif", -13)
    image("s1a_31UES_DES_110_20180313.tif", -11)


@pytest.mark.parametrize(
    ("orbit", "expected"),
    [
        ("ascending", {"2018-03-01": -16, "2018-03-07": -13}),
        ("Descending", {"2018-03-01": -10, "2018-03-13": -11}),
        ("132", {"2018-03-01": -16}),
        (" 030", {"2018-03-07": -13}),
    ],
)
def test_only_the_images_of_the_orbit_are_used(prepare, image, orbit, expected):
    _both_directions(image)
    series = prepare(orbit=orbit)
    assert [str(day) for day in series.dates] == list(expected)
    np.testing.assert_allclose(_decibels(series)[3, 3, :, 0], list(expected.values()), atol=STEP / 2 + 1e-6)


def test_several_orbits_are_told(prepare, image, listener):
    _both_directions(image)
    prepare()
    told = "several orbits: ascending 132 (1), ascending 30 (1), descending 110 (2)"
    assert any(told in message for message in listener.messages)


def test_without_images_of_the_orbit_those_that_are_there_are_told(prepare, image):
    _both_directions(image)
    with pytest.raises(InputError, match=r"ORBIT 8; there are ascending 132 \(1\), ascending 30 \(1\), descending 110"):
        prepare(orbit="8")


def test_images_of_unknown_orbit_are_listed_where_one_is_asked_for(prepare, image):
    _both_directions(image)
    image("s1_20180302.tif", -10)
    image("s1_20180303_DES.tif", -10)
    with pytest.raises(InputError, match=r"of 2 of 6 images: s1_20180302\.tif, s1_20180303_DES\.tif"):
        prepare(orbit="110")
    with pytest.raises(InputError, match=r"of 1 of 6 images: s1_20180302\.tif"):
        prepare(orbit="descending")
    assert len(prepare(orbit="any").dates) == 5


@pytest.mark.parametrize("orbit", ["", "north", "0", "176", "-3", "1.5"])
def test_what_is_no_orbit_is_refused(prepare, image, orbit):
    image("S1_20180301.tif", -10)
    with pytest.raises(InputError, match=f"ORBIT is '{orbit}'"):
        prepare(orbit=orbit)


def test_a_window_that_has_no_middle_is_refused(prepare, image):
    image("S1_20180301.tif", -10)
    with pytest.raises(InputError, match=r"SPECKLE is 4 pixels.*odd number"):
        prepare(speckle=4)


@pytest.mark.parametrize(("units", "value"), [("dB", 0.05), ("power", -12.0), ("amplitude", -12.0)])
def test_values_that_can_not_be_of_the_units_are_refused(prepare, tmp_path, write_raster, units, value):
    write_raster(tmp_path / "in" / "s1_vv_20180301.tif", np.full((1, 16, 16), value, "float32"))
    with pytest.raises(InputError, match=r"s1_vv_20180301\.tif.*UNITS"):
        prepare(units=units)


def test_a_reference_elsewhere_is_refused_with_both_grids(prepare, image, tmp_path, write_raster):
    image("S1_20180301.tif", -10)
    write_raster(tmp_path / "away.tif", np.zeros((1, 4, 4), "uint8"), origin=(700000, 5600000))
    with pytest.raises(InputError, match=r"away\.tif .*700000.*does not overlap.*S1_20180301\.tif .*500000"):
        prepare(reference=tmp_path / "away.tif")


def test_a_polarisation_without_a_range_is_refused(prepare, image):
    image("S1_20180301.tif", -10)
    with pytest.raises(InputError, match="DB_RANGE has no range for VH"):
        prepare(db_range=parse_db_range("VV=-25:5"))


def test_a_truncated_image_is_named_and_leaves_no_series(prepare, tmp_path, write_raster):
    for name in ("s1_vv_20180301.tif", "s1_vv_20180313.tif"):
        write_raster(tmp_path / "in" / name, np.full((1, 16, 16), -8.0))
    path = tmp_path / "in" / "s1_vv_20180313.tif"
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 100)
    with pytest.raises(InputError, match=r"s1_vv_20180313\.tif"):
        prepare()
    assert not (tmp_path / "out.tif").exists()


def test_nothing_found_says_what_was_looked_for(prepare, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=r"No Sentinel-1 images.*VV or VH"):
        prepare()
