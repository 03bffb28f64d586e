"""What the jobs of the group *Assessment* are called and can be asked for."""

from __future__ import annotations
