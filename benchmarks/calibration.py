"""Calibration: what the temperature that the validation part gives does to confidence on the test part.

    .venv/bin/python benchmarks/calibration.py [--sites 20] [--first 0] [--methods RF TWINNS] [--folder FOLDER]

Makes small simulated sites, 64, 96 and 128 pixels wide in turn, each with a seed of its own, and trains each method on
each (TWINNS at the small size, by the default recipe). Prints the expected calibration error on the test part with the
scores as they come, with the temperature that makes the validation's pixels likeliest, and with the one that a training
keeps; means over the sites, the worst difference to the scores as they come, and how many sites are worse by more than
0.02. Scores are kept in FOLDER: what is there is not trained again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from accuracy import simulated_site, twinns

from twinns_qgis.assessment.reliability import reliability
from twinns_qgis.networks.calibration import calibrate, fit_temperature, likeliest_temperature
from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.labelled import draw_samples
from twinns_qgis.samples.polygons import read_polygons
from twinns_qgis.samples.store import read_samples
from twinns_qgis.series.series import Series
from twinns_qgis.training.fit import predict_scores
from twinns_qgis.training.model_file import read_model

WIDTHS = (64, 96, 128)


def main() -> None:
    options = _options()
    print("method, site, objects, T of pixels, T kept, error as it comes, by T of pixels, by T kept")
    for method in options.methods:
        errors = [report(options, method, options.first + site) for site in range(options.sites)]
        as_is, pixels, kept = np.array(errors).T
        for name, found in (("T of pixels", pixels), ("T kept", kept)):
            print(
                f"{method}, {name}: mean {found.mean():.4f} against {as_is.mean():.4f}, at worst "
                f"{(found - as_is).max():+.4f}, worse by more than 0.02 at {(found - as_is > 0.02).sum()} of "
                f"{len(as_is)} sites"
            )


def report(options: argparse.Namespace, method: str, site: int) -> tuple[float, float, float]:
    kept = options.folder / f"{method}-{site}.npz"
    if not kept.exists():
        print(f"{method}, site {site}", file=sys.stderr, flush=True)
        np.savez(kept, **score(options, method, site))
    with np.load(kept) as one:
        held, labels, objects = one["held"], one["held_labels"], one["held_objects"]
        test, truth = one["test"], one["test_labels"]
    of_pixels, fitted = likeliest_temperature(held, labels), fit_temperature(held, labels, objects)
    found = [reliability(calibrate(test, t), truth).expected_error for t in (1.0, of_pixels, fitted)]
    listed = ", ".join(f"{value:.4f}" for value in found)
    print(f"{method}, {site}, {len(np.unique(objects))}, {of_pixels:.2f}, {fitted:.2f}, {listed}", flush=True)
    return found[0], found[1], found[2]


def score(options: argparse.Namespace, method: str, site: int) -> dict[str, np.ndarray]:
    """Trains on a site; returns scores, labels and objects of validation and test."""
    folder = options.folder / f"site-{site}"
    given = simulated_site(folder, WIDTHS[site % len(WIDTHS)], seed=site)
    model, split = folder / f"{method}.twinns", folder / f"{method}.gpkg"
    how = {"method": method, "size": "small", "sparse-classes": "drop", "seed": site}
    twinns("train-model", {**given, **how, "split": split, "model": model})
    series = {name: Series.open(Path(str(given[name]))) for name in ("sentinel1", "sentinel2")}
    samples = draw_samples(
        read_polygons(str(split), "class", split_field="split"),
        series["sentinel2"].grid,
        sparse="drop",
        train_share=0.3,
        validation_share=0.2,
        seed=site,
        reporter=Reporter(),
    )
    stores = {name: read_samples(one, samples.pixels, Reporter()) for name, one in series.items()}
    classifier = read_model(model).classifier
    found: dict[str, np.ndarray] = {}
    for name, part in (("held", samples.part("validation")), ("test", samples.part("test"))):
        found[name] = predict_scores(classifier, stores, part, Reporter())
        found[f"{name}_labels"], found[f"{name}_objects"] = samples.labels[part], samples.pixels.objects[part]
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="seed of the first site")
    parser.add_argument("--methods", nargs="+", default=["RF", "TWINNS"])
    parser.add_argument("--folder", type=Path, default=Path("build/calibration"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
