"""From products and files on disk to one time series raster a sensor (METHOD section 1)."""
