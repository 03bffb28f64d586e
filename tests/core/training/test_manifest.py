"""The manifest: what is written comes back, and whatever else stands in a file is refused in words."""

import copy
import json
import math
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinns_qgis.errors import InputError
from twinns_qgis.methods import METHODS
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.series.series import SENTINEL2_BANDS
from twinns_qgis.training.exit_curve import ExitCurve
from twinns_qgis.training.manifest import Manifest

DATES = (date(2018, 1, 1), date(2018, 2, 1), date(2018, 3, 1))
MANIFEST = Manifest(
    METHODS["TWINNS"],
    "small",
    (
        Sensor("sentinel1", DATES, ("VV", "VH"), (0.1,) * 2, (-25.1,) * 2, 0.0, "uint8", (-25.0,) * 2, (5.0,) * 2),
        Sensor(
            "sentinel2", DATES, SENTINEL2_BANDS, (1e-4,) * 10, (0.0,) * 10, None, "int16", (0.1,) * 16, (0.9,) * 16,
            True, (0.0,) * 16, (1.0,) * 16,
        ),
    ),
    (LandCoverClass(3, "blé <dur>", "#112233"), LandCoverClass(9, "water", "#445566")),
    settings={"seed": 7, "call": "twinns train-model"},
    measures={"accuracy": 0.9},
    temperature=1.5,
    early_exit=ExitCurve(1.2, (0.5, 0.6), (0.7, 0.3), (0.9, 1.0)),
)  # fmt: skip
STORED = json.loads(json.dumps(MANIFEST.to_json()))


def changed(change):
    """What a file has whose writer was changed by a function of the stored values."""
    values = copy.deepcopy(STORED)
    change(values)
    return values


def test_a_manifest_comes_back_as_it_was():
    assert Manifest.from_json(STORED) == MANIFEST


@pytest.mark.parametrize("nodata", [-3.4028234663852886e38, -1.7976931348623157e308, -9999.0, None])
def test_no_data_values_that_gis_write_come_back(nodata):
    found = Manifest.from_json(changed(lambda values: values["sensors"][1].update(nodata=nodata)))
    assert found.sensors[1].nodata == nodata


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: values["sensors"][1]["minimum"].pop(), "'minimum' of the sensor sentinel2 is a list of 15"),
        (lambda values: values["sensors"][0]["maximum"].append(1.0), "'maximum' .* list of 3 numbers; 2 belong there"),
        (lambda values: values["sensors"][1]["scale"].pop(), "'scale' .* list of 9 numbers; 10 belong there"),
        (lambda values: values["sensors"][1]["offset"].clear(), "'offset' .* list of 0 numbers; 10 belong there"),
        (lambda values: values["sensors"][1]["highest"].pop(), "'highest' .* list of 15 numbers; 16 belong there"),
        (lambda values: values["sensors"][0]["bands"].pop(), "'scale' .* list of 2 numbers; 1 belong there"),
        (lambda values: values["sensors"][0]["minimum"].__setitem__(0, math.nan), "'minimum' .* no list of numbers"),
        (lambda values: values["sensors"][0]["dates"].reverse(), "dates of sentinel1 don't ascend"),
        (lambda values: values["sensors"].append(values["sensors"][0]), "A sensor stands there twice"),
        (lambda values: values["sensors"][0].update(dtype="<M8[s]"), "no values of type '<M8"),
        (lambda values: values["classes"][0].update(code=255), "'code' .* no whole number from 1 to 254"),
        (lambda values: values["classes"][0].update(code=9), "Two classes have one code"),
        (lambda values: values["classes"][0].update(color="red;}"), "There is no colour 'red;}'"),
        (lambda values: values["hyperparameters"].update(dropout=1), "'dropout' .* no number that can stand there"),
        (lambda values: values.update(temperature=0), "'temperature' .* no number that can stand there"),
        (lambda values: values["early_exit"]["skipped"].pop(), "'skipped' .* list of 1 numbers; 2 belong there"),
        (lambda values: values.pop("measures"), "lacks 'measures'"),
    ],
)
def test_what_does_not_belong_together_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        Manifest.from_json(changed(change))


def test_weights_that_many_dates_need_are_counted_without_a_network():
    days = [(date(1, 1, 1) + timedelta(days=day)).isoformat() for day in range(20_000)]
    found = Manifest.from_json(changed(lambda values: values["sensors"][1].update(dates=days)))
    assert found.method.least_weights(found.sensors, "small") > 20_000 * 16 * 9 * 64


def places(values, path=()):
    """Yields the way to each value within a value."""
    yield path
    children = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["TWINNS", "RF", "paper", "sentinel2", "2018-01-01", "B8", "float32", "#000000", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@st.composite
def damaged(draw):
    """The stored values with up to three of them replaced by anything, left out, or standing twice."""
    values = copy.deepcopy(STORED)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(list(places(values))[1:]))
        place = values
        for key in way:
            place = place[key]
        kind = draw(st.sampled_from(["replaced", "replaced", "left out", "twice"]))
        if kind == "left out":
            del place[last]
        elif kind == "twice" and isinstance(place, list):
            place.insert(last, place[last])
        else:
            place[last] = draw(JSON)
        if not values:
            break
    return values


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_whatever_stands_in_a_manifest_is_read_whole_or_refused(values):
    try:
        found = Manifest.from_json(values)
    except (ValueError, InputError):
        return
    for sensor in found.sensors:
        assert len(sensor.minimum) == len(sensor.maximum) == len(sensor.variables)
        assert len(sensor.lowest) == len(sensor.highest)
        assert len(sensor.scale) == len(sensor.offset) == len(sensor.bands)
    assert Manifest.from_json(json.loads(json.dumps(found.to_json()))) == found
