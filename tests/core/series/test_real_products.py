"""Real products, against GDAL's tools and numpy on random pixels."""

import shutil
import subprocess
from datetime import date
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.dates import by_name
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel1.db_range import parse_db_range
from twinns_qgis.series.sentinel1.preparation import prepare_sentinel1
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2
from twinns_qgis.series.series import Series

START, END = date(2018, 5, 1), date(2018, 6, 15)
SEASON = Period(START, END, 15)
PIXELS = np.random.default_rng(0).integers(0, 64, (40, 2))


def _files(folder):
    files = {by_name(path): path for path in sorted(folder.iterdir()) if by_name(path)}
    return {day: path for day, path in files.items() if START <= day <= END}


def _warp(path, target, resampling, bounds=(501360, 5629040, 502000, 5629680)):
    if shutil.which("gdalwarp") is None:
        pytest.skip("gdalwarp is not installed")
    extent = ["-te", *map(str, bounds), "-tr", "10", "10"]
    kind = ["-r", resampling, "-ot", "Float64", "-wo", "UNIFIED_SRC_NODATA=NO", "-overwrite", "-q"]
    subprocess.run(["gdalwarp", *extent, *kind, path, target], check=True)
    with rasterio.open(target) as dataset:
        return dataset.read()


def _days(dates):
    return [day.toordinal() for day in dates]


def test_a_season_of_sentinel2_is_what_gdalwarp_and_numpy_give(shared, tmp_path, listener):
    site = shared / "data" / "flanders2018"
    prepare_sentinel2(
        Outputs(tmp_path / "s2.tif"), Inputs(folder=site), SEASON, machine=Machine(256), reporter=listener
    )
    series = Series.open(tmp_path / "s2.tif")
    values, clear = [], []
    coarse = _files(site / "S2_20m")
    for day, path in _files(site / "S2_10m").items():
        with rasterio.open(path) as dataset:
            b2, b3, b4, b8 = dataset.read().astype(float)
        b5, b6, b7, b8a, b11, b12, _ = _warp(coarse[day], tmp_path / "cubic.tif", "cubic")
        scene = _warp(coarse[day], tmp_path / "near.tif", "near")[6]
        values.append([b2, b3, b4, b5, b6, b7, b8, b8a, b11, b12])
        clear.append(np.isin(scene, (4, 5, 6, 7, 11)) & (np.array(values[-1]) != 0))
    values, clear, own = np.array(values), np.array(clear), np.array(_days(coarse))
    prepared = series.read()
    for row, column in PIXELS:
        for band in range(10):
            valid = clear[:, band, row, column]
            expected = np.interp(_days(series.dates), own[valid], values[valid, band, row, column])
            assert np.abs(prepared[row, column, :, band] - expected).max() <= 1


def test_a_season_of_sentinel1_is_what_gdalwarp_and_numpy_give(shared, tmp_path, listener):
    site = shared / "data" / "flanders2018"
    prepare_sentinel1(
        tmp_path / "s1.tif",
        Inputs(folder=site),
        SEASON,
        reference=next((site / "S2_10m").iterdir()),
        units="dB",
        orbit="any",
        speckle=0,
        db_range=parse_db_range("VV=-25:5,VH=-32:-2"),
        machine=Machine(256),
        reporter=listener,
    )
    series = Series.open(tmp_path / "s1.tif")
    files = _files(site / "S1")
    decibels = []
    for path in files.values():
        with rasterio.open(path) as dataset:
            power, profile = 10 ** (dataset.read().astype(float) / 10), dataset.profile
        with rasterio.open(tmp_path / "power.tif", "w", **profile | {"dtype": "float64", "predictor": 1}) as dataset:
            dataset.write(power)
        decibels.append(10 * np.log10(_warp(tmp_path / "power.tif", tmp_path / "warped.tif", "bilinear")))
    decibels = np.array(decibels)
    prepared = series.read()
    for row, column in PIXELS:
        for band, low in enumerate((-25, -32)):
            filled = np.interp(_days(series.dates), _days(files), decibels[:, band, row, column])
            expected = np.clip(1 + np.round((filled - low) / 30 * 254), 1, 255)
            assert np.abs(prepared[row, column, :, band] - expected).max() <= 1


def test_the_percentiles_of_a_year_are_what_numpy_gives(shared, tmp_path, listener):
    files = sorted((shared / "data" / "flanders2018" / "S1").iterdir())
    inputs = Inputs(layers=tuple(files))
    series = _prepare_sentinel1(tmp_path / "s1.tif", inputs, files[0], listener, db_range="VV=p1:p99,VH=p0.5:p90")
    images = []
    for path in files:
        with rasterio.open(path) as dataset:
            images.append(dataset.read())
    for order, percentiles in enumerate(([1, 99], [0.5, 90])):
        limits = np.multiply(series.scale[order], [1, 255]) + series.offset[order]
        np.testing.assert_allclose(limits, np.percentile(np.array(images)[:, order], percentiles), atol=0.01)


def _prepare_sentinel1(output, inputs, reference, listener, orbit="any", db_range="VV=-25:5,VH=-32:-2"):
    prepare_sentinel1(
        output,
        inputs,
        Period(),
        reference=reference,
        units="auto",
        orbit=orbit,
        speckle=0,
        db_range=parse_db_range(db_range),
        machine=Machine(64),
        reporter=listener,
    )
    return Series.open(output)


def _encoded(decibels, low):
    return np.clip(1 + np.round((decibels - low) / 30 * 254), 1, 255)


def test_digital_numbers_of_worldcereal_are_decibels_by_their_formula(shared, tmp_path, listener):
    folder = shared / "fixtures" / "ewoc" / "SAR" / "36"
    if not folder.is_dir():
        pytest.skip("the real WorldCereal products are not there")
    files = sorted(folder.rglob("*SIGMA0_V?.tif"))
    series = _prepare_sentinel1(tmp_path / "s1.tif", Inputs(folder=folder), files[0], listener)
    values = series.read()
    assert series.bands == ("VV", "VH")
    assert series.dates == tuple(sorted({by_name(path) for path in files}))
    compared = 0
    for order, (band, low) in enumerate((("VV", -25), ("VH", -32))):
        for number, day in enumerate(series.dates):
            images = []
            for path in files:
                if by_name(path) == day and path.stem.endswith(band):
                    with rasterio.open(path) as dataset:
                        images.append(np.where(dataset.read(1) == 65535, np.nan, dataset.read(1).astype(float)))
            if np.isnan(images).all():
                continue
            power = np.nanmean(np.square(images), axis=0) * 10**-8.3
            expected = _encoded(10 * np.log10(power), low)
            assert np.nanmax(np.abs(values[:, :, number, order] - expected)) <= 1
            compared += np.isfinite(expected).sum()
    assert compared > 100


@pytest.mark.parametrize(("tile", "dates"), [("36", 16), ("30", 9)])
def test_worldcereal_at_10_m_is_what_gdalwarp_gives_in_power(shared, tmp_path, listener, write_raster, tile, dates):
    folder = shared / "fixtures" / "ewoc" / "SAR" / tile
    if not folder.is_dir():
        pytest.skip("the real WorldCereal products are not there")
    files = sorted(folder.rglob("*SIGMA0_V?.tif"))
    with rasterio.open(files[0]) as dataset:
        crs, bounds, corner = dataset.crs, dataset.bounds, (dataset.bounds.left, dataset.bounds.top)
    write_raster(tmp_path / "fine.tif", np.zeros((1, 6, 6), "uint8"), origin=corner, crs=crs)
    series = _prepare_sentinel1(tmp_path / "s1.tif", Inputs(folder=folder), tmp_path / "fine.tif", listener)
    assert len(series.dates) == dates
    for order, (band, low) in enumerate((("VV", -25), ("VH", -32))):
        decibels = {}
        for day in series.dates:
            frames = []
            for path in files:
                if by_name(path) != day or not path.stem.endswith(band):
                    continue
                with rasterio.open(path) as dataset:
                    numbers = dataset.read().astype(float)
                if np.isin(numbers, (0, 65535)).all():
                    continue
                assert not np.isin(numbers, (0, 65535)).any()
                write_raster(tmp_path / "power.tif", numbers**2 * 10**-8.3, resolution=20, origin=corner, crs=crs)
                frames.append(_warp(tmp_path / "power.tif", tmp_path / "warped.tif", "bilinear", bounds)[0])
            if frames:
                decibels[day] = 10 * np.log10(np.mean(frames, axis=0))
        assert len(decibels) in (4, 7)
        for row, column in np.ndindex(6, 6):
            known = [image[row, column] for image in decibels.values()]
            expected = _encoded(np.interp(_days(series.dates), _days(decibels), known), low)
            assert np.abs(series.read()[row, column, :, order] - expected).max() <= 1


def test_digital_numbers_of_openeo_are_decibels_by_their_formula(shared, tmp_path, listener, write_raster):
    cube = shared / "data" / "gfmap2023" / "cdse_sentinel1_grd.nc"
    if not cube.is_file():
        pytest.skip("the real openEO cube is not there")
    numbers = {}
    for band in ("VV", "VH"):
        with rasterio.open(f"NETCDF:{cube}:S1-SIGMA0-{band}") as dataset:
            numbers[band] = dataset.read().view("uint16")
    days = [f"2023-04-{day:02}" for day in range(1, 1 + len(numbers["VV"]))]  # the cube's own need another reader
    for number, day in enumerate(days):
        values = np.stack([numbers[band][number] for band in numbers])
        names = [f"S1-SIGMA0-{band}" for band in numbers]
        write_raster(tmp_path / "in" / f"openEO_{day}Z.tif", values, names=names, nodata=0)
    path = tmp_path / "in" / f"openEO_{days[0]}Z.tif"
    values = _prepare_sentinel1(tmp_path / "s1.tif", Inputs(folder=tmp_path / "in"), path, listener).read()
    random = np.random.default_rng(0)
    for order, (band, low) in enumerate((("VV", -25), ("VH", -32))):
        for number, row, column in random.integers(0, (len(days), *values.shape[:2]), (200, 3)):
            pixel = float(numbers[band][number, row, column])
            if pixel:
                expected = _encoded(20 * np.log10(pixel) - 83, low)
                assert abs(values[row, column, number, order] - expected) <= 1


def test_a_real_image_of_pyrosar_in_decibels(shared, tmp_path, listener):
    path = shared / "fixtures/sentinel1/pyroSAR_MIT/S1A__IW___A_20150309T173017_VV_grd_mli_geo_norm_db.tif"
    if not path.is_file():
        pytest.skip("the real image is not there")
    series = _prepare_sentinel1(tmp_path / "s1.tif", Inputs(layers=(path,)), path, listener)
    assert (series.dates, series.bands) == ((date(2015, 3, 9),), ("VV",))
    with rasterio.open(path) as dataset:
        decibels = dataset.read(1)
    known = decibels != -99
    values = series.read()[:, :, 0, 0]
    np.testing.assert_array_equal(values == 0, ~known)
    assert np.abs(values[known] - _encoded(decibels[known], -25)).max() <= 1


@pytest.mark.parametrize(("product", "orbit"), [("S1A_20200103_17RMJ_ASC", "121"), ("S1B_20161121_12SYJ_ASC", "49")])
def test_orbits_of_real_metadata_are_those_of_the_manifests(shared, tmp_path, listener, write_raster, product, orbit):
    folder = shared / "fixtures" / "sentinel1" / "stactools-sentinel1" / "rtc" / product
    if not folder.is_dir():
        pytest.skip("the real metadata are not there")
    manifests = list(folder.rglob("manifest.safe"))
    assert manifests
    assert all(f'relativeOrbitNumber type="start">{orbit}<' in path.read_text() for path in manifests)
    for band, decibels in (("VV", -9.0), ("VH", -16.0)):
        items = ElementTree.parse(folder / f"Gamma0_{band}.vrt").findall("./Metadata/MDI")
        tags = {item.get("key"): item.text for item in items}
        values = np.full((1, 16, 16), 10 ** (decibels / 10), "float32")
        path = tmp_path / "in" / product / f"Gamma0_{band}.tif"
        write_raster(path, values, names=(f"Gamma0_{band}",), nodata=0, tags=tags)
    for wanted in ("ascending", orbit):
        series = _prepare_sentinel1(tmp_path / "s1.tif", Inputs(folder=tmp_path / "in"), path, listener, wanted)
        assert [f"{day:%Y%m%d}" for day in series.dates] == [product.split("_")[1]]
    np.testing.assert_allclose(series.read()[3, 3, 0], [_encoded(-9.0, -25), _encoded(-16.0, -32)], atol=1)
    with pytest.raises(InputError, match=f"No image is of the ORBIT descending; there are ascending {orbit}"):
        _prepare_sentinel1(tmp_path / "s1.tif", Inputs(folder=tmp_path / "in"), path, listener, "descending")


def test_real_theia_products_with_a_row_too_few_of_20_m(shared, tmp_path, listener):
    tile = "theia/iota2_AGPL3/ObiaLearningZonalStatistics/Input/sensor_data/T38KPD"
    folder = shared / "fixtures" / tile
    if not folder.is_dir():
        pytest.skip("the real THEIA products are not there")
    prepare_sentinel2(
        Outputs(tmp_path / "s2.tif"), Inputs(folder=folder), Period(), machine=Machine(64), reporter=listener
    )
    series = Series.open(tmp_path / "s2.tif")
    values = series.read()
    assert series.dates == (date(2017, 6, 13), date(2017, 6, 23))
    assert values.shape == (21, 36, 2, 10)
    with rasterio.open(next(folder.glob("*20170613*/*_FRE_B4.tif"))) as dataset:
        np.testing.assert_array_equal(values[:20, :, 0, 2], dataset.read(1)[:20])
    missing = (values == series.nodata).all(axis=(1, 2))
    assert missing[20].all()  # where one band lacks, the product does not count
    assert not missing[:20].any()
