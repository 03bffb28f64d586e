"""From an area and a year to a scene list: searching archives by their STAC APIs."""
