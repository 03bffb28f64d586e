"""Grids, blocks of them, and how rasters are made of blocks: what preparing a series and mapping have in common."""
