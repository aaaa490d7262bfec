"""How often Python looks for cycles. Rule: what the service holds is free of cycles, so looking costs more than it finds.

With 10,000 people in chats a full collection visits some 200,000 objects and holds the loop for 60 ms; collections at
the usual thresholds took a fifth of the server's CPU while those people came back at once.
"""

import gc
from typing import Final

# New containers beyond those freed before the young ones are looked at (the default of 700 is one batch of events);
# then every 20th and every 50th time the older ones: what aiohttp and tracebacks leave is a few cycles a request.
THRESHOLDS: Final = (50_000, 20, 50)


def begin() -> None:
    """Call it first in a program: what its imports make stays, and to look through it again and again is a tenth of what they cost."""
    gc.set_threshold(*THRESHOLDS)


def hold() -> None:
    """Call it where the server begins to be made: until `settle` nothing is looked at."""
    gc.disable()


def settle() -> None:
    """Call it once everything that stays was made: that is never visited again. What a start leaves to be collected (2 MB where a database is
    made, 0.6 else) stays too: to find it takes a tenth of a second, of every start and every upgrade."""
    gc.freeze()
    begin()
    gc.enable()


def end() -> None:
    """Call it last in a program: the interpreter would look through all that it takes down, for a fifth of what a short command computes."""
    gc.freeze()
