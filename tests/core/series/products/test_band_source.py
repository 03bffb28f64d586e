"""What of a band is missing, against plain numpy."""

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.enums import ColorInterp, Resampling
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from rasterio.windows import Window

from twinns_qgis.series.products.band_source import BandSource, Possible, Seen

WHOLE = Window(0, 0, 6, 5)


def _write(bands, nodata=None, mask=None):
    """Returns an open raster of bands of 5 x 6 pixels, in memory."""
    memory = MemoryFile()
    profile = {"driver": "GTiff", "count": len(bands), "height": 5, "width": 6, "dtype": bands.dtype, "nodata": nodata}
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        memory.open(crs="EPSG:32631", transform=from_origin(0, 0, 10, 10), **profile) as dataset,
    ):
        dataset.write(bands)
        if mask is not None:
            dataset.write_mask(mask)
    return memory.open()


@given(
    dtype=st.sampled_from(["uint8", "int16", "uint16", "float32", "float64"]),
    scale=st.sampled_from([1.0, 1e-4, -0.01]),
    offset=st.sampled_from([0.0, -0.1]),
    low=st.sampled_from([-np.inf, -60.0, -0.2, 0.0]),
    high=st.sampled_from([np.inf, 2.0, 30.0]),
    least=st.sampled_from([0.0, 1e-3]),
    zero=st.booleans(),
    declared=st.sampled_from([None, 0, 7, 255]),
    own=st.sampled_from([None, 0, 9]),
    masked=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, deadline=None)
def test_missing_is_what_is_declared_hidden_or_can_not_be(
    dtype, scale, offset, low, high, least, zero, declared, own, masked, seed
):
    random = np.random.default_rng(seed)
    limits = np.finfo(dtype) if dtype.startswith("float") else np.iinfo(dtype)
    pool = [0, 0, 1, 7, 9, 25, 200, 255, limits.min, limits.max]
    pool += [np.nan, np.inf, -np.inf, -9999, 1e-5] if dtype.startswith("float") else []
    raw = random.choice(pool[random.integers(0, 8) :], (1, 5, 6)).astype(dtype)
    mask = np.where(random.random((5, 6)) < 0.3, 0, 255).astype("uint8") if masked else None
    source = BandSource("file", 1, scale, offset, own, possible=Possible(low, high, least, zero))
    seen = Seen()
    with _write(raw, declared, mask) as dataset:
        found = source.values({"file": dataset}, WHOLE, seen)

    with np.errstate(over="ignore", invalid="ignore"):
        values = raw[0].astype("float32")
        values = values * np.float32(scale) + np.float32(offset)
    missing = ~np.isfinite(raw[0]) | np.isin(raw[0], [value for value in (declared, own) if value is not None])
    if masked:
        missing |= mask == 0
    impossible = ~missing & ((values < low) | (values > high) | ((values > 0) & (values < least)))
    impossible |= ~missing & ((values == 0) & (not zero))
    np.testing.assert_allclose(found, np.where(missing | impossible, np.nan, values), rtol=1e-6)
    assert (seen.values, seen.impossible) == (30, impossible.sum())


@given(seed=st.integers(0, 2**32 - 1), nodata=st.sampled_from([None, 9999, 0]))
@settings(max_examples=40, deadline=None)
def test_zero_is_missing_where_all_bands_are_zero(seed, nodata):
    random = np.random.default_rng(seed)
    raw = random.choice([0, 0, 0, 5], (3, 5, 6)).astype("int16")
    spectrum = tuple(("file", band) for band in (1, 2, 3))
    with _write(raw, nodata) as dataset:
        found = [BandSource("file", band, spectrum=spectrum).values({"file": dataset}, WHOLE) for band in (1, 2, 3)]
    missing = (raw == 0) if nodata == 0 else np.broadcast_to((raw == 0).all(axis=0), raw.shape)
    np.testing.assert_array_equal(np.isnan(found), missing)


def test_zero_in_all_bands_is_told_across_resolutions_and_does_not_bleed(tmp_path, write_raster):
    fine, coarse = np.full((1, 8, 8), 1000, "int16"), np.full((1, 4, 4), 2000, "int16")
    fine[:, :, :4], coarse[:, :, :2] = 0, 0
    fine[:, 7, 7] = 0  # dark in this band alone
    grid = write_raster(tmp_path / "10.tif", fine)
    write_raster(tmp_path / "20.tif", coarse, resolution=20)
    spectrum = (tmp_path / "10.tif", 1), (tmp_path / "20.tif", 1)
    with rasterio.open(spectrum[0][0]) as first, rasterio.open(spectrum[1][0]) as second:
        files = {spectrum[0][0]: first, spectrum[1][0]: second}
        found = [BandSource(*band, spectrum=spectrum).read(files, grid, Resampling.cubic) for band in spectrum]
    assert np.isnan(found)[:, :, :4].all()
    assert (found[0][:7, 4:] == 1000).all()
    assert found[0][7, 7] == 0
    assert (found[1][:, 4:] == 2000).all()


@pytest.mark.parametrize("count", [2, 4, 5])
@pytest.mark.parametrize(("description", "hides"), [("", True), ("Alpha", True), ("B08", False)])
def test_an_alpha_band_hides_unless_it_is_described_as_another(tmp_path, write_raster, count, description, hides):
    bands = np.full((count, 5, 6), 3, "uint8")
    bands[-1, 0] = 0
    write_raster(tmp_path / "a.tif", bands)
    with rasterio.open(tmp_path / "a.tif", "r+") as dataset:
        dataset.colorinterp = [ColorInterp.gray, *[ColorInterp.undefined] * (count - 2), ColorInterp.alpha]
        dataset.set_band_description(count, description)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        hidden = np.isnan(BandSource("file").values({"file": dataset}, WHOLE))
    assert hidden[0].all() == hides
    assert not hidden[1:].any()


def test_a_band_may_have_a_mask_of_its_own(tmp_path, write_raster):
    values = np.full((2, 5, 6), 3, "int16")
    values[1, 0] = 0
    write_raster(tmp_path / "values.tif", values)
    source = "<SimpleSource><SourceFilename>{}</SourceFilename><SourceBand>{}</SourceBand></SimpleSource>"
    band, mask = (source.format(tmp_path / "values.tif", number) for number in (1, 2))
    (tmp_path / "masked.vrt").write_text(
        '<VRTDataset rasterXSize="6" rasterYSize="5"><VRTRasterBand dataType="Int16" band="1">'
        f'{band}<MaskBand><VRTRasterBand dataType="Byte">{mask}</VRTRasterBand></MaskBand>'
        "</VRTRasterBand></VRTDataset>"
    )
    with rasterio.open(tmp_path / "masked.vrt") as dataset:
        assert np.isnan(BandSource("file").values({"file": dataset}, WHOLE))[:, 0].tolist() == [True, *[False] * 4]
