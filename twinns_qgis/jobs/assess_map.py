"""The job that assesses a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinns_qgis.jobs import declarations
from twinns_qgis.jobs.job import Job
from twinns_qgis.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twinns_qgis.assessment.map_report import MapReport
    from twinns_qgis.assessment.reference import Compared
    from twinns_qgis.mapping.classified import Extent

_TEST = "test"


class AssessMap(Job, declarations.AssessMap):
    """Measures how well a land cover map agrees with a reference."""

    def _run(self, reporter: Reporter) -> dict[str, Any]:
        """Counts the map's pixels, compares those of the reference, and writes report and table."""
        from twinns_qgis.assessment.map_report import write_map_report, write_map_table
        from twinns_qgis.assessment.reference import compare
        from twinns_qgis.files import check_spared, file_of
        from twinns_qgis.mapping.classified import ClassifiedMap
        from twinns_qgis.samples.polygons import read_polygons, split_source

        rasters = [self.map, *self.tiles, *([self.validity] if self.validity else [])]
        inputs = [*map(file_of, rasters), split_source(self.reference)[0]]
        check_spared([path for path in (self.report, self.table) if path], inputs)
        cover = ClassifiedMap.open([self.map, *self.tiles])
        polygons = read_polygons(self.reference, self.class_field, split_field=self.split_field)
        extents = cover.extents(reporter.part(0, 0.8))
        part = _TEST if self.split_field else None
        compared = compare(cover, list(extents), polygons, part, reporter)
        report = self._report(extents, compared, part)
        report.log(reporter)
        if self.report:
            write_map_report(self.report, report)
        if self.table:
            write_map_table(self.table, report)
        outputs = {"report": self.report, "table": self.table}
        return {
            **{name: str(path) for name, path in outputs.items() if path},
            "accuracy": report.measures.accuracy,
            "f_measure": report.measures.f_measure,
            "kappa": report.measures.kappa,
        }

    def _report(self, extents: Mapping[int, Extent], compared: Compared, part: str | None) -> MapReport:
        import numpy as np

        from twinns_qgis.assessment.area import area_adjusted
        from twinns_qgis.assessment.map_report import HECTARE, MapReport
        from twinns_qgis.assessment.measures import measure

        codes = np.array([item.code for item in compared.classes])
        hectares = np.array([extents[code].area / HECTARE if code in extents else 0.0 for code in codes.tolist()])
        adjusted = None
        if self.probability_sample == "yes":
            compared.check_is_sample()
            adjusted = area_adjusted(compared.counts, hectares)
        names = ("map", "tiles", "reference", "class_field", "split_field", "probability_sample", "validity")
        told = {name: self.told(name) for name in names}
        told["tiles"] = ", ".join(map(str, told["tiles"])) or None
        return MapReport(
            title=self.map.name,
            classes=compared.classes,
            mapped_codes=compared.mapped_codes,
            hectares=hectares,
            pixels=len(compared.pixels),
            objects=len(np.unique(compared.pixels.objects)),
            what="points" if compared.points else "polygons",
            part=part,
            measures=measure(codes[compared.reference], codes[compared.mapped], compared.classes),
            adjusted=adjusted,
            groups=self._groups(compared),
            remarks=compared.remarks,
            settings={name: str(value) for name, value in told.items() if value is not None},
        )

    def _groups(self, compared: Compared) -> dict[str, Any]:
        from twinns_qgis.assessment.groups import by_border, by_clear_dates, by_object_size
        from twinns_qgis.assessment.reference import clear_dates

        right = compared.mapped == compared.reference
        groups = {}
        if not compared.points:
            groups["At the borders of polygons"] = by_border(compared.pixels, right)
            groups["By the size of the polygon"] = by_object_size(compared.pixels, right)
        if self.validity:
            groups["By the number of clear dates"] = by_clear_dates(clear_dates(self.validity, compared.pixels), right)
        return {title: found for title, found in groups.items() if found}
