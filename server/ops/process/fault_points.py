"""Where a test ends the process, or stops it. Rule: off unless HANDOVER_FAULT names the point, in the environment alone.

A test that signals a process from outside meets one of many moments; here it names the one that it means: `took`, or `took:3` for the third time,
or `took:3:stop` to stop it then, until the test lets it go on. Where it names a folder (`/…`) the point is a file in it: the first process that
comes there takes it away and ends, and leaves `took.PID` behind, so that one service may lose one process after the other.
"""

import os
import signal
from contextlib import suppress
from typing import Final

VARIABLE: Final = "HANDOVER_FAULT"
POINTS: Final = (
    "sockets",
    "ready",
    "begin",
    "begun",
    "release",
    "sent",
    "spread",
    # of a way to another host: the edge's, the home's office's, the home's
    "asked",
    "go",
    "given",
    "opened",
    "passing",
    "passed",
    "arrived",
    "held",
    # of a host that ends
    "away",
    "told",
    "took",
    "taken",
    # of the way back: the home's, the edge's
    "homeward",
    "person",
    "read",
    "rest",
    "coming",
    "returned",
    "back",
    "end",
)  # in the order of a hand-over
# `took:3`: it is killed the third time; `took:3:stop`: it is stopped then, until the test lets it go on
_named, _times, _how = (os.environ.get(VARIABLE, "") + "::").split(":")[:3]
_left = int(_times or 1) if _named else 0


def at(point: str) -> None:
    """The process is killed here, as by SIGKILL, or stopped once, where a test said so."""
    global _left
    if not _named:
        return
    if _named.startswith("/"):
        with suppress(FileNotFoundError):  # it is not armed, or another process was the first
            os.rename(f"{_named}/{point}", f"{_named}/{point}.{os.getpid()}")  # noqa: PTH104 - before the end, at once
            os.kill(os.getpid(), signal.SIGKILL)
        return
    if point != _named:
        return
    _left -= 1
    if _how != "stop" and _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    elif _how == "stop" and _left == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
