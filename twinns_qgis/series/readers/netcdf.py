"""NetCDF files of either sensor: a variable a band, or one of all bands, with the dates along a dimension of time.

So openEO and the Copernicus Data Space write them (``B02``, ``S2-L2A-B04``, ``S1-SIGMA0-VV``; dimensions t, y, x),
xarray (one variable with a dimension of bands) and SNAP (no time; the date is an attribute). Conventions: "NetCDF
Climate and Forecast (CF) Metadata Conventions", for time, scale_factor, add_offset and _FillValue. GDAL's driver reads
them, and gives a band for each step along the other dimensions, the last of which varies fastest.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from rasterio.io import DatasetReader
from rasterio.windows import Window

from twinns_qgis.errors import InputError
from twinns_qgis.files import crs_of, file_of
from twinns_qgis.rasters.archives import File, LocalFile, Variable, ZipMember, on_disk, place
from twinns_qgis.rasters.blocks import spread_windows
from twinns_qgis.rasters.reading import open_raster, read_bands
from twinns_qgis.rasters.remote.files import RemoteFile
from twinns_qgis.series.dates import Tags
from twinns_qgis.series.names.days import days_in
from twinns_qgis.series.products.product import Product
from twinns_qgis.series.readers.search import Search
from twinns_qgis.series.readers.sensors import SENSORS, SENTINEL2, Layers, Sensor, joined

_SUFFIXES = (".nc", ".nc4", ".cdf")
_SINCE = re.compile(
    r"(?P<unit>[a-z]+) since (?P<origin>\d{1,4}-\d{1,2}-\d{1,2})(?:[T ](?P<time>\d{1,2}:\d{2}(?::\d{2})?))?.*"
)
_SECONDS = {
    "d": 86400.0, "h": 3600.0, "hr": 3600.0, "min": 60.0, "s": 1.0, "sec": 1.0,
    "day": 86400.0, "hour": 3600.0, "minute": 60.0, "second": 1.0,
    "msec": 1e-3, "millisec": 1e-3, "ms": 1e-3, "millisecond": 1e-3, "microsecond": 1e-6, "nanosecond": 1e-9,
}  # fmt: skip
_CALENDARS = ("standard", "gregorian", "proleptic_gregorian")
_STARTS = ("time_coverage_start", "start_date", "start_time", "sensing_time", "product_start_time", "date")
"""Attributes of a file that tell when its images were taken."""
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_BY_MONTH = re.compile(r"(\d{1,2})-([A-Z]{3})-(\d{4})", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:EPSG:)?(\d{4,5})", re.IGNORECASE)
_NO_PERCENT = 200.0
"""Above this reflectance is neither a share nor in percent."""


class Netcdf:
    """Reads what NetCDF files hold of a sensor; a reader, see `finding.Reader`.

    Args:
        sensor: The sensor.
    """

    def __init__(self, sensor: Sensor) -> None:
        self.sensor = sensor
        self.LOOKED_FOR = f"NetCDF files with variables {sensor.example}"

    def held(self, files: Sequence[File], search: Search) -> list[File]:
        """Returns the NetCDF files, and the variables of such files that the user named one by one."""
        return [file for file in files if isinstance(file, Variable) or place(file).suffix.lower() in _SUFFIXES]

    def find(self, files: Sequence[File], search: Search) -> list[Product]:
        """Returns a product for each step in time.

        Raises:
            InputError: A file has no date, or a dimension that can't be read.
        """
        zipped = [file for file in files if isinstance(file, ZipMember)]
        search.pass_over(zipped, "NetCDF in an archive, where it can't be read: unpack that")
        found: list[_Found] = []
        for file in files:
            if not isinstance(file, (ZipMember, RemoteFile)):
                of_file = self._found(file, search)
                found += of_file
                if not of_file:
                    search.unrecognised[file] = f"no variable that is named like a band of {self.sensor.name}"
        days = search.dates.of({one.path: one.tags for one in found if one.time is None})
        grouped: defaultdict[tuple[Path, datetime], defaultdict[str, list[Layers]]]
        grouped = defaultdict(lambda: defaultdict(list))
        for one in found:
            time = one.time or datetime.combine(days[one.path], datetime.min.time())
            grouped[one.path.parent, time][one.path.name] += one.layers
        return [
            layers.as_product(f"{name} {_text(time)}", time.date())
            for (_, time), by_file in sorted(grouped.items(), key=lambda group: group[0])
            for name, layers in joined(by_file)
        ]

    def _found(self, file: LocalFile, search: Search) -> list[_Found]:
        """Returns what a file holds of the sensor at each of its times."""
        by_time: defaultdict[datetime | None, list[Layers]] = defaultdict(list)
        tags: dict[str, str] = {}
        for variable in _variables(file):
            with open_raster(variable) as dataset:
                tags |= dataset.tags()
                steps = list(_steps(variable, dataset))
                source = _with_crs(variable, file, dataset)
                names = search.bands.of(variable, [step.name for step in steps], _is_layer)
                factor = _undeclared_factor(dataset) if self.sensor is SENTINEL2 else 1.0
                for step, name in zip(steps, names, strict=True):
                    if layer := self.sensor.layer(name):
                        of_time = by_time[step.time]
                        if not of_time or layer in of_time[-1].names:
                            of_time.append(Layers())
                        of_time[-1].add(self.sensor, layer, source, dataset, step.index, name)
                        if factor != 1 and layer in of_time[-1].bands:
                            of_time[-1].bands[layer] = replace(of_time[-1].bands[layer], scale=factor)
        return [_Found(on_disk(file), time, _started(tags), layers) for time, layers in by_time.items()]


@dataclass(frozen=True)
class _Found:
    """What a file holds of a time; of a file that tells none, tags that may."""

    path: Path
    time: datetime | None
    tags: Tags
    layers: list[Layers]


@dataclass(frozen=True)
class _Step:
    """A band of a variable: its number, its name, and its time if it has one."""

    index: int
    name: str
    time: datetime | None


def _variables(file: LocalFile) -> list[LocalFile]:
    """Returns the variables of a file that are rasters."""
    if isinstance(file, Variable):
        return [Variable(file_of(file.path), file.variable)]
    with open_raster(file) as dataset:
        listed = [name.rpartition(":")[2] for name in dataset.subdatasets]
        if not listed:
            return [file] if dataset.count else []
    return [Variable(on_disk(file), name) for name in listed]


def _with_crs(variable: LocalFile, file: LocalFile, dataset: DatasetReader) -> LocalFile:
    """Returns a variable with the CRS that it was given with, or that an attribute tells where GDAL finds none."""
    path = file.path if isinstance(file, Variable) else file
    given = crs_of(path) if isinstance(path, Path) else None
    if given is None and dataset.crs is None:
        told = next((value for key, value in dataset.tags().items() if key.endswith("#crs")), "")
        match = _AUTHORITY.fullmatch(told.strip())
        given = f"EPSG:{match[1]}" if match else None
    if given is None:
        return variable
    path = Path(f"{on_disk(variable)}|crs={given}")
    return Variable(path, variable.variable) if isinstance(variable, Variable) else path


def _steps(variable: File, dataset: DatasetReader) -> Iterator[_Step]:
    """Yields the bands of an open variable.

    Raises:
        InputError: It has a dimension that is neither time nor bands, or whose times can't be read.
    """
    tags = dataset.tags()
    own = dataset.tags(1).get("NETCDF_VARNAME", place(variable).name).rpartition("/")[2]
    extra = [name for name in tags.get("NETCDF_DIM_EXTRA", "").strip("{}").split(",") if name]
    values = {name: tags.get(f"NETCDF_DIM_{name}_VALUES", "").strip("{}").split(",") for name in extra}
    sizes = [int(tags[f"NETCDF_DIM_{name}_DEF"].strip("{}").split(",")[0]) for name in extra]
    times, names = None, None
    for name, size in zip(extra, sizes, strict=True):
        if (found := _times(name, values[name], tags, variable)) is not None and len(found) == size:
            times = name, found
        elif len(values[name]) == size and any(map(_is_layer, values[name])):
            names = name, values[name]
        elif size > 1:
            raise InputError(
                f"{variable} has {size} steps along its dimension {name}, and does not tell what they are: neither "
                "times nor names of bands.",
                "Write the file with a coordinate of times, or of bands' names, for that dimension.",
            )
    for index in dataset.indexes:
        at = dict(zip(extra, np.unravel_index(index - 1, sizes) if sizes else (), strict=True))
        yield _Step(index, names[1][at[names[0]]] if names else own, times[1][at[times[0]]] if times else None)


def _times(dimension: str, values: Sequence[str], tags: Tags, variable: File) -> list[datetime] | None:
    """Returns the times of the steps of a dimension; None if it is none of time."""
    match = _SINCE.fullmatch(tags.get(f"{dimension}#units", "").strip())
    if match is None:
        days = [next(iter(days_in(value)), None) for value in values]
        return [datetime.combine(day, datetime.min.time()) for day in days if day] if all(days) else None
    calendar, unit = tags.get(f"{dimension}#calendar", "standard").lower(), match["unit"].lower()
    unit = unit if unit in _SECONDS else unit.removesuffix("s")
    if calendar not in _CALENDARS or unit not in _SECONDS:
        raise InputError(
            f"{variable} counts its times in {match[0]}, of the calendar {calendar}, which is not understood.",
            f"Write the file with times in days or seconds since a date, in one of {', '.join(_CALENDARS)}.",
        )
    origin = datetime.fromisoformat("-".join(f"{int(part):02d}" for part in match["origin"].split("-")).rjust(10, "0"))
    if match["time"]:
        hours, minutes, *seconds = map(int, match["time"].split(":"))
        origin += timedelta(hours=hours, minutes=minutes, seconds=sum(seconds))
    try:
        return [origin + timedelta(seconds=float(value) * _SECONDS[unit]) for value in values]
    except (ValueError, OverflowError):
        return None


def _started(tags: Tags) -> Tags:
    """Returns what a file's attributes tell of the time at which its image was taken, as `dates` looks for it."""
    for name in _STARTS:
        text = tags.get(f"NC_GLOBAL#{name}", "")
        if match := _BY_MONTH.search(text):
            if match[2].upper() in _MONTHS:
                day = date(int(match[3]), _MONTHS.index(match[2].upper()) + 1, int(match[1]))
                return {"ACQUISITION_STARTED": day.isoformat()}
        elif day_of := next(iter(days_in(text)), None):
            return {"ACQUISITION_STARTED": day_of.isoformat()}
    return {}


def _is_layer(name: str) -> bool:
    return any(sensor.layer(name) for sensor in SENSORS)


def _undeclared_factor(dataset: DatasetReader) -> float:
    """Returns the factor to reflectance of an open variable: 0.0001 where broken numbers are times 10 000.

    So are means in time of whole numbers. What is mostly beyond `_NO_PERCENT` can be nothing else.
    """
    if np.dtype(dataset.dtypes[0]).kind != "f" or (dataset.scales[0], dataset.offsets[0]) != (1.0, 0.0):
        return 1.0
    for index in dataset.indexes:
        windows = spread_windows(Window(0, 0, dataset.width, dataset.height))
        sample = np.concatenate([read_bands(dataset, indexes=index, window=window).ravel() for window in windows])
        values = sample[np.isfinite(sample) & (sample != dataset.nodatavals[index - 1])]
        if values.size:
            return 0.0001 if np.median(values) > _NO_PERCENT else 1.0
    return 1.0


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%d}" if time.time() == datetime.min.time() else f"{time:%Y%m%dT%H%M%S}"
