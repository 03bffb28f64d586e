"""The jobs: what each is called and can be asked for (`declarations`), and what runs it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinns_qgis.jobs.catalogue import *  # noqa: F403


def __getattr__(name: str) -> Any:
    """Loads the jobs when one is asked for: QGIS's own Python reads the declarations, and lacks what jobs need."""
    if name not in (
        "JOBS",
        "AssessMap",
        "CompareMethods",
        "CreateDemoSite",
        "DesignSample",
        "DownloadScenes",
        "FindScenes",
        "Job",
        "MapCover",
        "PrepareSentinel1",
        "PrepareSentinel2",
        "SmoothMap",
        "TrainModel",
    ):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".catalogue", __name__), name)
