"""Define a picture of a reported user, of their camera or sent by them, and the limits of such pictures.

**Invariant:** number and size are checked before storing; the image bytes are never decoded here.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final

from engine.wire.protocol import SENT_BYTES, SNAP_BYTES

STRIP: Final = "strip"
OWN: Final = "own"
SENT: Final = "sent"
KINDS: Final = (STRIP, OWN, SENT)
BYTES: Final = {STRIP: SNAP_BYTES, OWN: SNAP_BYTES, SENT: SENT_BYTES}  # largest, by kind
MOST: Final = 12  # of one report, the newest: three of each kind and side
MOST_OF_A_CASE: Final = 60  # later ones are not stored


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG. `kind`: one of KINDS; `side`: 0 or 1, the owner of the camera or the sender; `at`: Unix seconds; `listed`: the entry of a list of
    known abuse material that it matches, as `list: tag`, or empty.

    A `strip` is three frames of the other side's camera as one browser received them, stacked in one JPEG; `own` is one frame that a browser took
    of its own camera; `sent` is a picture that a user sent the partner. `side` of the first two is always the camera's side, whichever browser sent
    the picture.
    """

    kind: str
    side: int
    at: int
    body: bytes
    listed: str = ""


Adds = Callable[[Iterable[Picture]], Coroutine[Any, Any, object]]  # stores pictures with a case


def bounded(pictures: Iterable[Picture]) -> tuple[Picture, ...]:
    """Return the newest MOST valid pictures, in order."""
    good = [one for one in pictures if one.side in (0, 1) and 0 < len(one.body) <= BYTES.get(one.kind, 0)]
    return tuple(good[-MOST:])
