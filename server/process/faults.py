"""Where a test ends the process, or stops it. Rule: off unless HANDOVER_FAULT names the point, in the environment alone.

A test that signals a process from outside meets one of many moments; here it names the one that it means.
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
# `took:3`: it is killed the third time; `took:3:stop`: it is stopped then, until the test lets it go on
_named, _times, _how = (os.environ.get(VARIABLE, "") + "::").split(":")[:3]
_left = int(_times or 1) if _named else 0


def at(point: str) -> None:
    """The process is killed here, as by SIGKILL, or stopped once, where a test said so."""
    global _left
    if point != _named:
        return
    _left -= 1
    if _how != "stop" and _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    elif _how == "stop" and _left == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
