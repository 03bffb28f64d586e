"""What users are told of their labels: what is left out, and what may be wrong."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from twinns_qgis.reporter import Reporter
from twinns_qgis.samples.classes import alike
from twinns_qgis.samples.pixels import Contested
from twinns_qgis.samples.polygons import LabelledPolygons

_MANY = 10
"""Times the training pixels of the median class: a class with more is told of."""
_LISTED = 10


def tell_polygons(polygons: LabelledPolygons, reporter: Reporter) -> None:
    """Warns of features that are left out, and of names that may be one."""
    if polygons.without_polygon:
        reporter.warning(
            f"{polygons.without_polygon} features without a polygon or point that can be read are left out."
        )
    if polygons.without_class:
        reporter.warning(f"{polygons.without_class} polygons without a class are left out.")
    for names in alike(polygons.spellings):
        listed = ", ".join(f"'{name}' ({count})" for name, count in names.items())
        reporter.warning(
            f"Names of classes differ in case, spaces or accents alone: {listed}. Spaces at the ends are ignored, else "
            "each is a class of its own. If they are one, write them alike in the class field."
        )


def tell_objects(count: int, missing: int, contested: Contested, reporter: Reporter) -> None:
    """Warns of objects without a pixel, and of pixels that several classes claim."""
    empty = missing - len(contested.objects)
    if empty:
        reporter.warning(f"{empty} of {count} objects hold no pixel's centre and are left out.")
    if contested.count:
        pairs = sorted(contested.pairs.items(), key=lambda pair: -pair[1])
        listed = ", ".join(f"{one} and {other} ({pixels})" for (one, other), pixels in pairs[:_LISTED])
        whole = f" Of {len(contested.objects)} objects nothing is left." if contested.objects else ""
        reporter.warning(
            f"{contested.count} pixels lie in polygons of different classes, and are left out: {listed}"
            f"{' ...' if len(pairs) > _LISTED else ''}.{whole} Which class is right can't be known: correct the "
            "polygons where they overlap."
        )


def tell_balance(counts: Mapping[str, int], thinned: Mapping[str, int], reporter: Reporter) -> None:
    """Tells what was thinned, or warns of classes with many more training pixels than others.

    Args:
        counts: Training pixels of each class, by name.
        thinned: Those that were left out, by name of the class.
        reporter: Receives the messages.
    """
    if thinned:
        listed = ", ".join(f"{name} ({count})" for name, count in thinned.items())
        reporter.info(f"MAX_PIXELS leaves out training pixels of {listed}.")
        return
    median = float(np.median(list(counts.values())))
    many = {name: count for name, count in counts.items() if count > _MANY * median}
    if many:
        listed = ", ".join(f"{name} ({count})" for name, count in many.items())
        reporter.warning(
            f"Some classes have many more training pixels than others, of which the median is {median:g}: {listed}. "
            "MAX_PIXELS keeps fewer of them, CLASS_WEIGHTS lets each class count alike."
        )
