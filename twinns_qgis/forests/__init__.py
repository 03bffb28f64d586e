"""Random forests on the series at a pixel, or on the features of a network (paper, section 4.1; METHOD section 3)."""
