"""Kill or stop this process at a named point of the code, for tests of crashes at an exact moment.

**Invariant:** inactive unless the environment variable HANDOVER_FAULT names the point.
"""

# A signal from outside would arrive at an arbitrary moment. `took` kills at the point, `took:3` the third time, and `took:3:stop` sends SIGSTOP then.
# If the variable names a folder (`/…`), a point is a file in it: the first process that reaches the point renames the file to `took.PID` and is
# killed, so that a service loses one process after another.

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
    # migration to another host: the edge, the home's frontend, the home
    "asked",
    "go",
    "given",
    "opened",
    "passing",
    "passed",
    "arrived",
    "held",
    # evacuation of a host
    "away",
    "told",
    "took",
    "taken",
    # return to the edge: the home's points, the edge's points
    "homeward",
    "person",
    "read",
    "rest",
    "coming",
    "returned",
    "back",
    "end",
)  # in the order of a migration
_named, _times, _how = (os.environ.get(VARIABLE, "") + "::").split(":")[:3]
_left = int(_times or 1) if _named else 0


def at(point: str) -> None:
    """Kill the process by SIGKILL, or stop it once, if a test named this point."""
    global _left
    if not _named:
        return
    if _named.startswith("/"):
        with suppress(FileNotFoundError):  # not armed, or another process was first
            os.rename(f"{_named}/{point}", f"{_named}/{point}.{os.getpid()}")  # noqa: PTH104 - atomic, before the end
            os.kill(os.getpid(), signal.SIGKILL)
        return
    if point != _named:
        return
    _left -= 1
    if _how != "stop" and _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    elif _how == "stop" and _left == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
