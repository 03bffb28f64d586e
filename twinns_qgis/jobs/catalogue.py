"""All jobs that the worker and the command line run, by their ids."""

from __future__ import annotations

from twinns_qgis.jobs.assess_map import AssessMap
from twinns_qgis.jobs.compare_methods import CompareMethods
from twinns_qgis.jobs.create_demo_site import CreateDemoSite
from twinns_qgis.jobs.design_sample import DesignSample
from twinns_qgis.jobs.download_scenes import DownloadScenes
from twinns_qgis.jobs.find_scenes import FindScenes
from twinns_qgis.jobs.job import Job
from twinns_qgis.jobs.map_cover import MapCover
from twinns_qgis.jobs.prepare_sentinel1 import PrepareSentinel1
from twinns_qgis.jobs.prepare_sentinel2 import PrepareSentinel2
from twinns_qgis.jobs.smooth_map import SmoothMap
from twinns_qgis.jobs.train_model import TrainModel

__all__ = [
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
]

JOBS: dict[str, type[Job]] = {
    job.id(): job
    for job in (
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
}
