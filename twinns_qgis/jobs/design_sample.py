"""The job that designs a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinns_qgis.errors import InputError
from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter

_LISTED = 12


class DesignSample(Job, declarations.DesignSample):
    """Draws a stratified random sample of points over a map, to be labelled."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Counts the map's pixels, allocates points to its classes, draws them and writes the layer."""
        from twinns_qgis.assessment.sample import draw
        from twinns_qgis.assessment.sample_layer import check_sample_output, write_sample
        from twinns_qgis.files import check_spared, file_of
        from twinns_qgis.mapping.classified import ClassifiedMap

        check_sample_output(self.output)
        check_spared([self.output], map(file_of, [self.map, *self.tiles]))
        cover = ClassifiedMap.open([self.map, *self.tiles])
        pixels = {code: extent.pixels for code, extent in cover.extents(reporter.part(0, 0.5)).items()}
        if len(pixels) < 2:
            raise InputError(
                f"The map {self.map} shows {len(pixels)} class: a sample within each class needs two.",
                "Choose a map with several classes, and check its no data value.",
            )
        names = {code: cover.names.get(code, str(code)) for code in pixels}
        wanted = self._allocate(pixels, names, reporter)
        drawn = draw(cover, pixels, wanted, self.seed, reporter.part(0.5, 1))
        # A class that the map shows nowhere may yet be what is on the ground.
        others = [name for code, name in sorted(cover.names.items()) if code not in pixels]
        write_sample(self.output, drawn, cover.grid, list(dict.fromkeys([*names.values(), *others])))
        return {"output": str(self.output), "count": len(drawn)}

    def _allocate(self, pixels: Mapping[int, int], names: Mapping[int, str], reporter: Reporter) -> dict[int, int]:
        from twinns_qgis.assessment.sample import OLOFSSON, allocate, parse_expected, sample_size

        size = self.size or sample_size(pixels, parse_expected(self.expected, names), self.target_error)
        wanted = allocate(pixels, size, self.allocation, self.least)
        listed = [f"{names[code]} {count}" for code, count in wanted.items()]
        some = ", ".join(listed[:_LISTED]) + (", ..." if len(listed) > _LISTED else "")
        reporter.info(f"{sum(wanted.values())} points: {some}")
        if short := [names[code] for code, count in wanted.items() if count == pixels[code]]:
            reporter.warning(f"All pixels of {', '.join(short)} are drawn: the map has no more.")
        if self.allocation == OLOFSSON and sum(wanted.values()) > size + len(wanted):
            reporter.warning(
                f"That is more than the {size} that were wanted, as each class gets {self.least} at least: lower LEAST "
                "for fewer."
            )
        return wanted
