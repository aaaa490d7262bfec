"""Pictures of a chat that a case keeps. Rule: bounded in number and size before anything is stored; the bytes are never opened here.

A `strip` is what one side's browser saw of the other's camera, three tiles below each other; `own` is one tile of a camera by the browser that
it belongs to. `side` is always whose camera it is, whoever sent it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final

STRIP: Final = "strip"
OWN: Final = "own"
KINDS: Final = (STRIP, OWN)
BYTES: Final = 48 * 1024  # of one, at most
MOST: Final = 12  # of one report, the newest: three of each kind and side
MOST_OF_A_CASE: Final = 60  # what comes beyond is not stored


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG. `kind`: STRIP or OWN; `side`: 0 or 1, whose camera it is; `at`: Unix seconds; `listed`: the entry of a list of known abuse material
    that it is like, as `list: tag`; empty: none."""

    kind: str
    side: int
    at: int
    body: bytes
    listed: str = ""


Adds = Callable[[Iterable[Picture]], Coroutine[Any, Any, object]]  # keeps some with a case


def bounded(pictures: Iterable[Picture]) -> tuple[Picture, ...]:
    """The newest MOST that a case may keep, in their order."""
    good = [one for one in pictures if one.kind in KINDS and one.side in (0, 1) and 0 < len(one.body) <= BYTES]
    return tuple(good[-MOST:])
