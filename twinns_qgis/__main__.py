"""``python -m twinns_qgis``: the command line, and the worker that QGIS starts."""

import sys

from twinns_qgis.jobs.command_line import main

sys.exit(main())
