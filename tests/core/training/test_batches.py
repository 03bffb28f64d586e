"""Class weights against scikit-learn's."""

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from twinns_qgis.training.batches import balanced_weights


def test_balanced_weights_are_those_of_scikit_learn():
    labels = np.random.default_rng(0).choice(4, 1000, p=[0.7, 0.2, 0.09, 0.01])
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    np.testing.assert_allclose(balanced_weights(labels, 4), expected, rtol=1e-6)
