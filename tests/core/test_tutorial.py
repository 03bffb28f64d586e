"""The tutorial in the documentation works as it stands there, without internet."""

import re
import shlex
from pathlib import Path

import pytest
import rasterio

from twinns_qgis.jobs.command_line import main

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.slow
def test_the_tutorial_leads_to_a_map_that_is_mostly_right(tmp_path, monkeypatch):
    section = (DOCS / "archives.md").read_text("utf-8").partition("## Without internet")[2]
    commands = re.search(r"```\n(.*?)```", section, re.DOTALL)[1].replace("\\\n", " ").splitlines()
    monkeypatch.chdir(tmp_path)
    for command in commands:
        python, module, package, *arguments = shlex.split(command)
        assert (python, module, package) == ("python", "-m", "twinns_qgis")
        smaller = ["--size", "128"] if "create-demo-site" in arguments else []
        assert main([*arguments, *smaller]) == 0, command
    with rasterio.open("map.tif") as cover, rasterio.open("site/truth.tif") as truth:
        assert (cover.read(1) == truth.read(1)).mean() > 0.6
