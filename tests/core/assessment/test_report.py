"""The report says what it is given, whatever stands in names, and needs nothing but itself."""

import re
import threading
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from xml.etree import ElementTree

import geopandas
import numpy as np
import pytest

from twinns_qgis.assessment.insight import Importance, Insight
from twinns_qgis.assessment.measures import measure
from twinns_qgis.assessment.reliability import Trust, reliability
from twinns_qgis.assessment.report import TrainingReport, left_out, write_training_report
from twinns_qgis.errors import InputError
from twinns_qgis.samples.classes import classes_of
from twinns_qgis.samples.labelled import draw_samples
from twinns_qgis.samples.polygons import read_polygons
from twinns_qgis.series.series import SENTINEL2_BANDS, Series
from twinns_qgis.training.history import Epoch

VOID = {"meta"}
DAYS = (date(2018, 1, 5), date(2018, 3, 1), date(2018, 7, 9))


class Page(HTMLParser):
    """Collects the text of table cells, and checks that all elements are closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.cells = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes.extend((tag, name, value or "") for name, value in attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data


@pytest.fixture
def make_report():
    def make(names=("wheat", "maize", "wood"), epochs=5):
        classes = list(classes_of(names).values())
        random = np.random.default_rng(0)
        reference = np.repeat([item.code for item in classes], 1200)
        predicted = np.where(random.random(len(reference)) < 0.8, reference, random.permutation(reference))
        scores = random.dirichlet(np.ones(len(classes)), 500)
        labels = random.integers(0, len(classes), 500)
        counts = {item.code: 1200 for item in classes}
        history = [Epoch(n, 1 / n, 0.5 + n / 100, 1.2 / n, 0.4 + n / 100, 3.0 * n) for n in range(1, epochs + 1)]
        return TrainingReport(
            title="TWINNS, small",
            settings={"epochs": str(epochs), "class_field": "crop"},
            classes=classes,
            objects={part: {item.code: 7 for item in classes} for part in ("train", "validation", "test")},
            pixels={"train": counts, "validation": counts, "test": counts},
            left_out={"Class orchard": "2 objects"},
            choice=f"epoch {epochs}",
            history=history,
            best_epoch=epochs,
            trials={},
            measures=measure(reference, predicted, classes),
            trust=Trust(1.4, 17, reliability(scores, labels), reliability(scores, labels)),
            insight=Insight(
                dates={"sentinel1": DAYS[:1], "sentinel2": DAYS, "static": ()},
                bands={"sentinel1": ("VV", "VH"), "sentinel2": SENTINEL2_BANDS, "static": ("elevation",)},
                attention={
                    "sentinel1": np.ones((len(classes), 1)),
                    "sentinel2": np.vstack(
                        [random.dirichlet(np.ones(len(DAYS)), len(classes) - 1), [[np.nan] * len(DAYS)]]
                    ),
                },
                importance={
                    "sentinel2": Importance((0.1, -0.01, 0.02), (0.03,) * 10, 1000),
                    "static": Importance((), (0.05,), 1000),
                },
            ),
        )

    return make


@pytest.fixture
def write(tmp_path):
    def write(report):
        path = tmp_path / "report.html"
        write_training_report(path, report)
        return path.read_text(encoding="utf-8")

    return write


@pytest.mark.parametrize(("names", "epochs"), [("ab", 1), ("abc", 40), ([f"class {n}" for n in range(40)], 3)])
def test_reports_of_few_and_many_classes_are_well_formed(make_report, write, names, epochs):
    page = Page(write(make_report(names, epochs)))
    assert page.open == []
    assert {"table", "svg"} <= set(page.tags)


def test_the_report_needs_nothing_from_elsewhere(make_report, write):
    text = write(make_report())
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    links = [value for _, name, value in page.attributes if name in ("src", "href", "xlink:href")]
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert not re.search(r"@import|url\((?!#)", text)


def test_measures_settings_and_what_was_left_out_are_told(make_report, write):
    report = make_report()
    text = write(report)
    assert f"{100 * report.measures.accuracy:.2f}" in text
    assert f"{100 * report.measures.f_measure:.2f}" in text
    assert f"{report.measures.kappa:.4f}" in text
    cells = Page(text).cells
    assert cells[cells.index("class_field") + 1] == "crop"
    assert cells[cells.index("Class orchard") + 1] == "2 objects"


@pytest.fixture
def sparse_samples(site, listener, tmp_path):
    """Samples of the site's polygons, of which one is of a class of its own and two are neighbours in two parts."""
    table = geopandas.read_file(site.polygons)
    table["part"] = [("train", "validation", "test")[number // 2 % 3] for number in range(len(table))]
    table.loc[0, "name"] = "quarry"
    table.loc[1, "geometry"] = table.geometry[1].buffer(10, join_style="mitre")
    table.loc[2, "geometry"] = table.geometry[2].buffer(10, join_style="mitre")
    table.to_file(tmp_path / "sparse.gpkg")
    polygons = read_polygons(str(tmp_path / "sparse.gpkg"), "name", split_field="part")
    options = {"sparse": "drop", "train_share": 0.3, "validation_share": 0.2, "seed": 0}
    return draw_samples(polygons, Series.open(site.sentinel1).grid, **options, reporter=listener)


def test_what_was_left_out_is_counted_in_words(sparse_samples):
    told = left_out(sparse_samples, without_class=2, touching_dropped=True)
    assert told == {
        "Class quarry": "1 object",
        "Without a class": "2 polygons",
        "Pixels of the validation part that touch training": f"{sparse_samples.touching['validation']} pixels",
    }
    assert list(left_out(sparse_samples, without_class=0, touching_dropped=False)) == ["Class quarry"]


def test_every_class_has_its_color_counts_and_f_measure(make_report, write):
    report = make_report()
    text = write(report)
    cells = [cell.strip() for cell in Page(text).cells]
    for item, f_measure in zip(report.classes, report.measures.f_per_class, strict=True):
        assert f"background: {item.color}" in text
        first = cells.index(item.name)
        assert cells[first - 1] == str(item.code)
        assert cells[first + 1 : first + 7] == ["7"] * 3 + ["1\N{NARROW NO-BREAK SPACE}200"] * 3
        assert cells[first + 7] == f"{100 * f_measure:.1f} %"


def test_the_confusion_matrix_shows_shares_of_rows_and_counts(make_report, write):
    report = make_report()
    cells = Page(write(report)).cells
    confusion = report.measures.confusion
    share = 100 * confusion[0, 1] / confusion[0].sum()
    assert f"{share:.1f} %{confusion[0, 1]}" in cells


def test_names_and_settings_are_text_and_never_markup(make_report, write):
    evil = "<script>alert(\"1\")</script> & 'maize'"
    report = replace(make_report([evil, "wheat"]), settings={"field": evil}, left_out={evil: "1"}, title=evil)
    text = write(report)
    page = Page(text)
    assert "script" not in page.tags
    assert "<script" not in text
    assert page.cells.count(evil) >= 4  # class table, both sides of the matrix, settings


def test_a_class_without_test_pixels_gets_no_f_measure(make_report, write):
    report = make_report()
    absent = report.classes[1]
    report = replace(report, pixels={**report.pixels, "test": {item.code: 0 for item in [absent]}})
    cells = [cell.strip() for cell in Page(write(report)).cells]
    assert cells[cells.index(absent.name) + 7] == "no test pixels"


def test_figures_are_whole_svgs(make_report, write):
    figures = re.findall(r"<svg.*?</svg>", write(make_report(epochs=40)), re.DOTALL)
    assert len(figures) == 6, "learning, reliability, attention and importance of two inputs each"
    assert all(ElementTree.fromstring(figure).tag.endswith("svg") for figure in figures)


def test_reports_can_be_written_in_threads(make_report, tmp_path):
    report = make_report()
    paths = [tmp_path / f"{number}.html" for number in range(4)]
    threads = [threading.Thread(target=write_training_report, args=(path, report)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(path.read_text(encoding="utf-8").count("<svg") == 6 for path in paths)


def test_a_report_in_a_missing_folder_is_refused(make_report, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        write_training_report(tmp_path / "nowhere" / "report.html", make_report())
