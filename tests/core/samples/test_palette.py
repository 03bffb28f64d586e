"""Colours of classes: they mean what names say, and everybody can tell them apart."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinns_qgis.samples.palette import PALETTE, colors_of

LEAST = 16.0
"""Least distance between any two colours, in CIE L*a*b* (1976); 2.3 is what is just noticed side by side."""

# Linear RGB as seen without red or without green cones: Machado, Oliveira and Fernandes 2009, table 1, severity 1.
VISION = {
    "common": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
# sRGB to XYZ under D65 (IEC 61966-2-1), and its white.
TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
WHITE = [0.95047, 1.0, 1.08883]


def linear(colors):
    values = np.array([list(bytes.fromhex(color[1:])) for color in colors]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x, y, z = (np.asarray(rgb) @ np.transpose(TO_XYZ) / WHITE).T
    x, y, z = (np.where(v > 216 / 24389, np.cbrt(v), (24389 / 27 * v + 16) / 116) for v in (x, y, z))
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def test_the_conversion_gives_known_values():
    np.testing.assert_allclose(lab(linear(["#ffffff"]))[0], [100, 0, 0], atol=0.01)
    np.testing.assert_allclose(lab(linear(["#ff0000"]))[0], [53.24, 80.09, 67.20], atol=0.02)


@pytest.mark.parametrize("vision", VISION)
def test_any_two_colors_can_be_told_apart(vision):
    seen = lab(np.clip(linear(PALETTE) @ np.transpose(VISION[vision]), 0, 1))
    least = min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2))
    assert least >= LEAST


def hue(color):
    """Hue in degrees and chroma of a colour in CIE L*a*b*."""
    _, a, b = lab(linear([color]))[0]
    return np.degrees(np.arctan2(b, a)) % 360, np.hypot(a, b)


MEANINGS = {
    "blue": (
        235,
        310,
        "water eau Wasser agua acqua água Gewässer lakes rivières Seen lagos laghi rios Wasserfläche sea",
    ),
    "green": (90, 170, "forest forêt Wald bosque bosco floresta Laubwälder boschi trees feuillus conifères Nadelwald"),
    "yellow-green": (90, 170, "grassland prairie Grünland pradera prati pastagem Wiesen meadows pastures pâturages"),
    "red": (345, 35, "built-up bâti Siedlung urbano edificato construído urban Siedlungsflächen ciudades residenziale"),
    "ochre": (50, 105, "cropland cultures Ackerland cultivos seminativi lavoura wheat blé Weizen trigo frumento maïs"),
    "purple": (300, 350, "vineyard vigne Weinberg viñedo vigneto vinha Rebland vignobles viñedos vigneti vinhas"),
    "teal": (180, 240, "wetland marais Moor humedal palude pântano Hochmoor marshes tourbières flooded_forest"),
}
MEANINGS = {what: (low, high, names.split()) for what, (low, high, names) in MEANINGS.items()}


@pytest.mark.parametrize("name", [f"{what}: {name}" for what, (*_, names) in MEANINGS.items() for name in names])
def test_colors_mean_what_names_say(name):
    what, name = name.split(": ")
    low, high, _ = MEANINGS[what]
    for spelt in (name, name.upper(), f"{name.replace('_', ' ')} (1)"):
        angle, chroma = hue(colors_of([spelt])[0])
        assert (angle - low) % 360 <= (high - low) % 360
        assert chroma > 10 or what == "green"


@pytest.mark.parametrize("name", ["snow", "neige", "Schnee", "nieve", "neve", "glaciers", "Eis"])
def test_snow_is_nearly_white(name):
    assert lab(linear(colors_of([name])))[0][0] > 90


@pytest.mark.parametrize("name", ["bureau", "plateau", "seed", "class 3", "17", "", "水"])
def test_other_names_mean_nothing(name):
    assert colors_of([name]) == [PALETTE[0]]


words = st.sampled_from(["water", "Wald", "sol nu", "bosco", "x", "17", "vigne", "urban", "lake", "blé", "ice", "水"])


@settings(deadline=None, max_examples=50)
@given(st.lists(words, max_size=len(PALETTE)))
def test_as_many_classes_as_there_are_colors_have_one_each(names):
    colors = colors_of(names)
    assert len(set(colors)) == len(names)
    assert set(colors) <= set(PALETTE)


def test_more_classes_repeat_colors():
    assert set(colors_of([str(number) for number in range(254)])) == set(PALETTE)
    assert len(colors_of([str(number) for number in range(254)])) == 254
