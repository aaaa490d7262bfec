"""Set when Python collects cyclic garbage: few objects at a time, and old ones rarely, because a collection blocks the event loop.

The server makes almost no cycles. With 10,000 sessions in chats a full collection visits some 200,000 objects in 60 ms; at Python's default
thresholds collections took a fifth of the server's CPU. 50,000 young objects take up to 20 ms.
"""

import gc
import operator
from typing import Final

# Net new containers until the young generation is collected, some 0.5 ms, then every how many times the older ones: aiohttp, SQLAlchemy and
# tracebacks leave a few cycles a request. The full one comes after 200 million, after a million connections, or after 8 million events of a worker.
THRESHOLDS: Final = (1_500, 4, 26_800)
# Connections that begin until the young generation is collected: aiohttp makes some 100 containers for one. Python counts containers that are made
# less those that are freed. While connections end as fast as others begin it counts none, and the young ones of seconds pile up: under a flood of
# requests their collection lasted 20 to 68 ms.
CONNECTIONS: Final = 8
# Events that a worker's engine gets until the same, for the same reason: a session in a chat is a dozen containers. While 3,000 users came and went
# evenly, the longest collection of young objects lasted 14 to 46 ms of CPU, and of the next generation 3 to 19 ms; since then 0.2 and 0.4 ms.
EVENTS: Final = 64


def begin() -> None:
    """Set the thresholds. Call it first in a program: collections during its imports take a tenth of their time."""
    gc.set_threshold(*THRESHOLDS)


def hold() -> None:
    """Disable collection until `settle`. Call it at the beginning of the server's start."""
    gc.disable()


def settle() -> None:
    """Exclude all present objects from collection, and enable it. Call it at the end of the start.

    Garbage of the start stays in memory (2 MB if a database is created, 0.6 MB else): to find it would take a tenth of a second at each start and
    upgrade.
    """
    gc.freeze()
    begin()
    gc.enable()


def end() -> None:
    """Exclude all objects from the collection at exit, which takes a fifth of the CPU of a short command. Call it last in a program."""
    gc.freeze()


def collect_young() -> None:
    """Collect young objects, and older ones as they are due by the thresholds; none while collection is disabled.

    Python itself would collect older ones only after so many net new containers that this is not called for.
    """
    if gc.isenabled():
        _, middle, old = map(operator.gt, gc.get_count(), gc.get_threshold())
        gc.collect(2 if old else int(middle))


class ConnectionCount:
    """Collects young objects at each CONNECTIONS-th connection."""

    def __init__(self) -> None:
        self._left = CONNECTIONS

    def add(self) -> None:
        """Count a connection that begins."""
        self._left -= 1
        if self._left == 0:
            self._left = CONNECTIONS
            collect_young()
