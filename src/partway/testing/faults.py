"""Fault points: named places between two durable steps where a test may kill or pause the process.

``PARTWAY_FAULT=<point>:<action>[:<nth>]`` arms one point in the process that reads it; ``<nth>`` (1) is the
visit that counts. Actions: ``kill`` (SIGKILL to itself), ``pause`` (wait while the file named by
``PARTWAY_FAULT_FILE`` exists), ``error`` (raise OSError). Without the variable a point costs one comparison.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

UPLOAD_POINTS = (
    "blob-created",
    "blob-written",
    "blob-synced",
    "blob-renamed",
    "blob-durable",
    "accept-begun",
    "accept-written",
    "accept-committed",
)
"""The points a part passes on its way, in order."""

DELETE_POINTS = ("tombstone-committed", "shared-released", "blob-removed", "tombstone-emptied")
"""The points a deletion passes, in order."""

_armed = os.environ.get("PARTWAY_FAULT", "")
_visits = 0


def reached(point: str) -> None:
    """Say that execution has reached ``point``; does what the armed fault says, if it is this one."""
    if _armed and _armed.split(":", 1)[0] == point:
        _strike()


def _strike() -> None:
    global _visits
    _visits += 1
    _, action, *nth = _armed.split(":")
    if _visits != int(nth[0] if nth else 1):
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "pause":
        gate = Path(os.environ["PARTWAY_FAULT_FILE"])
        while gate.exists():
            time.sleep(0.01)
    if action == "error":
        raise OSError(errno.EIO, f"fault point {_armed}")
