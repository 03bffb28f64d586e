"""What a comparison says of differences, against the formulas and against chance."""

import numpy as np
import pytest
from scipy import stats

from twinns_qgis.assessment.comparison import Comparison, Run, difference, write_comparison
from twinns_qgis.methods import METHODS
from twinns_qgis.samples.classes import LandCoverClass
from twinns_qgis.training.manifest import Manifest

CLASSES = (LandCoverClass(1, "water", "#4477aa"), LandCoverClass(2, "wheat", "#ddaa33"))


def run(method, number, accuracy, classes=CLASSES):
    right = round(1000 * accuracy)
    measures = {
        "accuracy": accuracy,
        "f_measure": accuracy,
        "kappa": accuracy,
        "f_per_class": {item.name: accuracy for item in classes},
        "confusion": [
            [right if row == column else 1000 - right for column in range(len(classes))] for row in range(len(classes))
        ],
    }
    split = {"objects": {"train": {"1": 30}, "validation": {"1": 20}, "test": {"1": 50}}}
    manifest = Manifest(METHODS["RF"], "small", (), classes, split=split, measures=measures)
    return Run(method, number, number - 1, manifest, 12.0, 5000.0, 2_000_000)


def test_the_interval_is_that_of_the_corrected_resampled_t_test():
    """Nadeau and Bengio (2003): the variance of n differences counts (1/n + test/learned) times."""
    ones, others = np.array([0.91, 0.93, 0.90, 0.94]), np.array([0.85, 0.86, 0.88, 0.87])
    found = difference(
        [run("A", n, value) for n, value in enumerate(ones, 1)],
        [run("B", n, value) for n, value in enumerate(others, 1)],
    )
    gaps = ones - others
    half = stats.t.ppf(0.975, 3) * np.sqrt((1 / 4 + 50 / (30 + 20)) * gaps.var(ddof=1))
    assert (found.better, found.other, found.wins, found.runs) == ("A", "B", 4, 4)
    assert found.mean == pytest.approx(gaps.mean())
    assert found.half == pytest.approx(half)
    assert found.means_something == (gaps.mean() > half)


def test_the_better_method_stands_first_and_runs_that_one_lacks_do_not_count():
    found = difference([run("A", 1, 0.8), run("A", 2, 0.81), run("A", 3, 0.1)], [run("B", 1, 0.9), run("B", 2, 0.9)])
    assert (found.better, found.other, found.runs) == ("B", "A", 2)
    assert found.mean == pytest.approx(0.095)


def test_sentences_say_what_is_chance():
    sure = difference([run("A", n, 0.9 + n / 1000) for n in (1, 2, 3)], [run("B", n, 0.7) for n in (1, 2, 3)])
    assert str(sure).startswith("A is better than B by 20.2 points (+")
    assert str(sure).endswith("better in 3 of 3 runs): more than chance.")
    unsure = difference([run("A", 1, 0.9), run("A", 2, 0.7)], [run("B", 1, 0.7), run("B", 2, 0.85)])
    assert "Between A and B 2 runs show no difference that chance would not make: 2.5 points" in str(unsure)
    single = difference([run("A", 1, 0.9)], [run("B", 1, 0.7)])
    assert str(single) == "A is 20.0 points better than B in a single run, which tells nothing of chance."


def test_confusion_is_summed_and_a_class_that_a_run_lacks_is_no_zero():
    third = (*CLASSES, LandCoverClass(3, "wood", "#228833"))
    comparison = Comparison([run("A", 1, 0.9), run("A", 2, 0.8, third), run("B", 1, 0.5)])
    assert comparison.methods == ["A", "B"]
    assert [item.name for item in comparison.classes] == ["water", "wheat", "wood"]
    assert np.sum(comparison.confusion("A")) == 2 * 1000 + 3 * (800 + 2 * 200)
    f_measures = comparison.f_measures()
    np.testing.assert_allclose(f_measures[:, 0], [0.85, 0.85, 0.8])
    assert np.isnan(f_measures[2, 1])


def test_the_report_is_one_page_that_needs_nothing_else(tmp_path):
    comparison = Comparison([run(method, n, 0.8 + n / 100) for method in ("A<b>", "B") for n in (1, 2)])
    write_comparison(tmp_path / "report.html", comparison, {"runs": 2, "static": None}, {"C": "there is no series."})
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "C is missing: there is no series." in page
    assert "A<b>" not in page
    assert 'src="http' not in page
    assert '<th scope="row">static</th>' not in page
