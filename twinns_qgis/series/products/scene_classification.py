"""Which classes of Sen2Cor's scene classification, SCL, show the ground."""

from __future__ import annotations

CLEAR_SCENES = frozenset({4, 5, 6, 7, 11})
"""Classes of SCL that show the ground: vegetation, bare soil, water, unclassified, snow.

Not clear are no data (0), saturated (1), clouds and cirrus (8-10), shadows of clouds (3) and dark areas (2), which
hold what shadow 3 misses. Snow stays, as it does in THEIA's mask CLM: it is the surface, and the paper fills clouds,
shadows and missing pixels alone.
"""
