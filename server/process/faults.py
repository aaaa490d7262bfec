"""Where a test ends the process. Rule: off unless HANDOVER_FAULT names the point, in the environment alone.

A test that kills a process from outside meets one of many moments; here it names the one that it means.
"""

import os
import signal
from typing import Final

VARIABLE: Final = "HANDOVER_FAULT"
POINTS: Final = (
    "sockets",
    "ready",
    "begin",
    "begun",
    "release",
    "sent",
    "go",
    "spread",
    "away",
    "told",
    "took",
    "taken",
    "homeward",
    "end",
)  # in the order of a hand-over
_named, _, _times = os.environ.get(VARIABLE, "").partition(":")  # `took:3`: the third time
_left = int(_times or 1) if _named else 0


def at(point: str) -> None:
    """The process is killed here, as by SIGKILL, where a test said so."""
    global _left
    if point == _named:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
