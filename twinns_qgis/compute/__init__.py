"""The compute environment: where it lies, how it is made, and how it is examined.

QGIS imports this package into its own Python, before there is any environment: it needs nothing but the standard
library of Python 3.9.
"""
