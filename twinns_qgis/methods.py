"""All that METHOD can be: the networks and the forests."""

from __future__ import annotations

from dataclasses import fields

from twinns_qgis.forests import METHODS as FORESTS
from twinns_qgis.forests import ForestMethod
from twinns_qgis.networks.architectures import Architecture, architecture, network_methods
from twinns_qgis.networks.hyperparameters import Hyperparameters

_PAPERS = {"RF": "RF(S1,S2)", "RFLF": "RFLF(S1,S2)"}
"""What the paper calls two methods."""


def method_names() -> tuple[str, ...]:
    """Returns the names of all methods, networks first."""
    return (*network_methods(), *FORESTS)


def description(method: str) -> Architecture | ForestMethod:
    """Returns what a method is, by its name.

    Raises:
        InputError: There is no such method.
    """
    return FORESTS.get(_PAPERS.get(method, method)) or architecture(method)


def network_of(method: str) -> str | None:
    """Returns the method whose network a method trains: itself, or that of which a forest sees the features."""
    forests = FORESTS.get(_PAPERS.get(method, method))
    return forests.network if forests else method


def unused_hyperparameters(method: str) -> frozenset[str]:
    """Returns the names of the hyperparameters of networks that a method has no use for."""
    network = network_of(method)
    return architecture(network).unused if network else frozenset(one.name for one in fields(Hyperparameters))


def title(method: str, size: str) -> str:
    """Returns a method in words, such as ``TWINNS, size paper``; a forest on a series has no size."""
    return f"{method}, size {size}" if network_of(method) else method
