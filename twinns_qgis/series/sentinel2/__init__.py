"""From Sentinel-2 products to one gap-filled series of reflectance (METHOD section 1)."""
