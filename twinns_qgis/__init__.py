"""Land cover maps from Sentinel-1 and Sentinel-2 time series with TWINNS: the core, without QGIS."""

__version__ = "0.1.0"
