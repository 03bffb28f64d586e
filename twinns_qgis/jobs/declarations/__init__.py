"""What every job is called and can be asked for: the one place where parameters stand, a module for each group.

The jobs, the command line, QGIS's algorithms and the reference in the documentation are made from it. To add an
algorithm is to add a class to its group, here to the list of all, and a job of the same name that runs it.
"""

from __future__ import annotations

from ..parameters import Declaration
from .assessment import AssessMap, CompareMethods, DesignSample
from .demo import CreateDemoSite
from .mapping import METHODS, SIZES, SPELLINGS, MapCover, Sampling, SmoothMap, TrainModel
from .preparation import DownloadScenes, FindScenes, PrepareSentinel1, PrepareSentinel2

__all__ = [
    "DECLARATIONS", "METHODS", "SIZES", "SPELLINGS", "AssessMap", "CompareMethods", "CreateDemoSite", "DesignSample",
    "DownloadScenes", "FindScenes", "MapCover", "PrepareSentinel1", "PrepareSentinel2", "Sampling", "SmoothMap",
    "TrainModel",
]  # fmt: skip

DECLARATIONS: tuple[type[Declaration], ...] = (
    CreateDemoSite,
    FindScenes,
    DownloadScenes,
    PrepareSentinel2,
    PrepareSentinel1,
    TrainModel,
    MapCover,
    SmoothMap,
    CompareMethods,
    DesignSample,
    AssessMap,
)
"""All jobs, in the order of the work."""
