"""The job that smooths a map."""

from __future__ import annotations

from typing import Any

from twinns_qgis import __version__
from twinns_qgis.errors import InputError
from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter


class SmoothMap(Job, declarations.SmoothMap):
    """Smooths a land cover map by its probabilities or by a majority filter."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Checks what was given, and smooths; see `mapping.smooth_map`."""
        from twinns_qgis.files import check_distinct, check_outputs, check_spared, file_of
        from twinns_qgis.mapping.smooth_map import smooth_map
        from twinns_qgis.mapping.smoothing import Bayes
        from twinns_qgis.rasters.qgis_style import style_path

        if not self.window % 2:
            raise InputError(
                f"WINDOW is {self.window}: no pixel is in its middle.", f"Give {self.window - 1} or {self.window + 1}."
            )
        by_bayes = self.filter == "bayes"
        if by_bayes and self.probabilities is None:
            raise InputError(
                "Bayesian smoothing needs PROBABILITIES.",
                "Give the raster that Map land cover wrote as PROBABILITIES, or choose FILTER majority.",
            )
        written = [self.output, style_path(self.output)]
        check_outputs(written[1:])
        check_distinct(written)
        check_spared(written, [file_of(path) for path in (self.map, self.probabilities) if path])
        smooth_map(
            self.map,
            self.probabilities if by_bayes else None,
            self.output,
            bayes=Bayes(self.window, self.smoothness, self.neighbours) if by_bayes else None,
            window=self.window,
            unit=self.minimum_unit,
            memory=self.memory,
            tags={"TWINNS_VERSION": __version__, "TWINNS_CALL": self.call()},
            reporter=reporter,
        )
        return {"output": str(self.output)}
