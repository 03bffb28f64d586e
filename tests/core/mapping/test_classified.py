"""Classified rasters of any maker: names, counts and areas, in one file or several."""

import numpy as np
import pytest
import rasterio
from rasterio.merge import merge
from rasterio.transform import from_origin
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.mapping.classified import ClassifiedMap, Extent
from twinns_qgis.mapping.styles import paletted_qml
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.classes import LandCoverClass

CODES = np.random.default_rng(0).integers(0, 4, (40, 50)).astype("uint8")


@pytest.fixture
def write(tmp_path, write_raster):
    """Writes class codes of shape (height, width) as a raster; returns its path."""

    def write(name, codes, **options):
        write_raster(tmp_path / name, codes[None], **{"nodata": 0, **options})
        return tmp_path / name

    return write


def test_pixels_and_areas_are_counted(write):
    found = ClassifiedMap.open([write("map.tif", CODES)]).extents(Reporter())
    assert found == {code: Extent(count := int((code == CODES).sum()), 100.0 * count) for code in (1, 2, 3)}


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "int32"])
def test_codes_may_be_of_any_whole_number(write, dtype):
    codes = CODES.astype(dtype) * (-20 if dtype == "int8" else 111)
    found = ClassifiedMap.open([write("map.tif", codes)]).extents(Reporter())
    assert {code: one.pixels for code, one in found.items()} == {
        int(code): int((codes == code).sum()) for code in np.unique(codes) if code
    }


def test_areas_in_degrees_shrink_towards_the_pole(write):
    codes = np.ones((100, 1), "uint8")
    path = write("map.tif", codes, crs="EPSG:4326", origin=(3, 60), resolution=0.1)
    cover = ClassifiedMap.open([path])
    assert cover.extents(Reporter())[1].area == pytest.approx(cover.grid.pixel_areas().sum())


def test_where_files_overlap_the_first_one_with_a_class_counts(write):
    left = CODES[:, :30].copy()
    right = np.roll(CODES, 1, axis=0)[10:, 20:]
    paths = [write("left.tif", left), write("right.tif", right, origin=(500200, 5599900))]
    expected, _ = merge(paths, method="first")
    cover = ClassifiedMap.open(paths)
    codes, there = cover.read(Window(0, 0, cover.grid.width, cover.grid.height))
    np.testing.assert_array_equal(np.where(there, codes, 0), expected[0])
    assert {code: one.pixels for code, one in cover.extents(Reporter()).items()} == {
        code: int((expected == code).sum()) for code in (1, 2, 3)
    }
    rows, columns = np.nonzero(expected[0] >= 0)
    np.testing.assert_array_equal(np.where(*(cover.at(rows, columns)[::-1]), 0), expected[0].ravel())


def test_counts_are_exact_on_a_large_mosaic_that_is_mostly_empty(tmp_path):
    side, tile = 12_000, np.full((512, 512), 7, "uint8")
    paths = []
    for number, (row, column) in enumerate(((0, 0), (5000, 9000), (11_400, 11_488))):
        paths.append(tmp_path / f"{number}.tif")
        profile = {"driver": "GTiff", "count": 1, "width": side, "height": side, "dtype": "uint8", "crs": "EPSG:32631"}
        profile |= {"transform": from_origin(500000, 5600000, 10, 10), "nodata": 0, "tiled": True, "sparse_ok": True}
        with rasterio.open(paths[-1], "w", **profile) as dataset:
            dataset.write(tile, 1, window=Window(column, row, 512, 512))
    assert ClassifiedMap.open(paths).extents(Reporter()) == {7: Extent(3 * 512**2, 3 * 512**2 * 100.0)}


def test_names_come_from_twinns_gdal_or_qgis(write, tmp_path):
    path = write("map.tif", CODES)
    assert ClassifiedMap.open([path]).names == {}
    path.with_suffix(".qml").write_text(paletted_qml([LandCoverClass(2, "wheat", "#ddaa33")]))
    assert ClassifiedMap.open([path]).names == {2: "wheat"}
    aux = tmp_path / "map.tif.aux.xml"
    band = "<PAMDataset><PAMRasterBand band='1'>{}</PAMRasterBand></PAMDataset>"
    aux.write_text(band.format("<CategoryNames><Category/><Category>water</Category></CategoryNames>"))
    assert ClassifiedMap.open([path]).names == {1: "water"}
    fields = "".join(f"<FieldDefn><Usage>{use}</Usage></FieldDefn>" for use in (5, 2))
    rows = "<Row><F>3</F><F> wood </F></Row>"
    aux.write_text(band.format(f"<GDALRasterAttributeTable>{fields}{rows}</GDALRasterAttributeTable>"))
    assert ClassifiedMap.open([path]).names == {3: "wood"}
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(1, CLASS_1="own name")
    assert ClassifiedMap.open([path]).names == {1: "own name"}


def test_what_is_no_map_is_refused(write, write_raster, tmp_path):
    with pytest.raises(InputError, match="float32 values; a land cover map holds class codes"):
        ClassifiedMap.open([write("float.tif", CODES.astype("float32"))])
    write_raster(tmp_path / "two.tif", np.stack([CODES, CODES]))
    with pytest.raises(InputError, match="has 2 bands"):
        ClassifiedMap.open([tmp_path / "two.tif"])
    one, shifted = write("one.tif", CODES), write("shifted.tif", CODES, origin=(500004, 5600000))
    with pytest.raises(InputError, match="not on one lattice"):
        ClassifiedMap.open([one, shifted])
    with pytest.raises(InputError, match="given 2 times"):
        ClassifiedMap.open([one, one])
