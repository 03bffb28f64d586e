"""The test of a trained classifier: its measures on pixels that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twinns_qgis.assessment.measures import Measures, measure
from twinns_qgis.assessment.reliability import Trust, reliability
from twinns_qgis.networks.calibration import calibrate, fit_temperature
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.fit import predict_scores
from twinns_qgis.training.learners.learned import Learned


@dataclass(frozen=True)
class Outcome:
    """A trained classifier with its measures on pixels that it has not seen.

    Args:
        learned: What was learned.
        measures: How well the test part was predicted.
        trust: What confidence is worth there.
    """

    learned: Learned
    measures: Measures
    trust: Trust

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
    learned: Learned, stores: Mapping[str, SampleStore], samples: LabelledSamples, reporter: Reporter
) -> Outcome:
    """Measures a classifier on the test part, and what its confidence is worth with a temperature from validation.

    Args:
        learned: What was trained.
        stores: The store of each sensor.
        samples: The labelled pixels, their classes and parts.
        reporter: Receives the progress.

    Raises:
        Cancelled: The user stopped it.
    """
    classifier = learned.classifier
    held, test = samples.part("validation"), samples.part("test")
    held_scores = predict_scores(classifier, stores, held, reporter.part(0, 0.3))
    objects = samples.pixels.objects[held]
    temperature = fit_temperature(held_scores, samples.labels[held], objects)
    scores = predict_scores(classifier, stores, test, reporter.part(0.3, 1))
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
    return Outcome(learned, measures, trust)
