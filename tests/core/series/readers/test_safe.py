"""Finding SAFE products, and the offset in their metadata."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.production import Machine
from twinns_qgis.rasters.reading import open_raster
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2
from twinns_qgis.series.series import SENTINEL2_BANDS, Series


@pytest.fixture
def prepare(tmp_path, listener):
    def run():
        output, machine = tmp_path / "series.tif", Machine(256)
        prepare_sentinel2(Outputs(output), Inputs(folder=tmp_path), Period(), machine=machine, reporter=listener)
        return Series.open(output)

    return run


def test_products_are_found_with_their_bands_and_mask(tmp_path, make_safe, find_in):
    make_safe(date(2018, 3, 5), "02.06")
    (product,) = find_in(folder=tmp_path)
    assert product.date == date(2018, 3, 5)
    assert tuple(product.bands) == SENTINEL2_BANDS
    assert product.bands["B2"].path.name.endswith("_B02_10m.jp2")
    assert product.bands["B8A"].path.name.endswith("_B8A_20m.jp2")
    assert product.masks[0].path.name.endswith("_SCL_20m.jp2")


def test_products_with_and_without_offset_give_one_reflectance(tmp_path, make_safe, pack, prepare):
    make_safe(date(2021, 12, 1), "03.01", number=2000)
    pack(make_safe(date(2022, 3, 1), "04.00", offset=-1000, number=3000), tmp_path / "packed.zip")
    make_safe(date(2022, 4, 1), "05.10", offset=-1000, number=9000, scene=9)
    series = prepare()
    values = series.read()
    assert len(series.dates) == 3
    assert (values[0, 0] == -32768).all()  # DN 0 in B2 at all dates
    values[0, 0] = 2000
    assert (values == 2000).all(), "reflectance 0.2 at the first two dates, the third one is cloudy and filled"


def test_zero_is_missing_whatever_the_file_declares(make_safe, prepare):
    product = make_safe(date(2022, 3, 1), "04.00", offset=-1000, number=3000)
    with rasterio.open(next(product.rglob("*_B02_10m.jp2")), "r+") as dataset:
        dataset.nodata = 65535
    assert prepare().read()[0, 0, 0, 0] == -32768


def test_bands_of_10_and_20_m_lie_where_their_georeference_says(make_safe, prepare, write_jp2):
    product = make_safe(date(2018, 3, 5), "02.06")
    path = next(product.rglob("*_B11_20m.jp2"))
    path.unlink()
    write_jp2(path, np.full((17, 19), 2500, "uint16"), 20, origin=(500020, 5599960))
    values = prepare().read()[:, :, 0, SENTINEL2_BANDS.index("B11")]
    expected = np.full((40, 40), -32768)
    expected[4:38, 2:40] = 2500
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95, 0.999])
def test_a_jpeg_2000_that_was_cut_short_is_named(tmp_path, make_safe, write_jp2, pack, prepare, share, zipped):
    product = make_safe(date(2018, 3, 5), "02.06")
    scene, path = next(product.rglob("*_SCL_20m.jp2")), next(product.rglob("*_B02_10m.jp2"))
    write_jp2(scene, np.full((128, 128), 4, "uint8"), 20)
    write_jp2(path, np.random.default_rng(0).integers(1, 4000, (256, 256)).astype("uint16"), 10, tile=64)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    if zipped:
        pack(product, tmp_path / "packed.zip")
    with pytest.raises(InputError, match=path.name):
        prepare()


def test_threads_read_one_file_as_one_thread_does(tmp_path, write_jp2):
    values = np.random.default_rng(0).integers(1, 4000, (512, 512)).astype("uint16")
    write_jp2(tmp_path / "band.jp2", values, 10, tile=128)

    def read(corner):
        with open_raster(tmp_path / "band.jp2") as dataset:
            return dataset.read(1, window=Window(corner, 0, 300, 512))

    with ThreadPoolExecutor(8) as pool:
        for corner, part in enumerate(pool.map(read, range(64))):
            np.testing.assert_array_equal(part, values[:, corner : corner + 300])


def test_the_newest_baseline_of_an_acquisition_is_used(tmp_path, make_safe, find_in, listener):
    make_safe(date(2018, 3, 5), "02.06")
    make_safe(date(2018, 3, 5), "05.00", offset=-1000, made="200000")
    make_safe(date(2018, 3, 5), "05.00", offset=-1000, made="210000")  # another part of the tile
    products = find_in(folder=tmp_path)
    assert [product.name.split("_")[-1] for product in products] == ["20180305T200000", "20180305T210000"]
    (warning,) = listener.warnings
    assert re.search("N0500.* is used, .*N0206.* is not", warning)


def test_level_1c_and_old_formats_are_passed_over_with_a_warning(tmp_path, make_safe, find_in, listener):
    make_safe(date(2018, 3, 5), "02.06")
    for name in (
        "S2A_MSIL1C_20180305T105421_N0206_R051_T31UES_20180305T150000.SAFE",
        "S2A_USER_PRD_MSIL2A_PDMC_20160310T041843_R138_V20160308T131142_20160308T131142.SAFE",
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "any.tif").write_text("not read")
    assert len(find_in(folder=tmp_path)) == 1
    (warning,) = listener.warnings
    assert "S2A_MSIL1C" in warning
    assert "PRD_MSIL2A" in warning
    assert "Level 2A of baseline 02.05 or later is expected" in warning


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("BOA_ADD_OFFSET", "OTHER"), "no BOA_ADD_OFFSET for each band.*baseline 04.00"),
        (lambda text: text.replace("BOA_QUANTIFICATION_VALUE", "OTHER"), "no BOA_QUANTIFICATION_VALUE"),
        (lambda text: text[:100], r"MTD_MSIL2A\.xml can't be read"),
    ],
)
def test_metadata_that_leave_reflectance_open_are_refused(tmp_path, make_safe, find_in, change, message):
    metadata = make_safe(date(2022, 3, 1), "04.00", offset=-1000) / "MTD_MSIL2A.xml"
    metadata.write_text(change(metadata.read_text()))
    with pytest.raises(InputError, match=message):
        find_in(folder=tmp_path)


def test_product_without_metadata_or_a_band_is_refused(tmp_path, make_safe, find_in):
    product = make_safe(date(2018, 3, 5), "02.06")
    band = next(product.rglob("*_B8A_20m.jp2"))
    band.rename(band.with_name("renamed.jp2"))
    with pytest.raises(InputError, match=r"has no file .*_B8A_20m\.jp2"):
        find_in(folder=tmp_path)
    (product / "MTD_MSIL2A.xml").unlink()
    with pytest.raises(InputError, match=r"has no file MTD_MSIL2"):
        find_in(folder=tmp_path)


def test_metadata_of_the_first_baselines_name_the_quantification_otherwise(tmp_path, make_safe, find_in):
    metadata = make_safe(date(2017, 8, 27), "02.05") / "MTD_MSIL2A.xml"
    metadata.write_text(metadata.read_text().replace("BOA_QUANT", "L2A_BOA_QUANT").replace("10000<", "1000<"))
    assert {source.scale for source in find_in(folder=tmp_path)[0].bands.values()} == {1e-3}


@pytest.mark.parametrize(
    ("baseline", "offset"), [("N0212", 0.0), ("N0214", 0.0), ("N0400", -1000.0), ("N0509", -1000.0)]
)
def test_real_metadata_tell_the_offset(shared, tmp_path, make_safe, find_in, baseline, offset):
    folder = shared / "fixtures/safe/stactools-sentinel2_Apache2"
    paths = list(folder.glob(f"*_{baseline}_*/MTD_MSIL2[Aa].xml"))
    assert paths
    for number, path in enumerate(paths, start=1):
        product = make_safe(date(2018, 3, number), "02.06")
        (product / "MTD_MSIL2A.xml").unlink()
        shutil.copy(path, product)
    for product in find_in(folder=tmp_path):
        assert {(source.scale, source.offset) for source in product.bands.values()} == {(1e-4, offset / 1e4)}


@pytest.mark.parametrize(
    "baseline", ["00.01", "00.01_2", *(f"02.{number:02}" for number in range(5, 15)), "03.00", "03.01", "04.00"]
)
def test_bands_and_mask_are_found_in_the_real_lists_of_files(shared, tmp_path, find_in, baseline):
    listing = shared / f"fixtures/safe/sentinelhub-py_MIT_safe_structure/L2A_{baseline}.csv"
    paths = [line.partition(";")[2] for line in listing.read_text().splitlines()]
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    metadata = next(tmp_path / path for path in paths if path.endswith("MTD_MSIL2A.xml"))
    elements = (
        "<PROCESSING_BASELINE>02.05</PROCESSING_BASELINE><BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE>"
    )
    metadata.write_text(f"<product>{elements}</product>")
    (product,) = find_in(folder=tmp_path)
    endings = {"B2": "B02_10m", "B3": "B03_10m", "B4": "B04_10m", "B8": "B08_10m", "B8A": "B8A_20m"}
    for band, source in [*product.bands.items(), ("SCL", product.masks[0])]:
        ending = endings.get(band) or f"{band.replace('B', 'B0') if len(band) == 2 else band}_20m"
        expected = [path for path in paths if path.endswith(f"_{ending}.jp2") and "/IMG_DATA/" in path]
        assert [source.path] == [tmp_path / path for path in expected]


def test_a_real_level_1c_product_is_no_level_2a(shared, find_in):
    with pytest.raises(InputError, match="No Sentinel-2 products were found"):
        find_in(folder=shared / "fixtures/safe/eodag_Apache2")


def make_user_s(product, offsets=None, level_1c=None):
    """Makes a product of one of the baseline 99.99, as users make with Sen2Cor."""
    made = product.with_name(re.sub(r"_N\d{4}_", "_N9999_", product.name))
    product.rename(made)
    metadata = made / "MTD_MSIL2A.xml"
    text = metadata.read_text().replace("04.00", "99.99")
    metadata.write_text(text if offsets is None else re.sub(r">-?\d+</BOA_ADD", f">{offsets}</BOA_ADD", text))
    if level_1c:
        tile = f"S2A_OPER_MSI_L1C_TL_SGS__20180305T223712_A014104_T31UES_N{level_1c}"
        text = f"<tile><L1C_TILE_ID>{tile}</L1C_TILE_ID></tile>"
        next(made.glob("GRANULE/*")).joinpath("MTD_TL.xml").write_text(text)
    return made


@pytest.mark.parametrize(
    ("offset", "level_1c", "expected"),
    [(-1000, None, -0.1), (0, "05.00", 0.0), (None, "02.06", 0.0), (None, "03.01", 0.0), (None, "04.00", -0.1)],
)
def test_products_that_users_made_have_the_offset_of_their_own_bands_or_of_their_level_1c(
    tmp_path, make_safe, find_in, offset, level_1c, expected
):
    make_user_s(make_safe(date(2022, 3, 1), "04.00", offset=offset), offset, level_1c)
    (product,) = find_in(folder=tmp_path)
    assert {source.offset for source in product.bands.values()} == {expected}


def test_an_offset_that_nothing_tells_is_refused_with_what_to_give(tmp_path, make_safe, find_in):
    make_user_s(make_safe(date(2022, 3, 1), "04.00"))
    with pytest.raises(InputError, match=r"baseline 99\.99, and no L1C_TILE_ID") as raised:
        find_in(folder=tmp_path)
    assert "OFFSET" in raised.value.hint
    (product,) = find_in(folder=tmp_path, offset="-1000")
    assert {source.offset for source in product.bands.values()} == {-0.1}


def as_geotiffs(product):
    for path in product.rglob("*.jp2"):
        with rasterio.open(path) as source:
            profile = {"driver": "GTiff", "dtype": source.dtypes[0], "count": 1, "crs": source.crs}
            size = {"width": source.width, "height": source.height, "transform": source.transform}
            with rasterio.open(path.with_suffix(".tif"), "w", **profile, **size) as target:
                target.write(source.read())
        path.unlink()


def test_geotiffs_in_place_of_jpeg_2000_are_read_with_the_product_s_metadata(make_safe, prepare):
    as_geotiffs(make_safe(date(2022, 3, 1), "04.00", offset=-1000, number=3000))
    assert (prepare().read()[1:, :, 0] == 2000).all()


@pytest.mark.parametrize(("baseline", "expected"), [("02.06", 3000), ("04.00", 2000)])
def test_geotiffs_without_the_product_s_metadata_have_the_offset_of_the_baseline_in_its_name(
    make_safe, prepare, baseline, expected
):
    product = make_safe(date(2022, 3, 1), baseline, offset=-1000, number=3000)
    as_geotiffs(product)
    (product / "MTD_MSIL2A.xml").unlink()
    assert (prepare().read()[1:, :, 0] == expected).all()
