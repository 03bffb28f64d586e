"""Augmentation: the eight symmetries, equally probable, alike for all sensors; dates left out, never all."""

from collections import Counter

import numpy as np
import pytest

from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.augmentation import Augmentation, dropped_dates, shifted, turned

COUNT = 8000


@pytest.fixture
def stores():
    """Two sensors of 3 and 4 dates; every value tells its pixel of the patch, 1 to 25."""
    patches = np.tile(np.arange(25, dtype="int32").reshape(5, 5), (COUNT, 1, 1))
    pixels = np.arange(1, 26)
    return {
        "sentinel1": SampleStore(np.tile(pixels[:, None, None], (3, 2)).astype("uint8"), patches),
        "sentinel2": SampleStore(np.tile(pixels[:, None, None], (4, 10)).astype("int16"), patches),
    }


def gather(stores, **options):
    augmentation = Augmentation(**options, missing={"sentinel1": 0, "sentinel2": -32768})
    return augmentation.gather(stores, np.arange(COUNT), np.random.default_rng(0))


def test_the_ways_are_the_eight_symmetries_of_the_square():
    square = np.arange(25).reshape(5, 5)
    found = {tuple(patch.ravel()) for patch in turned(np.tile(square, (8, 1, 1)), np.arange(8))}
    expected = {
        tuple(np.rot90(mirrored, turns).ravel()) for mirrored in (square, np.fliplr(square)) for turns in range(4)
    }
    assert found == expected
    assert len(found) == 8


def test_each_symmetry_is_drawn_equally_often_and_alike_for_both_sensors(stores):
    patches = gather(stores, symmetries=True)
    layouts = patches["sentinel1"][..., 0, 0]
    for values in patches.values():
        np.testing.assert_array_equal(values, np.broadcast_to(layouts[..., None, None], values.shape))
    counts = Counter(layout.tobytes() for layout in layouts)
    assert len(counts) == 8
    # Five standard deviations of a count with probability 1/8.
    assert max(abs(count - COUNT / 8) for count in counts.values()) < 5 * np.sqrt(COUNT * 7 / 64)


def test_whole_dates_are_missing_at_the_given_rate_by_sample_and_sensor(stores):
    patches = gather(stores, date_dropout=0.25)
    gone = {}
    for name, missing in (("sentinel1", 0), ("sentinel2", -32768)):
        values = patches[name]
        gone[name] = values[:, 2, 2, :, 0] == missing
        np.testing.assert_array_equal(
            values == missing, np.broadcast_to(gone[name][:, None, None, :, None], values.shape)
        )
        assert gone[name].mean() == pytest.approx(0.25, abs=0.02)
    assert 0 < (gone["sentinel1"][:, 0] != gone["sentinel2"][:, 0]).mean() < 1


def test_one_date_is_always_left():
    dropped = dropped_dates(COUNT, 3, 0.9, np.random.default_rng(0))
    assert not dropped.all(axis=1).any()
    assert not dropped_dates(COUNT, 1, 0.9, np.random.default_rng(0)).any()


def test_the_stores_stay_as_they_are(stores):
    before = {name: store.values.copy() for name, store in stores.items()}
    gather(stores, symmetries=True, date_dropout=0.5)
    for name, store in stores.items():
        np.testing.assert_array_equal(store.values, before[name])


DAYS = np.array([0, 10, 40])


def test_a_shifted_year_is_what_interpolation_in_time_gives():
    random = np.random.default_rng(0)
    patches = random.normal(size=(6, 5, 5, 3, 2)).astype("float32")
    shifts = np.array([-50.0, -7.5, 0, 3, 12, 90])
    found = shifted(patches, DAYS, shifts, None)
    for number, row, column, band in np.ndindex(6, 5, 5, 2):
        expected = np.interp(DAYS + shifts[number], DAYS, patches[number, row, column, :, band])
        np.testing.assert_allclose(found[number, row, column, :, band], expected, rtol=1e-5, atol=1e-6)


def test_whole_numbers_are_rounded_and_keep_their_type():
    patches = np.array([10, 21, 30], "uint8").reshape(1, 1, 1, 3, 1)
    found = shifted(patches, DAYS, np.array([5.0]), 0)
    assert found.dtype == "uint8"
    assert found.ravel().tolist() == [16, 22, 30]


def test_what_lies_between_a_value_and_a_gap_is_a_gap():
    patches = np.array([10, -32768, 30], "int16").reshape(1, 1, 1, 3, 1)
    assert shifted(patches, DAYS, np.array([5.0]), -32768).ravel().tolist() == [-32768, -32768, 30]
    assert shifted(patches, DAYS, np.array([0.0]), -32768).ravel().tolist() == [10, -32768, 30]


def test_sensors_of_a_sample_are_shifted_alike_and_samples_differ():
    patches = np.tile(np.arange(25, dtype="int32").reshape(5, 5), (200, 1, 1))
    days = {"sentinel1": np.arange(0, 300, 12), "sentinel2": np.arange(0, 300, 10)}
    stores = {  # each value tells its day
        name: SampleStore(np.tile(np.float32(own)[:, None], (25, 1, 1)), patches) for name, own in days.items()
    }
    found = Augmentation(date_shift=20, days={name: tuple(own) for name, own in days.items()}).gather(
        stores, np.arange(200), np.random.default_rng(0)
    )
    shifts = {name: values[:, 2, 2, 12, 0] - days[name][12] for name, values in found.items()}
    np.testing.assert_allclose(shifts["sentinel1"], shifts["sentinel2"], atol=1e-3)
    assert abs(shifts["sentinel1"].mean()) < 3
    assert 15 < np.abs(shifts["sentinel1"]).max() <= 20
