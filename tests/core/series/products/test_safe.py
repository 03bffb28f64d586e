"""Finding SAFE products, and the offset in their metadata."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from twinns_qgis.errors import InputError
from twinns_qgis.series.dates import AcquisitionDates
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.preparation import Machine
from twinns_qgis.series.products.safe import _radiometry, find
from twinns_qgis.series.sentinel2 import Outputs, prepare_sentinel2
from twinns_qgis.series.series import SENTINEL2_BANDS, Series

FIXTURES = Path(__file__).resolve().parents[5] / "shared/fixtures/safe/stactools-sentinel2_Apache2"
FILES = {10: ("B02", "B03", "B04", "B08"), 20: ("B05", "B06", "B07", "B8A", "B11", "B12", "SCL")}
METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://example.org/psd"><n1:General_Info>
<PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
<BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>{offsets}
</n1:General_Info></n1:Level-2A_User_Product>
"""


@pytest.fixture
def make_safe(tmp_path):
    """Returns a function that makes a product of 40 x 40 pixels whose bands hold one number each."""

    def make(day, baseline, offset=None, number=2000, scene=4):
        name = f"S2A_MSIL2A_{day:%Y%m%d}T105421_N0{baseline.replace('.', '')}_R051_T31UES_{day:%Y%m%d}T150000.SAFE"
        images = tmp_path / name / "GRANULE/L2A_T31UES_A000001_20180305T105421/IMG_DATA"
        for resolution, bands in FILES.items():
            folder = images / f"R{resolution}m"
            folder.mkdir(parents=True)
            for band in bands:
                values = np.full((400 // resolution, 400 // resolution), number, "uint16")
                if band == "SCL":
                    values = np.full_like(values, scene, "uint8")
                elif band == "B02":
                    values[0, 0] = 0  # missing, whatever the offset
                _write_jp2(folder / f"T31UES_{day:%Y%m%d}T105421_{band}_{resolution}m.jp2", values, resolution)
        offsets = "" if offset is None else "".join(
            f'<BOA_ADD_OFFSET band_id="{number}">{offset}</BOA_ADD_OFFSET>' for number in range(13)
        )  # fmt: skip
        (tmp_path / name / "MTD_MSIL2A.xml").write_text(METADATA.format(baseline=baseline, offsets=offsets))
        return tmp_path / name

    return make


def _write_jp2(path, values, resolution):
    side = values.shape[0]
    options = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
    with rasterio.open(
        path, "w", width=side, height=side, count=1, dtype=values.dtype, crs="EPSG:32631",
        transform=from_origin(500000, 5600000, resolution, resolution), **options,
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)


@pytest.fixture
def find_below(listener):
    return lambda folder: find(Inputs(folder=folder), AcquisitionDates(None, listener), listener)


def test_products_are_found_with_their_bands_and_mask(tmp_path, make_safe, find_below):
    make_safe(date(2018, 3, 5), "02.06")
    (product,) = find_below(tmp_path)
    assert product.date == date(2018, 3, 5)
    assert tuple(product.bands) == SENTINEL2_BANDS
    assert product.bands["B2"].path.name.endswith("_B02_10m.jp2")
    assert product.bands["B8A"].path.name.endswith("_B8A_20m.jp2")
    assert product.masks[0].path.name.endswith("_SCL_20m.jp2")


def test_products_with_and_without_offset_give_one_reflectance(tmp_path, make_safe, listener):
    make_safe(date(2021, 12, 1), "03.01", number=2000)
    make_safe(date(2022, 3, 1), "04.00", offset=-1000, number=3000)
    make_safe(date(2022, 4, 1), "05.10", offset=-1000, number=9000, scene=9)
    output = tmp_path / "series.tif"
    prepare_sentinel2(Outputs(output), Inputs(folder=tmp_path), Period(), machine=Machine(256), reporter=listener)
    series = Series.open(output)
    values = series.read()
    assert len(series.dates) == 3
    assert values[0, 0, 0, 0] == -32768  # DN 0 at all dates
    values[0, 0, :, 0] = 2000
    assert (values == 2000).all(), "reflectance 0.2 at the first two dates, the third one is cloudy and filled"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("BOA_ADD_OFFSET", "OTHER"), "no BOA_ADD_OFFSET for each band.*baseline 04.00"),
        (lambda text: text.replace("BOA_QUANTIFICATION_VALUE", "OTHER"), "no BOA_QUANTIFICATION_VALUE"),
        (lambda text: text[:100], r"MTD_MSIL2A\.xml can't be read"),
    ],
)
def test_metadata_that_leave_reflectance_open_are_refused(tmp_path, make_safe, find_below, change, message):
    metadata = make_safe(date(2022, 3, 1), "04.00", offset=-1000) / "MTD_MSIL2A.xml"
    metadata.write_text(change(metadata.read_text()))
    with pytest.raises(InputError, match=message):
        find_below(tmp_path)


def test_product_without_metadata_or_a_band_is_refused(tmp_path, make_safe, find_below):
    product = make_safe(date(2018, 3, 5), "02.06")
    band = next(product.rglob("*_B8A_20m.jp2"))
    band.rename(band.with_name("renamed.jp2"))
    with pytest.raises(InputError, match=r"has no file .*_B8A_20m\.jp2"):
        find_below(tmp_path)
    (product / "MTD_MSIL2A.xml").unlink()
    with pytest.raises(InputError, match=r"has no MTD_MSIL2A\.xml"):
        find_below(tmp_path)


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="the SAFE metadata are not there: ../shared/fixtures/safe")
@pytest.mark.parametrize(
    ("baseline", "offset"), [("N0212", 0.0), ("N0214", 0.0), ("N0400", -1000.0), ("N0509", -1000.0)]
)
def test_real_metadata_tell_the_offset(baseline, offset):
    folders = [path.parent for path in FIXTURES.glob(f"*_{baseline}_*/MTD_MSIL2A.xml")]
    assert folders
    for folder in folders:
        radiometry = _radiometry(folder)
        assert radiometry.quantification == 10000
        assert {radiometry.offsets.get(band, 0.0) for band in SENTINEL2_BANDS} == {offset}
