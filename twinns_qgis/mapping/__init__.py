"""From a model and the series to a land cover map."""
