"""What setting up and examining the compute environment are called and can be asked for."""

from __future__ import annotations

from pathlib import Path

from ..jobs.parameters import Declaration, choice, file, file_output, folder, text

_CHOICES = {
    "auto": "Automatic: the NVIDIA GPU on Linux if there is one, else the processor",
    "tensorflow": "TensorFlow on the processor",
    "tensorflow-gpu": "TensorFlow on an NVIDIA GPU (Linux)",
    "jax": "JAX, on an NVIDIA GPU on Linux",
    "torch": "PyTorch; on Windows its GPU needs an index",
    "remove": "Remove the compute environment",
}
_TEXT_FILES = "Text files (*.txt)"
_GROUP = "Compute environment"


class SetupCompute(Declaration):
    """Making the compute environment."""

    command = "setup-compute"
    label = "Set up the compute environment"
    group = _GROUP
    page = "qgis.md#installing"
    summary = "Installs what the other algorithms compute with, into your profile."
    description = (
        "Makes the compute environment: a Python of its own with TensorFlow and the other libraries, in your QGIS "
        "profile. Nothing is installed into QGIS. It is needed once, and again after some updates of the plugin.\n\n"
        "With TensorFlow on the processor about 820 MB are downloaded, and 2.8 GB of room are needed. The versions are "
        "fixed, and every package is checked against its hash. The network is reached as QGIS's options say, proxy and "
        "password included. Before the environment counts, it has to take a step of a training.\n\n"
        "It can be cancelled at any time and run again: the environment that was there counts until the new one is "
        "whole."
    )
    tags = "install,setup,environment,python,tensorflow,gpu,cuda,repair,remove,twinns"

    backend: str = choice(
        "What to compute with",
        "What to install; remove takes away what was installed.",
        default="auto",
        choices=_CHOICES,
    )
    interpreter: Path | None = file(
        "Python that has the packages, instead",
        "A Python of yours, 3.10 to 3.13, that has the packages already: it is tried out, and used as it is.",
        default=None,
        advanced=True,
    )
    wheels: Path | None = folder(
        "Folder of wheels, instead of the network",
        "A folder with the wheels of all packages in the lock, and of uv: nothing is downloaded.",
        default=None,
        advanced=True,
    )
    index: str | None = text(
        "Package index to look in first",
        "Address of a package index: your company's, or the one with PyTorch for the GPU, which Windows needs.",
        default=None,
        advanced=True,
    )
    report: Path | None = file_output(
        "Report", "A text file of what was installed to write.", default=None, kind=_TEXT_FILES
    )


class CheckCompute(Declaration):
    """Examining the compute environment."""

    command = "check-compute"
    label = "Check the compute environment"
    group = _GROUP
    page = "qgis.md#installing"
    summary = "Tells what the algorithms compute with, how fast it is, what is wrong and what to do."
    description = (
        "Examines the compute environment: versions, devices and how fast each multiplies matrices, one step of a "
        "training, room on the disk, memory and settings. It says what is wrong and what to do.\n\n"
        "The report is a text to paste into a report of a defect: it holds no names of users, computers or passwords."
    )
    tags = "check,diagnosis,environment,python,gpu,version,report,support,twinns"

    report: Path | None = file_output("Report", "A text file of the report to write.", default=None, kind=_TEXT_FILES)


DECLARATIONS: tuple[type[Declaration], ...] = (SetupCompute, CheckCompute)
"""Both, in the order of the work."""
