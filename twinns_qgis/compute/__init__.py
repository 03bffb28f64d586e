"""The compute environment: where it lies, how it is made, and how it is examined.

QGIS imports this package into its own Python, before there is any environment: it needs nothing but the standard
library of Python 3.9.

- ``declarations``: what users are asked; ``installation``: a set-up, from beginning to end; ``report``: a check.
- ``place``: where environments lie, and which one counts; ``backends``: what there is to install, and its size.
- ``empty``: the empty environment, of one of ``pythons``, by one of ``installers``; ``trial``: whether one computes.
- ``network``: proxy and certificates; ``processes``: programs that are run; ``failures``: what they say when they fail.
"""
