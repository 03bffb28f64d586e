"""The plugin on Qt 6, on which QGIS 4 is built: with PyQt6, and the declarations of the QGIS that runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from qt6_declarations import write_declarations

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("PyQt6", reason="`make setup` installs it")

SETTINGS = """
[mypy]
strict_optional = False
check_untyped_defs = True
follow_imports = silent
explicit_package_bases = True
[mypy-qgis.*]
ignore_errors = True
[mypy-processing.*]
ignore_missing_imports = True
"""
CHECKED = ["--package=twinns.algorithms", "--module=twinns.plugin", "--module=faulty"]
IMPORTS = """\
from qgis.PyQt.QtCore import QDate, QDateTime, QProcess, Qt, QVariant
from qgis.PyQt.QtGui import QFont, QFontMetrics
from qgis.PyQt.QtWidgets import QDialog, QFrame
from qgis.core import *
""".splitlines()
# What plugins for QGIS 3 have, line by line, and QGIS 4 or PyQt6 knows no longer.
FAULTS = """\
from qgis.PyQt.QtCore import QRegExp
from qgis.PyQt.QtWidgets import QAction
Qt.ISODate
Qt.Checked
QProcess.NotRunning
QFrame.HLine
QVariant.Int
QDialog().exec_()
QDateTime(QDate(2018, 5, 7))
QFontMetrics(QFont()).width("a")
QgsProcessing.TypeRaster
QgsProcessingAlgorithm.FlagNoThreading
QgsProcessingParameterNumber("A", "a", 0)
QgsProcessingParameterFile("A", "a", QgsProcessingParameterFile.Folder)
QgsProcessingParameterNumber("A").setFlags(2)
QgsProcessingParameterNumber("A").setNoSuchThing(2)
""".splitlines()


@pytest.fixture(scope="module")
def declarations(qgis_app, tmp_path_factory):
    """The folder of the declarations."""
    folder = tmp_path_factory.mktemp("declarations")
    write_declarations(folder)
    return folder


def test_modules_dialogs_and_worker_work_on_pyqt6(declarations):
    """In a process of its own: two Qts can't be in one."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:pytest_qgis", "-p", "no:cacheprovider", "-q", "tests/qt6"],
        cwd=ROOT,
        env={**os.environ, "TWINNS_DECLARATIONS": str(declarations), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_calls_fit_qgis_and_pyqt6(declarations, compute_python, tmp_path):
    """The static check finds what no test runs, and, to show that it does, the faults."""
    (tmp_path / "mypy.ini").write_text(SETTINGS)
    (tmp_path / "twinns").symlink_to(ROOT)
    faulty = [*IMPORTS, *FAULTS]
    (tmp_path / "faulty.py").write_text("\n".join(faulty))
    done = subprocess.run(
        [compute_python, "-m", "mypy", f"--python-executable={sys.executable}", "--no-incremental", *CHECKED],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": f"{declarations}:{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^(.*\.py):(\d+): error: (.*)", done.stdout, flags=re.MULTILINE)
    assert [fault for fault in found if fault[0] != "faulty.py"] == [], done.stdout
    assert {faulty[int(line) - 1] for _, line, _ in found} == set(FAULTS), done.stdout + done.stderr
