"""SNAP's products, written as SNAP does, byte by byte."""

import re
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from twinns_qgis.errors import InputError
from twinns_qgis.rasters.production import Machine
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.products.offset import parse_offset
from twinns_qgis.series.readers.search import Sentinel2Options
from twinns_qgis.series.sentinel2.finding import find_sentinel2
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2
from twinns_qgis.series.series import Series

SIDE = 16
WKT = CRS.from_epsg(32631).to_wkt()
RADAR = "S1A_IW_GRDH_1SDV_20180315T055000_20180315T055025_021000_0240F0_ABCD_Orb_NR_Cal_TF_TC"
OPTICAL = "S2A_MSIL2A_20180315T105421_N0206_R051_T31UES_20180315T150000_resampled"
HEADER = """ENVI
description = {{{name} - Unit: intensity}}
samples = {side}
lines = {side}
bands = 1
header offset = 0
file type = ENVI Standard
data type = {code}
interleave = bsq
byte order = 1
{place}
band names = {{ {name} }}
"""
MAP = "map info = {UTM,1.0,1.0,500000.0,5600000.0,10.0,10.0,31,North,WGS84,units=Meters}"
RANDOM = np.random.default_rng(0)


def write(folder, name, bands, dim="", *, place=f"{MAP}\ncoordinate system string = {{{WKT}}}", **described):
    """Writes a product: bands by name, and a .dim with what is described of each, and with other elements."""
    data = folder / f"{name}.data"
    (data / "vector_data").mkdir(parents=True)
    (data / "vector_data" / "pins.csv").write_text("#")
    information = ""
    for number, (band, values) in enumerate(bands.items()):
        code = {"f": 4, "u": 12}[values.dtype.kind] if values.dtype.itemsize > 1 else 1
        values.astype(values.dtype.newbyteorder(">")).tofile(data / f"{band}.img")
        (data / f"{band}.hdr").write_text(HEADER.format(name=band, side=SIDE, code=code, place=place))
        elements = {"BAND_INDEX": number, "BAND_NAME": band, **described.get(band, described.get("every", {}))}
        information += (
            f'<Data_File><DATA_FILE_PATH href="{name}.data/{band}.hdr"/><BAND_INDEX>{number}</BAND_INDEX></Data_File>'
        )
        inner = "".join(f"<{key}>{text}</{key}>" for key, text in elements.items())
        information += f"<Spectral_Band_Info>{inner}</Spectral_Band_Info>"
    if dim is not None:
        declaration = '<?xml version="1.0" encoding="ISO-8859-1"?>'
        text = f"{declaration}<Dimap_Document>{dim}{information}</Dimap_Document>"
        (folder / f"{name}.dim").write_text(text)
    return data


def started(day):
    return (
        f"<Production><PRODUCT_SCENE_RASTER_START_TIME>{day} 05:50:00.1</PRODUCT_SCENE_RASTER_START_TIME></Production>"
    )


def attributes(**values):
    return "".join(f'<MDATTR name="{name}" type="ascii">{text}</MDATTR>' for name, text in values.items())


def power(scale=0.1):
    return (RANDOM.random((SIDE, SIDE)) * scale + 0.005).astype("f4")


def numbers(low=100):
    return RANDOM.integers(low, 5000, (SIDE, SIDE)).astype("u2")


def in_db(values):
    return 10 * np.log10(values)


HALF_A_STEP = 15 / 254 + 1e-6


@pytest.fixture
def find(tmp_path, listener):
    def run(*layers):
        inputs = Inputs(tuple(map(Path, layers)), None if layers else tmp_path / "in")
        return find_sentinel2(inputs, Sentinel2Options(), Period(), listener).products

    return run


@pytest.fixture
def prepare(tmp_path, listener):
    def run(offset="auto"):
        prepare_sentinel2(
            Outputs(tmp_path / "out.tif"),
            Inputs(folder=tmp_path / "in"),
            Period(),
            options=Sentinel2Options(offset=parse_offset(offset)),
            machine=Machine(64),
            reporter=listener,
        )
        return Series.open(tmp_path / "out.tif")

    return run


@pytest.mark.parametrize("dim", [None, ""])
@pytest.mark.parametrize("zipped", [False, True])
def test_backscatter_is_power_by_its_name(prepare_radar, decibels, tmp_path, dim, zipped):
    bands = {"Sigma0_VV": power(), "Sigma0_VH": power(0.02)}
    bands["Sigma0_VV"][0] = 0
    write(tmp_path / "in", RADAR, bands, dim)
    if zipped:
        files = [path for path in (tmp_path / "in").rglob("*") if path.is_file()]
        with zipfile.ZipFile(tmp_path / "in" / "any.zip", "w") as archive:
            for path in files:
                archive.write(path, path.relative_to(tmp_path / "in"))
                path.unlink()
    series = prepare_radar(db_range="VV=-30:0,VH=-30:0")
    assert (series.dates, series.bands) == ((date(2018, 3, 15),), ("VV", "VH"))
    found = decibels(series)[:, :, 0]
    np.testing.assert_allclose(found[1:, :, 0], in_db(bands["Sigma0_VV"][1:]), atol=HALF_A_STEP)
    np.testing.assert_allclose(found[..., 1], in_db(bands["Sigma0_VH"]), atol=HALF_A_STEP)
    assert np.isnan(found[0, :, 0]).all()
    with rasterio.open(series.path) as dataset:
        assert dataset.tags()["UNITS"] == "power"


def test_date_orbit_and_no_data_come_from_the_dim(prepare_radar, decibels, tmp_path):
    image = power()
    image[3] = 0.5
    dim = started("27-MAR-2018") + attributes(PASS="DESCENDING", REL_ORBIT="110")
    write(
        tmp_path / "in",
        "subset_of_mine",
        {"Gamma0_VV": image},
        dim,
        every={"NO_DATA_VALUE_USED": "true", "NO_DATA_VALUE": 0.5},
    )
    write(
        tmp_path / "in",
        "other",
        {"Gamma0_VV": power()},
        started("28-MAR-2018") + attributes(PASS="ASCENDING", REL_ORBIT="15"),
    )
    series = prepare_radar(orbit="110", db_range="VV=-30:0")
    assert series.dates == (date(2018, 3, 27),)
    found = decibels(series)[..., 0, 0]
    assert np.isnan(found[3]).all()
    np.testing.assert_allclose(np.delete(found, 3, 0), in_db(np.delete(image, 3, 0)), atol=HALF_A_STEP)


def test_decibels_and_scaled_numbers_are_read_as_the_dim_says(prepare_radar, decibels, tmp_path):
    raw = RANDOM.integers(50, 250, (SIDE, SIDE)).astype("u1")
    described = {
        "SCALING_FACTOR": "0.1",
        "SCALING_OFFSET": "-27",
        "LOG10_SCALED": "false",
        "PHYSICAL_UNIT": "intensity_db",
    }
    write(tmp_path / "in", RADAR, {"Sigma0_VV_db": raw}, every=described)
    np.testing.assert_allclose(decibels(prepare_radar())[..., 0, 0], raw * 0.1 - 27, atol=HALF_A_STEP)


def test_power_counts_where_decibels_of_it_are_there_too(prepare_radar, decibels, tmp_path):
    image = power()
    write(tmp_path / "in", RADAR, {"Sigma0_VV_db": in_db(image), "Sigma0_VV": image})
    np.testing.assert_allclose(decibels(prepare_radar())[..., 0, 0], in_db(image), atol=HALF_A_STEP)


def test_a_stack_holds_several_dates(prepare_radar, decibels, tmp_path):
    images = [power(), power()]
    names = "Sigma0_VV_mst_15Mar2018", "Sigma0_VV_slv1_27Mar2018"
    write(tmp_path / "in", RADAR + "_Stack", dict(zip(names, images, strict=True)))
    series = prepare_radar(db_range="VV=-30:0")
    assert series.dates == (date(2018, 3, 15), date(2018, 3, 27))
    np.testing.assert_allclose(decibels(series)[:, :, 1, 0], in_db(images[1]), atol=HALF_A_STEP)


@pytest.mark.parametrize("name", ["image", "description"])
def test_layers_are_images_or_their_description(prepare_radar, tmp_path, name):
    data = write(tmp_path / "in", RADAR, {"Sigma0_VV": power(), "Gamma0_VV": power()})
    layer = data / "Sigma0_VV.img" if name == "image" else data.with_suffix(".dim")
    if name == "description":
        (data / "Gamma0_VV.img").unlink()
    assert prepare_radar(layers=(layer,)).bands == ("VV",)


@pytest.mark.parametrize(
    ("bands", "told"),
    [
        (("Intensity_VV", "Amplitude_VH", "Beta0_VV"), "not calibrated"),
        (("Sigma0_VV", "Gamma0_VV"), "two images of one product and polarisation"),
        (("elevation", "projectedLocalIncidenceAngle"), "no band of SNAP's that is known"),
    ],
)
def test_what_is_no_backscatter_is_told(prepare_radar, tmp_path, bands, told):
    write(tmp_path / "in", RADAR, {band: power() for band in bands})
    with pytest.raises(InputError, match=told):
        prepare_radar()


def test_the_geometry_of_the_radar_is_refused(prepare_radar, tmp_path):
    write(tmp_path / "in", RADAR, {"Sigma0_VV": power()}, place="")
    with pytest.raises(InputError, match="geometry of the sensor"):
        prepare_radar()


def test_the_crs_of_the_dim_counts_where_the_header_has_none(find, tmp_path):
    place = "map info = {Arbitrary,1.0,1.0,500000.0,5600000.0,10.0,10.0}"
    write(
        tmp_path / "in",
        OPTICAL,
        {"B4": numbers()},
        f"<Coordinate_Reference_System><WKT>{WKT}</WKT></Coordinate_Reference_System>",
        place=place,
    )
    assert find()[0].grid.crs == CRS.from_epsg(32631)
    assert find()[0].grid.bounds[:1] == (500000.0,)


def test_reflectance_is_scaled_as_the_dim_says_and_masked_by_its_classes(prepare, tmp_path):
    red, near, classes = numbers(), numbers(), np.full((SIDE, SIDE), 4, "u1")
    red[0], classes[5] = 0, 9
    described = {
        "SCALING_FACTOR": "2.0E-4",
        "SCALING_OFFSET": "-0.1",
        "NO_DATA_VALUE_USED": "true",
        "NO_DATA_VALUE": "0.0",
    }
    bands = {"B4": red, "B8A": near, "quality_scene_classification": classes}
    write(tmp_path / "in", "subset", bands, started("5-JUN-2023"), B4=described, B8A=described)
    series = prepare()
    assert (series.bands, series.dates) == (("B4", "B8A"), (date(2023, 6, 5),))
    expected = np.rint(np.stack([red, near], -1) * 2.0 - 1000)
    expected[[0, 5]] = series.nodata
    np.testing.assert_allclose(series.read()[:, :, 0], expected, atol=1)


@pytest.mark.parametrize(
    ("baseline", "offset", "added"),
    [("04.00", "-1000", -1000), ("02.06", None, 0), ("05.10", None, None), (None, None, None)],
)
def test_an_offset_that_snap_left_out_is_of_esas_metadata_or_refused(prepare, tmp_path, baseline, offset, added):
    values = numbers(1100)
    told = {"PROCESSING_BASELINE": baseline, "BOA_ADD_OFFSET": offset}
    dim = started("5-JUN-2023") + attributes(**{name: text for name, text in told.items() if text})
    write(tmp_path / "in", "subset", {"B4": values}, dim, every={"SCALING_FACTOR": "1.0E-4"})
    if added is None:
        with pytest.raises(InputError, match=r"whether 1000 is to be subtracted(.|\n)*Give OFFSET"):
            prepare()
        np.testing.assert_array_equal(prepare("-1000").read()[..., 0, 0], values.astype(int) - 1000)
    else:
        # What the metadata say goes before what the user says of all.
        np.testing.assert_array_equal(prepare("-50").read()[..., 0, 0], values.astype(int) + added)


@pytest.mark.parametrize(("day", "known"), [("20180315", True), ("20230315", False)])
def test_without_a_dim_the_offset_is_known_by_the_date_alone(prepare, tmp_path, day, known):
    values = numbers()
    write(tmp_path / "in", OPTICAL.replace("20180315", day), {"B4": values}, None)
    if known:
        np.testing.assert_array_equal(prepare().read()[..., 0, 0], values)
    else:
        with pytest.raises(InputError, match=re.escape(".dim")):
            prepare()


def test_level_1c_is_passed_over(find, tmp_path):
    write(
        tmp_path / "in",
        "subset",
        {"B4": numbers()},
        started("5-JUN-2023") + "<PRODUCT_TYPE>S2_MSI_Level-1C</PRODUCT_TYPE>",
    )
    with pytest.raises(InputError, match="level 1C"):
        find()


def test_a_dim_that_is_no_xml_is_named(find, tmp_path):
    data = write(tmp_path / "in", OPTICAL, {"B4": numbers()})
    data.with_suffix(".dim").write_text("<Dimap_Document>")
    with pytest.raises(InputError, match=r"\.dim can't be read"):
        find()


def test_a_folder_of_that_ending_may_hold_other_files(find, tmp_path, make_dated):
    make_dated(tmp_path / "in" / "my.data", date(2018, 3, 5), 1000)
    assert [product.date for product in find()] == [date(2018, 3, 5)]
