"""The test: what a trained classifier says of pixels that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping

from twinns_qgis.assessment.measures import Measures, measure
from twinns_qgis.assessment.reliability import Trust, reliability
from twinns_qgis.networks.calibration import calibrate
from twinns_qgis.networks.trained import TrainedClassifier
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import LabelledSamples
from twinns_qgis.samples.store import SampleStore
from twinns_qgis.training.calibration import fit_temperature
from twinns_qgis.training.fit import predict_scores


def assess(
    classifier: TrainedClassifier, stores: Mapping[str, SampleStore], samples: LabelledSamples, reporter: Reporter
) -> tuple[Measures, Trust]:
    """Measures a classifier on the test part, and what its confidence is worth with a temperature from validation.

    Args:
        classifier: What was trained.
        stores: The store of each sensor.
        samples: The labelled pixels, their classes and parts.
        reporter: Hears of the progress.

    Raises:
        Cancelled: The user stopped it.
    """
    held, test = samples.part("validation"), samples.part("test")
    held_scores = predict_scores(classifier, stores, held, reporter.part(0, 0.3))
    temperature = fit_temperature(held_scores, samples.labels[held])
    scores = predict_scores(classifier, stores, test, reporter.part(0.3, 1))
    trust = Trust(
        temperature,
        reliability(scores, samples.labels[test]),
        reliability(calibrate(scores, temperature), samples.labels[test]),
    )
    codes = [item.code for item in samples.classes]
    measures = measure(
        [codes[label] for label in samples.labels[test]],
        [codes[label] for label in scores.argmax(axis=-1)],
        samples.classes,
    )
    return measures, trust
