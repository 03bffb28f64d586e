"""Accuracy, F-measure, Cohen's kappa and the confusion matrix (METHOD section 4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score

from twinns_qgis.errors import InputError
from twinns_qgis.samples.classes import LandCoverClass


@dataclass(frozen=True)
class Measures:
    """How well predicted classes agree with the reference.

    Args:
        accuracy: Share of the pixels whose class is right, 0 to 1.
        f_measure: Mean of the classes' F-measures, weighted by their pixels in the reference, 0 to 1.
        kappa: Cohen's kappa, -1 to 1; 0 where chance alone explains all agreement, as with a single class.
        f_per_class: F-measure of each of the K classes, 0 to 1; 0 for a class that occurs nowhere.
        confusion: Pixels by reference class (rows) and predicted class (columns), shape (K, K), in the order of the
            classes.
    """

    accuracy: float
    f_measure: float
    kappa: float
    f_per_class: tuple[float, ...]
    confusion: NDArray[np.int64]

    def to_json(self, classes: Sequence[LandCoverClass]) -> dict[str, Any]:
        """Returns plain values, the F-measures by the names of the K classes."""
        names = [item.name for item in classes]
        return {
            "accuracy": self.accuracy,
            "f_measure": self.f_measure,
            "kappa": self.kappa,
            "f_per_class": dict(zip(names, self.f_per_class, strict=True)),
            "confusion": self.confusion.tolist(),
        }


def measure(reference: ArrayLike, predicted: ArrayLike, classes: Sequence[LandCoverClass]) -> Measures:
    """Returns accuracy, F-measures, kappa and the confusion matrix of predicted classes against the reference.

    All measures are finite, so that they can be written as JSON: what is undefined counts as no success.

    Args:
        reference: Class codes, shape (N,).
        predicted: Class codes of the same pixels, shape (N,).
        classes: The K classes; some may be absent from either.

    Raises:
        InputError: There are no pixels, or a code belongs to no class.

    Example:
        >>> classes = [LandCoverClass(1, "water", "#4477aa"), LandCoverClass(2, "wheat", "#ddaa33")]
        >>> measures = measure(reference=[1, 1, 2, 2], predicted=[1, 1, 2, 1], classes=classes)
        >>> measures.accuracy, round(measures.kappa, 2)
        (0.75, 0.5)
    """
    reference, predicted = np.asarray(reference), np.asarray(predicted)
    codes = [item.code for item in classes]
    _check(reference, predicted, codes)
    f_per_class = f1_score(reference, predicted, labels=codes, average=None, zero_division=0)
    confusion = confusion_matrix(reference, predicted, labels=codes).astype(np.int64)
    # Chance gives full agreement on a single class, and kappa is 0 / 0.
    single = len(np.union1d(reference, predicted)) == 1
    return Measures(
        accuracy=math.fsum(confusion.diagonal()) / len(reference),
        f_measure=float(np.average(f_per_class, weights=confusion.sum(axis=1))),
        kappa=0.0 if single else float(cohen_kappa_score(reference, predicted, labels=codes)),
        f_per_class=tuple(f_per_class.tolist()),
        confusion=confusion,
    )


def _check(reference: NDArray[np.generic], predicted: NDArray[np.generic], codes: Sequence[int]) -> None:
    if not len(reference):
        raise InputError("There are no reference pixels to assess with.", "Give polygons that lie within the map.")
    for name, values in (("reference", reference), ("map", predicted)):
        unknown = np.setdiff1d(values, codes)
        if len(unknown):
            raise InputError(
                f"The {name} has the class codes {', '.join(map(str, unknown[:5]))}; "
                f"the classes are {', '.join(map(str, codes))}.",
                "Use a reference and a map with the same classes.",
            )
