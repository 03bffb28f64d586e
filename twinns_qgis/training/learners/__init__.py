"""Training of networks and forests. A job asks for the learner of a method, and need not know which it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from twinns_qgis.training.fit import Fitting
from twinns_qgis.training.forest_search import ForestGrid
from twinns_qgis.training.learners.forest import ForestLearner
from twinns_qgis.training.learners.learned import Learner
from twinns_qgis.training.learners.network import NetworkLearner
from twinns_qgis.training.manifest import Manifest


def make_learner(model: Path, manifest: Manifest, fitting: Fitting, grid: ForestGrid) -> Learner:
    """Returns the learner of a manifest's method.

    Args:
        model: The model file to come.
        manifest: What it says.
        fitting: How to fit a network.
        grid: The forests to choose from.
    """
    method = manifest.method
    if not method.forests:
        return NetworkLearner(model, manifest, fitting)
    # A training that is cancelled leaves this network, as a model of its own.
    of = method.trained_network
    network = NetworkLearner(model, replace(manifest, method=of), fitting) if of else None
    return ForestLearner(method, manifest.sensors, grid, fitting.seed, network)
