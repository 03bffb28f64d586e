"""Preparing Sentinel-2, from files to a series."""

import shutil
import zipfile
from datetime import date
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.transform import Affine
from rasterio.warp import transform

from twinns_qgis.errors import Cancelled, InputError
from twinns_qgis.rasters.grid import Extent
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.area import Area
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.readers.search import Sentinel2Options
from twinns_qgis.series.sentinel2.cloud_mask import Clouds
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2
from twinns_qgis.series.series import SENTINEL2_BANDS, Series

DAYS = [date(2018, 3, 1), date(2018, 3, 11), date(2018, 3, 31)]


@pytest.fixture
def prepare(tmp_path, listener):
    """Returns a function that prepares a series from a folder or layers and opens it."""

    def run(output="out.tif", *, start=None, end=None, step=0, memory=64, area=Area(), clouds=Clouds(), **given):
        files = {name: given.pop(name) for name in ("validity", "report") if name in given}
        options = Sentinel2Options(given.pop("clear", {}))
        given = given or {"folder": tmp_path / "in"}
        prepare_sentinel2(
            Outputs(tmp_path / output, **files),
            Inputs(**given),
            Period(start, end, step),
            area=area,
            clouds=clouds,
            options=options,
            machine=Machine(memory),
            reporter=listener,
        )
        return Series.open(tmp_path / output)

    return run


@pytest.fixture
def three_dates(tmp_path, make_theia):
    """Products that hold 1000, 9999 under a cloud on half of the tile, and 4000."""
    clouds = np.zeros((16, 16), "uint8")
    clouds[:, :8] = 33
    make_theia(tmp_path / "in", DAYS[0], 1000)
    make_theia(tmp_path / "in", DAYS[1], np.where(clouds, 9999, 2500), clouds)
    make_theia(tmp_path / "in", DAYS[2], 4000)


def test_a_series_keeps_the_contract(prepare, three_dates, tmp_path):
    series = prepare()
    assert series.bands == SENTINEL2_BANDS
    assert series.dates == tuple(DAYS)
    assert (series.dtype, series.nodata, set(series.scale), set(series.offset)) == ("int16", -32768, {1e-4}, {0})
    with rasterio.open(series.path) as dataset:
        assert dataset.tags()["PRODUCTS"].count("SENTINEL2A") == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.qml", "out.tif"]


@pytest.mark.parametrize(("given", "told"), [({}, "CLM=0"), ({"CLM": frozenset({0, 1, 2, 8})}, "CLM=0-2,8")])
def test_a_series_tells_what_counted_as_clear_and_which_reflectance(prepare, three_dates, given, told):
    with rasterio.open(prepare(clear=given).path) as dataset:
        assert (dataset.tags()["CLEAR"], dataset.tags()["REFLECTANCE"]) == (told, "FRE")


@pytest.mark.parametrize(("cloudy", "shown"), [([], 0), ([0], 1), ([0, 1], 2), ([1, 2], 0)])
def test_qgis_shows_the_clearest_date(prepare, make_theia, tmp_path, cloudy, shown):
    clouds = np.zeros((16, 16), "uint8")
    clouds[:, :8] = 33
    for order, day in enumerate(DAYS):
        make_theia(tmp_path / "in", day, 1000, *[clouds] * (order in cloudy))
    series = prepare()
    renderer = ElementTree.parse(tmp_path / "out.qml").find("pipe/rasterrenderer")
    red = shown * len(SENTINEL2_BANDS) + SENTINEL2_BANDS.index("B4") + 1
    assert (series.dates[shown], renderer.get("redBand")) == (DAYS[shown], str(red))


def test_cloudy_pixels_are_filled_linearly_in_time(prepare, three_dates):
    values = prepare().read()
    assert (values[:, :, 0] == 1000).all()
    assert (values[:, :8, 1] == 2000).all()  # a third of the way from 1000 to 4000
    assert (values[:, 8:, 1] == 2500)[:, :, [0, 1, 2, 6]].all()


def test_a_step_interpolates_to_its_dates(prepare, three_dates):
    series = prepare(start=date(2018, 2, 27), end=date(2018, 4, 8), step=10)
    assert [day.isoformat() for day in series.dates] == [
        "2018-02-27", "2018-03-09", "2018-03-19", "2018-03-29", "2018-04-08",
    ]  # fmt: skip
    expected = np.interp([-2, 8, 18, 28, 38], [0, 30], [1000, 4000])
    np.testing.assert_array_equal(series.read()[5, 5, :, 0], expected)


def test_products_outside_the_period_are_left_out(prepare, three_dates):
    series = prepare(start=DAYS[1], end=DAYS[2])
    assert series.dates == tuple(DAYS[1:])
    assert (series.read()[:, :8] == 4000).all()


def test_an_extent_is_cut_out_on_the_pixels_of_the_whole(prepare, three_dates):
    whole = prepare()
    part = prepare("part.tif", area=Area(Extent.parse("500035,500085,5599911,5599959")))
    assert part.grid.bounds == (500030, 5599910, 500090, 5599960)
    np.testing.assert_array_equal(part.read(), whole.read()[4:9, 3:9])


def test_the_mask_of_the_swath_edge_counts(prepare, tmp_path, make_theia):
    edge = np.zeros((16, 16), "uint8")
    edge[3, 4] = 1
    make_theia(tmp_path / "in", DAYS[0], 1000, edge=edge)
    values = prepare().read()
    assert (values[3, 4] == -32768).all()
    assert np.count_nonzero(values == -32768) == 10


def test_a_pixel_that_is_saturated_in_one_band_is_missing(prepare, tmp_path, make_theia, write_raster):
    product = make_theia(tmp_path / "in", DAYS[0], 1000)
    for group, bit, size in (("R1", 1, 16), ("R2", 4, 8)):  # the second band of 10 m, the fifth of 20 m
        flags = np.zeros((1, size, size), "uint8")
        flags[0, 2, 3] = 1 << bit
        write_raster(product / "MASKS" / f"{product.name}_SAT_{group}.tif", flags, resolution=160 // size)
    missing = prepare().read()[:, :, 0] == -32768
    assert np.argwhere(missing.any(axis=-1)).tolist() == [[2, 3], [4, 6], [4, 7], [5, 6], [5, 7]]
    np.testing.assert_array_equal(missing.all(axis=-1), missing.any(axis=-1))


def test_the_user_chooses_what_is_clear(prepare, three_dates):
    assert (prepare(clear={"CLM": frozenset({0, 33})}).read()[:, :6, 1, 0] == 9999).all()


def test_negative_reflectance_is_kept_and_missing_pixels_are_not(prepare, tmp_path, make_theia):
    pixels = np.full((16, 16), -50)
    pixels[0, 0] = -10000
    make_theia(tmp_path / "in", DAYS[0], pixels)
    values = prepare().read()
    assert values[0, 0, 0, 0] == -32768
    assert (values[4:, 4:] == -50).all()


def test_twenty_metre_bands_lie_where_their_georeference_says(prepare, tmp_path, make_theia, write_raster):
    product = make_theia(tmp_path / "in", DAYS[0], 1000)
    short = np.full((1, 7, 8), 1500, "int16")
    write_raster(next(product.glob("*_FRE_B11.tif")), short, resolution=20, nodata=-10000)
    values = prepare().read()
    assert (values[:14, :, 0, 8] == 1500).all()
    assert (values[:14, :, 0, 9] == 1000).all()
    assert (values[14:] == -32768).all()


def test_named_bands_and_scene_classes_give_a_series(prepare, tmp_path, make_dated):
    scene = np.full((16, 16), 4)
    scene[:, :6] = np.arange(6) * 2  # 0 2 4 6 8 10: clear are 4 and 6
    make_dated(tmp_path / "in", DAYS[0], 1000)
    make_dated(tmp_path / "in", DAYS[0], 3000, scene, name="S2_{}_20m.tif", bands=("B05",))
    series = prepare()
    assert series.bands == ("B2", "B3", "B4", "B5", "B8")
    missing = (series.read()[0, :, 0, 0] == -32768).tolist()
    assert missing[:7] == [True, True, False, False, True, True, False]


def test_products_without_a_mask_are_taken_as_clear_with_a_warning(prepare, tmp_path, make_dated, listener):
    make_dated(tmp_path / "in", DAYS[0], 1000)
    assert (prepare().read() == 1000).all()
    assert "no cloud mask" in listener.warnings[0]


def test_overlapping_products_of_a_date_are_merged(prepare, tmp_path, make_theia):
    clouds = np.zeros((16, 16), "uint8")
    clouds[:, :8] = 1
    make_theia(tmp_path / "in", DAYS[0], 1000, clouds, tile="T31UES")
    make_theia(tmp_path / "in", DAYS[0], 2000, tile="T31UFS")
    values = prepare().read()
    assert (values[:, :8] == 2000).all()
    assert (values[:, 8:] == 1000).all()


def test_a_product_of_another_place_is_left_out_with_a_warning(prepare, tmp_path, make_theia, listener):
    make_theia(tmp_path / "in", DAYS[0], 1000)
    make_theia(tmp_path / "in", DAYS[1], 2000, origin=(900000, 5600000))
    assert prepare().dates == (DAYS[0],)
    assert "20180311" in listener.warnings[0]


def test_a_product_of_another_crs_is_warped(prepare, tmp_path, make_theia, make_dated):
    make_dated(tmp_path / "in", DAYS[0], 1000, 4)
    (x,), (y,) = transform("EPSG:32631", "EPSG:32632", [500080], [5599920])  # the centre
    make_dated(tmp_path / "in", DAYS[1], 2000, 4, origin=(x - 80, y + 80), crs="EPSG:32632")
    series = prepare()
    assert series.grid.crs.to_epsg() == 32631
    assert (series.read()[4:12, 4:12] == [[[1000] * 4, [2000] * 4]]).all()


def test_neither_memory_nor_blocks_change_the_result(prepare, tmp_path, make_theia):
    random = np.random.default_rng(0)
    for day in DAYS:
        clouds = (random.random((70, 70)) < 0.3).astype("uint8")
        make_theia(tmp_path / "in", day, random.integers(0, 5000, (70, 70)), clouds, size=70)
    whole, blocks = prepare("whole.tif", memory=512), prepare("blocks.tif", memory=1)
    np.testing.assert_array_equal(whole.read(), blocks.read())


def test_a_wrong_scale_is_refused_with_what_to_do(prepare, tmp_path, write_raster):
    write_raster(tmp_path / "in" / "20180301.tif", np.full((1, 8, 8), 3000, "float32"), names=("B2",))
    with pytest.raises(InputError, match=r"100% of the values of .*20180301\.tif.*scale must be wrong.*gdal_edit"):
        prepare()


@pytest.fixture
def export(tmp_path, write_raster):
    """Returns a function that writes an export of a date, 0.1 everywhere, but for `value` in its first two columns."""

    def write(value, dtype="int16", *, day="20180301", nodata=None, alpha=False, mask=False, sidecar=False):
        scale = 1 if dtype == "float32" else 1e-4
        values = np.full((4, 16, 16), 0.1 / scale).astype(dtype)
        values[:, :, :2] = value
        path = tmp_path / "in" / f"{day}.tif"
        extra = np.full((1, 16, 16), 255, dtype) if alpha else np.empty((0, 16, 16), dtype)
        if alpha:
            extra[:, :, :2] = 0
        names = ("B02", "B03", "B04", "B08", *([""] if alpha else []))
        write_raster(path, np.concatenate([values, extra]), names=names, nodata=nodata)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=not sidecar), rasterio.open(path, "r+") as dataset:
            if alpha:
                dataset.colorinterp = [ColorInterp.gray, *[ColorInterp.undefined] * 3, ColorInterp.alpha]
            if mask:
                shown = np.full((16, 16), 255, "uint8")
                shown[:, :2] = 0
                dataset.write_mask(shown)
        return path

    return write


@pytest.mark.parametrize(
    ("value", "how"),
    [
        (0, {"mask": True}),
        (500, {"mask": True, "sidecar": True}),
        (700, {"alpha": True}),
        (0, {"nodata": 9999}),
        (-9999, {}),
        (-32768, {}),
        (32767, {}),
        (65535, {"dtype": "uint16"}),
        (0, {"dtype": "uint16"}),
        (-9999, {"dtype": "float32"}),
        (-3.4e38, {"dtype": "float32"}),
        (1e20, {"dtype": "float32"}),
        (np.nan, {"dtype": "float32"}),
        (0, {"dtype": "float32"}),
    ],
)
def test_what_is_missing_is_missing_however_a_raster_tells_it(prepare, export, value, how):
    export(value, **how)
    values = prepare().read()
    assert (values[:, :2] == -32768).all()
    np.testing.assert_array_equal(values[:, 2:], 1000)


def test_each_band_may_have_a_no_data_value_of_its_own(prepare, export, tmp_path):
    export(500).rename(tmp_path / "values.tif")
    with rasterio.open(tmp_path / "values.tif", "r+") as dataset:
        image = dataset.read()
        image[:, :, :2] = np.array([-1000, -1001, -1002, -1003])[:, None, None]
        dataset.write(image)
    bands = "".join(
        f'<VRTRasterBand dataType="Int16" band="{band}"><Description>{name}</Description>'
        f"<NoDataValue>{-999 - band}</NoDataValue><SimpleSource><SourceFilename>{tmp_path}/values.tif</SourceFilename>"
        f"<SourceBand>{band}</SourceBand></SimpleSource></VRTRasterBand>"
        for band, name in enumerate(("B02", "B03", "B04", "B08"), start=1)
    )
    place = "<SRS>EPSG:32631</SRS><GeoTransform>500000, 10, 0, 5600000, 0, -10</GeoTransform>"
    (tmp_path / "in/20180301.tif").write_text(
        f'<VRTDataset rasterXSize="16" rasterYSize="16">{place}{bands}</VRTDataset>'
    )
    values = prepare().read()
    assert (values[:, :2] == -32768).all()
    assert (values[:, 2:] == 1000).all()


def test_values_that_can_not_be_are_told_with_file_and_value(prepare, export, listener):
    path = export(-9999)
    prepare()
    assert any("12.50% of the values read can't be" in message for message in listener.messages)
    (warning,) = [warning for warning in listener.warnings if "no data" in warning]
    assert f"12% of the date of {path}, mostly -9999" in warning


def test_undeclared_no_data_on_most_of_an_image_are_no_wrong_scale(prepare, export, listener):
    path = export(1000)
    with rasterio.open(path, "r+") as dataset:
        image = dataset.read()
        image[:, :, :12] = -9999
        dataset.write(image)
    values = prepare().read()
    assert (values[:, :12] == -32768).all()
    assert (values[:, 12:] == 1000).all()
    assert any(f"75% of the date of {path}, mostly -9999" in warning for warning in listener.warnings)


@pytest.mark.parametrize(("level", "factor"), [(1500, "10000 times"), (15, "100 times")])
def test_the_scale_that_is_wrong_is_guessed(prepare, tmp_path, write_raster, listener, level, factor):
    noise = np.random.default_rng(0).normal(1, 0.1, (1, 16, 16))
    write_raster(tmp_path / "in/20180301.tif", (level * noise).astype("float32"), names=("B2",))
    with pytest.raises(InputError, match=rf"scale must be wrong.*would be 0\.15 if they were {factor} as much"):
        prepare()
    assert any("20180301.tif, such as 1" in warning for warning in listener.warnings)


def test_what_a_mask_hides_is_not_told_as_impossible(prepare, export, listener):
    export(-9999, mask=True)
    assert (prepare().read()[:, :2] == -32768).all()
    assert not [
        message for message in listener.messages + listener.warnings if "-9999" in message or "can't be" in message
    ]


def test_the_no_data_value_of_a_mask_may_be_clear(prepare, tmp_path, make_dated):
    """CLM is 0 where clear, and 0 is often declared as no data for all bands of a file."""
    make_dated(tmp_path / "in", DAYS[0], 1000, np.zeros((16, 16)), bands=("B02", "B03"))
    with rasterio.open(next((tmp_path / "in").iterdir()), "r+") as dataset:
        dataset.descriptions = "B02", "B03", "CLM"
    assert (prepare().read() == 1000).all()


def test_a_few_values_that_can_not_be_are_no_warning(prepare, export, listener, write_raster):
    path = export(1000)
    with rasterio.open(path, "r+") as dataset:
        image = dataset.read()
        image[:, 0, 0] = 25_000  # a glint
        dataset.write(image)
    assert (prepare().read()[0, 0] == -32768).all()
    assert any("0.39% of the values read can't be" in message for message in listener.messages)
    assert not [warning for warning in listener.warnings if "no data" in warning]


def test_a_pixels_spectrum_is_of_one_product(prepare, tmp_path, make_theia, write_raster):
    """Where one lacks B11, the next one counts with all its bands."""
    first = make_theia(tmp_path / "in", DAYS[0], 1000, tile="T31UES")
    make_theia(tmp_path / "in", DAYS[0], 2000, tile="T31UFS")
    holes = np.full((1, 8, 8), 1000, "int16")
    holes[0, 2, 3] = -10000
    write_raster(next(first.glob("*_FRE_B11.tif")), holes, resolution=20, nodata=-10000)
    values = prepare().read()[:, :, 0]
    assert (values[4:6, 6:8] == 2000).all()
    assert set(np.unique(values)) == {1000, 2000}
    assert (np.ptp(values, axis=-1) == 0).all()


def test_a_band_missing_at_one_date_is_told_with_the_file(prepare, tmp_path, make_dated):
    make_dated(tmp_path / "in", DAYS[0], 1000)
    make_dated(tmp_path / "in", DAYS[1], 1000, bands=("B02", "B03", "B04"))
    with pytest.raises(InputError, match=r"2018-03-11 \(S2_20180311_10m\.tif\) has no band B8"):
        prepare()


def test_masks_without_bands_are_no_series(prepare, tmp_path, make_dated):
    make_dated(tmp_path / "in", DAYS[0], 0, 4, bands=())
    with pytest.raises(InputError, match="no product holds a band"):
        prepare()


def test_no_memory_is_refused(prepare, three_dates):
    with pytest.raises(InputError, match="MEMORY is 0 MB"):
        prepare(memory=0)


def test_a_truncated_file_is_named_and_leaves_no_series(prepare, three_dates, tmp_path):
    band = next((tmp_path / "in").rglob("*20180311*_FRE_B4.tif"))
    with band.open("r+b") as stream:
        stream.truncate(band.stat().st_size - 100)
    with pytest.raises(InputError, match=band.name):
        prepare()
    assert list(tmp_path.iterdir()) == [tmp_path / "in"]


@pytest.mark.parametrize("damage", ["cut short before packing", "damaged after packing"])
def test_a_damaged_file_in_an_archive_is_named(prepare, tmp_path, make_theia, damage):
    values = np.random.default_rng(0).integers(0, 5000, (64, 64))
    product = make_theia(tmp_path / "in", DAYS[0], values, size=64)
    band = next(product.glob("*_FRE_B4.tif"))
    if damage == "cut short before packing":
        band.write_bytes(band.read_bytes()[:-100])
    shutil.make_archive(str(product), "zip", product.parent, product.name)
    shutil.rmtree(product)
    archive = product.with_name(f"{product.name}.zip")
    if damage == "damaged after packing":
        with zipfile.ZipFile(archive) as content:
            start = content.getinfo(f"{product.name}/{band.name}").header_offset
        packed = bytearray(archive.read_bytes())
        packed[start + 2000 : start + 2500] = bytes(500)
        archive.write_bytes(packed)
    with pytest.raises(InputError, match=band.name):
        prepare()


def test_nothing_found_says_what_was_looked_for(prepare, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=r"No Sentinel-2 products.*in.*THEIA folders.*B02"):
        prepare()


def test_layers_or_a_folder_are_needed_not_both(prepare, three_dates, tmp_path):
    with pytest.raises(InputError, match="Nothing was given"):
        Inputs()
    with pytest.raises(InputError, match="Layers and folder was given"):
        Inputs((tmp_path / "a.tif",), tmp_path)
    with pytest.raises(InputError, match="none does not exist"):
        Inputs(folder=tmp_path / "none")


def test_the_output_is_checked_before_the_products_are_searched(prepare, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "in").mkdir()
    for output in ("none/out.tif", "file/out.tif"):
        with pytest.raises(InputError, match=r"out\.tif does not exist"):
            prepare(output)


def test_an_extent_elsewhere_is_refused(prepare, three_dates):
    with pytest.raises(InputError, match="does not overlap"):
        prepare(area=Area(Extent.parse("0,1,0,1 [EPSG:4326]")))


def test_neighbouring_tiles_become_one_mosaic(prepare, tmp_path, make_theia):
    make_theia(tmp_path / "in", DAYS[0], 1000, tile="T31UES")
    make_theia(tmp_path / "in", DAYS[0], 2000, tile="T31UFS", origin=(500000 + 120, 5600000))  # 4 columns overlap
    series = prepare(area=Area(Extent.parse("500000,500280,5599840,5600000")))
    assert (series.grid.width, series.grid.height) == (28, 16)
    values = series.read()
    assert (values[:, :16] == 1000).all()
    assert (values[:, 16:] == 2000).all()


def test_a_tile_of_another_utm_zone_joins_the_mosaic(prepare, tmp_path, make_theia, listener):
    make_theia(tmp_path / "in", DAYS[0], 1000, tile="T31UES")
    (x,), (y,) = transform("EPSG:32631", "EPSG:32632", [500160], [5600000])
    make_theia(tmp_path / "in", DAYS[0], 2000, tile="T32ULB", origin=(round(x), round(y)), crs="EPSG:32632")
    values = prepare(area=Area(Extent.parse("500000,500280,5599840,5600000"))).read()
    assert (values[:, :16] == 1000).all()
    inner = values[5:11, 20:26]
    assert (inner == 2000).all()
    assert not listener.warnings


def test_a_coarser_resolution_averages_and_another_crs_warps(prepare, three_dates):
    coarse = prepare("coarse.tif", area=Area(resolution=40))
    assert (coarse.grid.width, coarse.grid.resolution) == (4, (40, 40))
    assert (coarse.read()[:, :, 0] == 1000).all()
    warped = prepare("warped.tif", area=Area(crs=CRS.from_epsg(32632)))
    values = warped.read()[:, :, 0]
    assert warped.grid.crs.to_epsg() == 32632
    assert set(np.unique(values)) == {-32768, 1000}


def test_cloudy_dates_are_left_out(prepare, three_dates, listener):
    assert prepare(clouds=Clouds(most=49)).dates == (DAYS[0], DAYS[2])
    assert any("2018-03-11 (50%)" in message for message in listener.messages)
    assert prepare("half.tif", clouds=Clouds(most=50)).dates == tuple(DAYS)


def test_all_dates_too_cloudy_is_refused(prepare, tmp_path, make_theia):
    make_theia(tmp_path / "in", DAYS[0], 1000, np.ones((16, 16), "uint8"))
    with pytest.raises(InputError, match=r"All dates have more than 99 % of clouds: 2018-03-01 \(100%\)"):
        prepare(clouds=Clouds(most=99))


def test_no_clear_pixel_at_any_date_is_refused(prepare, tmp_path, make_theia):
    make_theia(tmp_path / "in", DAYS[0], 1000, np.ones((16, 16), "uint8"))
    with pytest.raises(InputError, match="No pixel is clear at any of the 1 dates"):
        prepare()
    assert {path.name for path in tmp_path.iterdir()} == {"in"}


def test_a_date_that_shows_nothing_is_told(prepare, three_dates, tmp_path, make_theia, listener):
    make_theia(tmp_path / "in", date(2018, 3, 21), 9999, np.ones((16, 16), "uint8"))
    assert len(prepare().dates) == 4
    assert (
        "1 dates of the series show no clear pixel, and are interpolated everywhere: 2018-03-21" in listener.warnings[0]
    )


def test_clouds_get_a_rim(prepare, three_dates):
    values = prepare(clouds=Clouds(dilation=25)).read()[8, :, 1, 0]
    assert values.tolist() == [2000] * 10 + [2500] * 6  # clouds end at column 8, and two more are within 25 m


def test_validity_counts_the_clear_dates(prepare, three_dates, tmp_path):
    prepare(validity=tmp_path / "validity.tif")
    with rasterio.open(tmp_path / "validity.tif") as dataset:
        counts = dataset.read(1)
    assert (counts[:, :8] == 2).all()
    assert (counts[:, 8:] == 3).all()


def test_a_report_is_written_and_leaves_nothing_else(prepare, three_dates, tmp_path):
    prepare(report=tmp_path / "report.html", clouds=Clouds(most=40))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "50% of clouds" in text
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out.qml", "out.tif", "report.html"}


def test_ndvi_in_the_report_is_that_of_the_clear_pixels(tmp_path, make_theia, write_raster, listener):
    product = make_theia(tmp_path / "in", DAYS[0], 1000)
    infrared = np.random.default_rng(0).integers(1000, 5000, (16, 16)).astype("int16")
    write_raster(next(product.glob("*_FRE_B8.tif")), infrared[None], nodata=-10000)
    report = tmp_path / "report.html"
    prepare_sentinel2(
        Outputs(tmp_path / "out.tif", report=report),
        Inputs(folder=tmp_path / "in"),
        Period(),
        machine=Machine(64),
        reporter=listener,
    )
    sampled = infrared[::4, ::4].astype(float)
    expected = ((sampled - 1000) / (sampled + 1000)).mean()
    assert f"{expected:.3f}" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize("second", ["validity", "report"])
def test_two_outputs_of_one_name_are_refused_before_anything_is_read(prepare, tmp_path, second):
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=r"Two outputs have the same name, .*out\.tif"):
        prepare(**{second: tmp_path / "out.tif", "folder": tmp_path / "in"})


@pytest.mark.parametrize("output", ["output", "validity", "report"])
def test_a_product_outside_the_period_is_never_replaced(prepare, make_dated, tmp_path, output):
    outside, _ = (make_dated(tmp_path / "in", day, 1000) for day in DAYS[:2])
    before = outside.read_bytes()
    with pytest.raises(InputError, match=r"S2_20180301_10m\.tif is one of the inputs"):
        prepare(**{output: outside}, start=DAYS[1], end=DAYS[1])
    assert outside.read_bytes() == before


def test_a_series_that_lies_among_the_products_is_replaced(prepare, make_dated, tmp_path):
    make_dated(tmp_path / "in", DAYS[0], 1000)
    outputs = {"validity": tmp_path / "in" / "valid.tif", "report": tmp_path / "in" / "report.html"}
    for _ in range(2):
        assert prepare(tmp_path / "in" / "series.tif", **outputs).dates == (DAYS[0],)


def test_a_product_is_never_replaced_by_an_output(prepare, make_dated, tmp_path):
    product = make_dated(tmp_path / "in", DAYS[0], 1000)
    before = product.read_bytes()
    with pytest.raises(InputError, match=r"S2_20180301_10m\.tif is one of the inputs"):
        prepare(f"in/{product.name}")
    assert product.read_bytes() == before


def test_the_report_tells_every_product_left_out_and_why(prepare, three_dates, tmp_path, make_theia):
    make_theia(tmp_path / "in", DAYS[0], 1, origin=(900000, 5600000), tile="T33UES")
    newer = next((tmp_path / "in").glob("*20180331*"))
    older = newer.with_name(newer.name.replace("V1-0", "V0-9"))
    shutil.copytree(newer, older)
    make_theia(tmp_path / "in", date(2018, 6, 1), 1000)
    prepare(report=tmp_path / "report.html", start=DAYS[0], end=DAYS[2], clouds=Clouds(most=40))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for reason, name in (
        ("50% of clouds", "20180311"),
        ("outside the area", "T33UES"),
        ("outside the period", "20180601"),
        (f"{newer.name} is newer", older.name),
    ):
        row = next(row for row in text.split("<tr>") if f"<td>{reason}</td>" in row)
        assert name in row


@pytest.fixture
def tiled(tmp_path, make_safe, write_jp2):
    """SAFE products of two dates, of 256 x 256 pixels, whose tiles are neither those of blocks nor each other's."""
    random = np.random.default_rng(0)
    for day in DAYS[:2]:
        for path in make_safe(day, "02.06", folder=tmp_path / "in").rglob("*.jp2"):
            resolution, tile = (10, 96) if path.stem.endswith("10m") else (20, 40)
            shape = (2560 // resolution,) * 2
            if "_SCL_" in path.name:
                values = random.choice([4, 9], shape, p=[0.99, 0.01]).astype("uint8")
            else:
                values = random.integers(1, 9000, shape).astype("uint16")
            write_jp2(path, values, resolution, tile=tile)


def test_each_tile_is_decoded_once_whatever_the_blocks(tiled, prepare, decoded):
    options = {"clouds": Clouds(dilation=30), "area": Area(Extent.parse("500030,502530,5597500,5599990"))}
    one_block = prepare("expected.tif", memory=512, **options).read()
    decoded.clear()
    np.testing.assert_array_equal(prepare(memory=1, **options).read(), one_block)
    assert set(decoded.values()) == {1}
    assert len(decoded) == 2 * (4 * 3**2 + 7 * 4**2)


def test_a_cancelled_call_keeps_no_decoded_tiles(tiled, prepare, listener, tmp_path):
    kept = []

    def stop(fraction, message=""):
        kept.append(len(list(tmp_path.rglob("*.decoded"))))
        listener.stop = fraction > 0.2

    listener.progress = stop
    with pytest.raises(Cancelled, match="blocks are kept"):
        prepare(memory=1)
    assert max(kept) > 0
    assert not list(tmp_path.rglob("*.decoded"))


@pytest.mark.parametrize("turned", ["*.tif", "*_CLM_*", "*_B4.tif"])
def test_south_up_images_and_masks_give_the_same_series(prepare, make_theia, tmp_path, turned):
    random = np.random.default_rng(0)
    for day in DAYS:
        clouds = (random.random((16, 16)) < 0.2).astype("uint8")
        make_theia(tmp_path / "in", day, random.integers(100, 5000, (16, 16)), clouds)
    north = prepare("north.tif")
    for path in (tmp_path / "in").rglob(turned):
        with rasterio.open(path) as dataset:
            values, profile = dataset.read(), dataset.profile
        own = profile["transform"]
        profile["transform"] = Affine(own.a, 0, own.c, 0, -own.e, own.f + own.e * profile["height"])
        with rasterio.open(path, "w", **profile) as dataset:
            dataset.write(values[:, ::-1])
    south = prepare("south.tif")
    assert north.grid == south.grid
    np.testing.assert_array_equal(north.read(), south.read())


def test_uncompressed_rasters_of_archives_are_inflated_once_and_leave_nothing(
    prepare, make_theia, tmp_path, monkeypatch
):
    random = np.random.default_rng(0)
    for day in DAYS:
        make_theia(tmp_path / "in", day, random.integers(1, 9, (64, 64)).repeat(2, 0).repeat(2, 1) * 100, size=128)
    plain = prepare("plain.tif", memory=1)
    for product in (tmp_path / "in").iterdir():
        shutil.make_archive(str(product), "zip", product.parent, product.name)
        shutil.rmtree(product)
    inflated, opened = [], zipfile.ZipFile.open
    monkeypatch.setattr(
        zipfile.ZipFile, "open", lambda self, entry, *a: inflated.append(entry) or opened(self, entry, *a)
    )
    zipped = prepare("zipped.tif", memory=1)
    assert len(inflated) == 33, "ten bands and a mask of three dates"
    assert zipped.path.read_bytes() == plain.path.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("zipped")) == [
        "zipped.qml",
        "zipped.tif",
    ]
