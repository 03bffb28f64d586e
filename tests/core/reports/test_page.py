"""A report is written whole, or not at all and with a reason."""

from pathlib import Path

import pytest

from twinns_qgis.errors import InputError
from twinns_qgis.reports.page import write_page


def test_a_full_disk_is_told_and_leaves_the_report_of_before(tmp_path, monkeypatch):
    template = tmp_path / "report.html.j2"
    template.write_text("{{ what }}")
    report = tmp_path / "report.html"
    write_page(report, template, what="before")

    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match=r"report\.html can't be written: .*No space left on device") as error:
        write_page(report, template, what="after")
    assert "Free some space" in error.value.hint
    assert report.read_text() == "before"
    assert not list(tmp_path.glob("*.partial"))
