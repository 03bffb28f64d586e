"""Choosing Sentinel-1 images by the orbit that they were taken from.

From another orbit the same field is seen at another angle, from the other side and at another hour: its backscatter
differs by decibels, with no change on the ground.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twinns_qgis.errors import InputError
from twinns_qgis.reporter import Reporter
from twinns_qgis.series.products.product import Orbit, Product

DIRECTIONS = ("ascending", "descending")
REPEAT = 175
"""Orbits from one repeat to the next, so relative orbits are 1 to 175."""
_LISTED = 20


def parse_orbit(text: str) -> Orbit:
    """Reads ORBIT: ``any``, ``ascending``, ``descending`` or the number of a relative orbit.

    Raises:
        InputError: It is none of these.

    Example:
        >>> parse_orbit("descending")
        Orbit(direction='descending', relative=None)
    """
    word = text.strip().lower()
    if word == "any":
        return Orbit()
    if word in DIRECTIONS:
        return Orbit(direction=word)
    if word.isascii() and word.isdigit() and 1 <= int(word) <= REPEAT:
        return Orbit(relative=int(word))
    raise InputError(
        f"ORBIT is '{text}'.", f"Give any, ascending, descending or the number of a relative orbit, 1 to {REPEAT}."
    )


def on_orbit(products: Sequence[Product], wanted: Orbit, reporter: Reporter) -> list[Product]:
    """Returns the products of an orbit, in the order given.

    Args:
        products: The products.
        wanted: Direction or relative orbit; nothing known means any.
        reporter: Receives a message if there are several orbits and none was chosen.

    Raises:
        InputError: An orbit is asked for, and that of some products is not known or none is of it.
    """
    there = Counter(str(product.orbit) for product in products)
    counts = ", ".join(f"{orbit} ({count})" for orbit, count in sorted(there.items()))
    if wanted == Orbit():
        if len(there) > 1:
            reporter.info(f"The images are of several orbits: {counts}. ORBIT can choose among them.")
        return list(products)
    unknown = [product.name for product in products if not product.orbit.tells(wanted)]
    if unknown:
        more = f" and {len(unknown) - _LISTED} more" if len(unknown) > _LISTED else ""
        raise InputError(
            f"ORBIT is {wanted}, but neither metadata nor name tell that of {len(unknown)} of {len(products)} images: "
            f"{', '.join(unknown[:_LISTED])}{more}.",
            "Set ORBIT to any, and give only the images of one orbit.",
        )
    kept = [product for product in products if product.orbit.matches(wanted)]
    if not kept:
        raise InputError(f"No image is of the ORBIT {wanted}; there are {counts}.", "Choose one of these, or any.")
    return kept
