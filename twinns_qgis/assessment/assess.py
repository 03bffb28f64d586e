"""The test of a trained classifier: its measures on pixels that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from twinns_qgis.assessment.insight import Insight, attention_by_class, permutation_importance, some_of
from twinns_qgis.assessment.measures import Measures, measure
from twinns_qgis.assessment.reliability import Trust, reliability
from twinns_qgis.networks.calibration import calibrate, fit_temperature
from twinns_qgis.networks.sensor import Sensor
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.fit import predict_scores
from twinns_qgis.training.learners.learned import Learned

_SHARE_OF_TEST = 0.1
"""Of the time, where importance is measured too."""


@dataclass(frozen=True)
class Outcome:
    """A trained classifier with its measures on pixels that it has not seen.

    Args:
        learned: What was learned.
        measures: How well the test part was predicted.
        trust: What confidence is worth there.
        insight: What the classifier goes by.
    """

    learned: Learned
    measures: Measures
    trust: Trust
    insight: Insight

    def log(self, reporter: Reporter) -> None:
        """Logs accuracy, F-measure, kappa and the calibration error of the test part."""
        measures, trust = self.measures, self.trust
        reporter.info(
            f"On the test part: accuracy {measures.accuracy:.1%}, F-measure {measures.f_measure:.4f}, "
            f"kappa {measures.kappa:.4f}, with {self.learned.choice}. Confidence is off by "
            f"{trust.calibrated.expected_error:.1%} on average, and was by {trust.raw.expected_error:.1%} before its "
            f"calibration on {trust.objects} objects of the validation part"
        )


def assess(
    learned: Learned,
    sensors: Sequence[Sensor],
    stores: Mapping[str, SampleStore],
    samples: LabelledSamples,
    reporter: Reporter,
    *,
    importance: bool = False,
) -> Outcome:
    """Measures a classifier on the test part, and what its confidence is worth with a temperature from validation.

    Args:
        learned: What was trained.
        sensors: Its inputs.
        stores: The store of each of them.
        samples: The labelled pixels, their classes and parts.
        reporter: Receives the progress.
        importance: Whether to measure what the accuracy rests on, which takes a test for each date and each band.

    Raises:
        Cancelled: The user stopped it.
    """
    classifier = learned.classifier
    held, test = samples.part("validation"), samples.part("test")
    tested = _SHARE_OF_TEST if importance else 1
    held_scores = predict_scores(classifier, stores, held, reporter.part(0, 0.3 * tested))
    objects = samples.pixels.objects[held]
    temperature = fit_temperature(held_scores, samples.labels[held], objects)
    scores = predict_scores(classifier, stores, test, reporter.part(0.3 * tested, tested))
    trust = Trust(
        temperature,
        len(np.unique(objects)),
        reliability(scores, samples.labels[test]),
        reliability(calibrate(scores, temperature), samples.labels[test]),
    )
    codes = [item.code for item in samples.classes]
    measures = measure(
        [codes[label] for label in samples.labels[test]],
        [codes[label] for label in scores.argmax(axis=-1)],
        samples.classes,
    )
    some = some_of(test, seed=0)
    insight = Insight(
        dates={sensor.name: sensor.dates for sensor in sensors},
        bands={sensor.name: sensor.bands for sensor in sensors},
        attention=attention_by_class(classifier, stores, some, samples.labels, len(samples.classes)),
        importance=permutation_importance(
            classifier, sensors, stores, some, samples.labels, 0, reporter.part(tested, 1)
        )
        if importance
        else {},
    )
    return Outcome(learned, measures, trust, insight)
