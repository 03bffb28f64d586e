"""What declarations of several groups have in common: limits, and parameters that mean the same everywhere."""

from __future__ import annotations

from ..parameters import Limit, text, whole_number

FROM_0 = Limit(0)
FROM_1 = Limit(1)
ABOVE_0 = Limit(0, above=True)
SHARE = Limit(0, 1, above=True, below=True)
SEED = Limit(0, 2**32 - 1)
HTML = "HTML files (*.html)"
MEMORY = whole_number(
    "Memory to use (MB)",
    "Memory to use, in MB: with more of it, work goes on in larger blocks.",
    default=2048,
    limit=FROM_1,
    advanced=True,
)
SCHEDULER = text(
    "Dask scheduler of a cluster (address)",
    "Address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers do the work; by default this machine.",
    default=None,
    advanced=True,
)
