"""Which epoch is the best, and when training is over."""

import pytest

from twinns_qgis.training.history import Epoch, best_epoch, is_over


def learned(*accuracies):
    return [Epoch(number, 1.0, 0.5, 1.0, accuracy, 1.0) for number, accuracy in enumerate(accuracies, start=1)]


def test_the_first_of_equally_good_epochs_is_the_best():
    assert best_epoch(learned(0.2, 0.8, 0.5, 0.8), 1).epoch == 2


def test_an_epoch_that_was_lucky_alone_is_not_the_best_of_smoothed_ones():
    history = learned(0.2, 0.8, 0.5, 0.7, 0.7, 0.7, 0.6)
    assert best_epoch(history, 3).epoch == 6
    assert is_over(history, 9, 1, 3)
    assert not is_over(history[:6], 9, 1, 3)


@pytest.mark.parametrize(
    ("accuracies", "patience", "over"),
    [
        ((), 1, False),
        ((0.1, 0.2, 0.3), 1, False),
        ((0.1, 0.2, 0.2), 1, True),
        ((0.3, 0.2, 0.1), 3, False),
        ((0.3, 0.2, 0.1, 0.1), 3, True),
        ((0.3, 0.2, 0.1, 0.1), 0, False),
        ((0.1, 0.2, 0.3, 0.4, 0.5), 0, True),
    ],
)
def test_training_is_over_after_all_epochs_or_as_many_without_a_better_one(accuracies, patience, over):
    assert is_over(learned(*accuracies), 5, patience, 1) == over
