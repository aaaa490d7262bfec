"""Set when Python collects cyclic garbage: rarely, because the server makes almost no cycles and a full collection blocks the event loop.

With 10,000 sessions in chats a full collection visits some 200,000 objects in 60 ms; at Python's default thresholds collections took a fifth of the
server's CPU.
"""

import gc
from typing import Final

# Net new containers until the young generation is collected (the default of 700 is one batch of events), then every 20th and every 50th
# time the older generations: aiohttp and tracebacks leave a few cycles a request.
THRESHOLDS: Final = (50_000, 20, 50)


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
