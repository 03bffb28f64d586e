"""What the plugin's metadata tell."""

from __future__ import annotations

import configparser
from functools import lru_cache

from .environment import PLUGIN_FOLDER


@lru_cache
def metadata() -> configparser.SectionProxy:
    """Returns the entries of metadata.txt by name."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(PLUGIN_FOLDER / "metadata.txt", encoding="utf-8")
    return parser["general"]
