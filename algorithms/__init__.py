"""The algorithms of QGIS Processing: each hands a job to the worker, and none computes."""
