import json
from dataclasses import asdict

import numpy as np
import pytest

from twinns_qgis.assessment.measures import measure
from twinns_qgis.errors import InputError
from twinns_qgis.samples.classes import LandCoverClass

CLASSES = [LandCoverClass(code, name, "#123456") for code, name in [(10, "water"), (20, "wheat"), (35, "wood")]]
CODES = np.array([item.code for item in CLASSES])


def by_hand(confusion):
    """Accuracy, weighted F-measure, kappa and F-measures from their definitions."""
    total, diagonal = confusion.sum(), np.diag(confusion)
    reference, predicted = confusion.sum(axis=1), confusion.sum(axis=0)
    f_measures = 2 * diagonal / (reference + predicted)
    chance = (reference * predicted).sum() / total**2
    accuracy = diagonal.sum() / total
    return accuracy, (f_measures * reference).sum() / total, (accuracy - chance) / (1 - chance), f_measures


def test_a_small_example_worked_by_hand():
    reference = [10, 10, 10, 20, 20, 35]
    predicted = [10, 10, 20, 20, 20, 10]
    measures = measure(reference, predicted, CLASSES)
    assert measures.confusion.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert measures.accuracy == pytest.approx(4 / 6)
    assert measures.f_per_class == pytest.approx((2 / 3, 4 / 5, 0))
    assert measures.f_measure == pytest.approx((3 * 2 / 3 + 2 * 4 / 5 + 0) / 6)
    # Chance agreement: (3 * 3 + 2 * 3 + 1 * 0) / 36.
    assert measures.kappa == pytest.approx((4 / 6 - 15 / 36) / (1 - 15 / 36))


def test_all_measures_follow_their_definitions_on_random_classes():
    random = np.random.default_rng(1)
    reference = random.choice(CODES, 500, p=[0.6, 0.3, 0.1])
    predicted = np.where(random.random(500) < 0.7, reference, random.choice(CODES, 500))
    measures = measure(reference, predicted, CLASSES)
    confusion = np.array([[np.sum((reference == i) & (predicted == j)) for j in CODES] for i in CODES])
    accuracy, f_measure, kappa, f_measures = by_hand(confusion)
    assert measures.confusion.tolist() == confusion.tolist()
    assert measures.accuracy == pytest.approx(accuracy)
    assert measures.f_measure == pytest.approx(f_measure)
    assert measures.kappa == pytest.approx(kappa)
    assert measures.f_per_class == pytest.approx(f_measures)


def test_classes_keep_their_order_even_if_codes_descend():
    measures = measure([10, 35, 35], [10, 35, 10], CLASSES[::-1])
    assert measures.confusion.tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 1]]
    assert measures.f_per_class == pytest.approx((2 / 3, 0, 2 / 3))


def test_a_class_without_reference_weighs_nothing_and_is_not_right():
    measures = measure([10, 10, 20], [10, 35, 20], CLASSES)
    assert measures.f_per_class == pytest.approx((2 / 3, 1, 0))
    assert measures.f_measure == pytest.approx((2 * 2 / 3 + 1) / 3)


def test_kappa_of_a_single_class_is_zero_not_undefined():
    measures = measure([20, 20], [20, 20], CLASSES)
    assert (measures.accuracy, measures.f_measure, measures.kappa) == (1, 1, 0)


@pytest.mark.parametrize("predicted", [[10, 10], [10, 20], [20, 35]])
def test_all_measures_can_be_written_as_json(predicted):
    values = asdict(measure([10, 10], predicted, CLASSES))
    json.dumps({**values, "confusion": values["confusion"].tolist()}, allow_nan=False)


def test_no_pixels_are_refused():
    with pytest.raises(InputError, match="no reference pixels"):
        measure([], [], CLASSES)


def test_a_code_that_is_no_class_is_refused_by_name():
    with pytest.raises(InputError, match="The map has the class codes 99; the classes are 10, 20, 35"):
        measure([10, 20], [10, 99], CLASSES)
