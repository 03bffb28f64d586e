"""From an area and a year to a scene list, by the STAC APIs of archives, and from there to a folder of its bands."""
