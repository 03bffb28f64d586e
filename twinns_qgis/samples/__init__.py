"""From polygons with a class to labelled pixels, split by object (METHOD section 4)."""
