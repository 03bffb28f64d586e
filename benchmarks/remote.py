"""A year of Sentinel-2 on a server on loopback, of which a window of 10 x 10 km is prepared."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import rasterio
import tifffile
from rasterio.transform import from_origin
from rasterio.windows import Window

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "core" / "support"))
from file_server import serving

from twinns_qgis.rasters.grid import Extent
from twinns_qgis.rasters.production import Machine
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.area import Area
from twinns_qgis.series.inputs import Inputs
from twinns_qgis.series.period import Period
from twinns_qgis.series.sentinel2.preparation import Outputs, prepare_sentinel2

BANDS = {"B02": 10, "B03": 10, "B04": 10, "B08": 10, "B05": 20, "B06": 20, "B07": 20, "B8A": 20, "B11": 20, "B12": 20,
         "SCL": 20}  # fmt: skip
WIDTH = 109_800
"""Of a tile, in metres."""
LEFT, TOP, SIDE = 33_450, 47_210, 10_000
"""The window, from the tile's corner."""
TILE = 1024


def make_archive(folder: Path, dates: int) -> None:
    """Writes items and files of full-size tiles, filled round the window: nobody reads the rest."""
    random = np.random.default_rng(0)
    for number in range(dates):
        day = date(2021, 1, 3) + timedelta(days=365 * number // dates)
        name = f"S2A_31UES_{day:%Y%m%d}_0_L2A"
        (folder / name).mkdir(parents=True)
        for band, metres in BANDS.items():
            write_tiles(folder / name / f"{band}.tif", band, metres, random)
        item = {
            "type": "Feature", "stac_version": "1.0.0", "id": name, "links": [], "geometry": None,
            "properties": {"datetime": f"{day}T10:50:31Z"},
            "assets": {band: {"href": f"{name}/{band}.tif"} for band in BANDS},
        }  # fmt: skip
        (folder / name / "item.json").write_text(json.dumps(item))


def write_tiles(path: Path, band: str, metres: int, random: np.random.Generator) -> None:
    size = WIDTH // metres
    dtype = "uint8" if band == "SCL" else "uint16"
    with rasterio.open(
        path, "w", "GTiff", size, size, 1, "EPSG:32631", from_origin(5e5, 5.6e6, metres, metres), dtype,
        tiled=True, blockxsize=TILE, blockysize=TILE, compress="deflate", predictor=2, sparse_ok=True,
    ) as dataset:  # fmt: skip
        for left, top in touched(metres):
            shape = min(TILE, size - top), min(TILE, size - left)
            values = random.choice([4, 5, 9], shape) if band == "SCL" else random.normal(2000, 150, shape)
            dataset.write(values.astype(dtype), 1, window=Window(left, top, shape[1], shape[0]))


def touched(metres: int) -> list[tuple[int, int]]:
    """Returns the first column and row of each tile that the window touches."""
    columns, rows = (
        range(start // metres // TILE, ((start + SIDE) // metres - 1) // TILE + 1) for start in (LEFT, TOP)
    )
    return [(TILE * column, TILE * row) for column in columns for row in rows]


def bytes_of_window(path: Path) -> int:
    """Returns the bytes of the compressed tiles that the window touches."""
    with tifffile.TiffFile(path) as file:
        return sum(file.pages[0].databytecounts)  # the others are empty


def report_remote(folder: Path, dates: int, memory: int) -> None:
    """Prints how many bytes the preparation of the window reads, against those of its tiles."""
    archive = folder / f"{dates} dates on a server"
    if not archive.exists():
        make_archive(archive, dates)
    window = sum(map(bytes_of_window, archive.rglob("*.tif")))
    with serving(archive) as server:
        items = [json.loads(path.read_text()) for path in sorted(archive.rglob("item.json"))]
        for item in items:
            for asset in item["assets"].values():
                asset["href"] = f"{server.url}/{asset['href']}"
        scenes = folder / "scenes.geojson"
        scenes.write_text(json.dumps({"type": "FeatureCollection", "twinns:api": server.url, "features": items}))
        left, top = 500_000 + LEFT, 5_600_000 - TOP
        prepare_sentinel2(
            Outputs(folder / "remote.tif"),
            Inputs(scenes=scenes),
            Period(),
            area=Area(Extent((left, top - SIDE, left + SIDE, top))),
            machine=Machine(memory),
            reporter=Reporter(),
        )
        print(f"{dates} dates, MEMORY {memory} MB, a window of {SIDE} x {SIDE} m: {len(server.requests)} requests")
        print(f"{server.sent / 1e6:.1f} MB read, {window / 1e6:.1f} MB in its tiles: {server.sent / window:.3f} times")
