"""From Sentinel-1 images to one series of decibels in 8 bits (METHOD section 1)."""
