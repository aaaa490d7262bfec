"""Compare two pictures of one camera, taken by the two browsers of a chat: do they show the same scene, or is one of them faked?

**Invariant:** pure arithmetic on thumbs (grey copies of 32 × 32 pixels).
"""

from collections.abc import Sequence
from math import sqrt
from operator import mul
from typing import Final

SIDE: Final = 32
THUMB: Final = SIDE * SIDE  # bytes
PLAIN: Final = 3.0  # greys: a thumb that varies by less shows nothing

AGREES: Final = "agrees"
DIFFERS: Final = "differs"
OPEN: Final = "open"


def agreement(theirs: Sequence[bytes], mine: bytes | None, agree: float = 0.8, differ: float = 0.6) -> str:
    """Return `agrees`, `differs`, or `open` if undecided. `theirs`: the receiver's tiles of the sender's camera; `mine`: the sender's own. Thumbs
    have THUMB bytes; others are skipped.

    The scene is compared, not the second: measured between browsers, 0.85 to 1 within half a second, and -0.34 to 0.5 for other scenes.
    """
    tiles = [tile for tile in theirs if len(tile) == THUMB]
    if mine is None or len(mine) != THUMB or not tiles:
        return OPEN
    likes = [like for like in (likeness(tile, mine) for tile in tiles) if like is not None]
    if not likes:
        return OPEN
    best = max(likes)
    return AGREES if best >= agree else DIFFERS if best <= differ else OPEN


def likeness(one: bytes, other: bytes) -> float | None:
    """Return the normalised correlation of two thumbs, -1 to 1. 0 if one of them shows nothing; None if both do."""
    first, second = sum(one), sum(other)
    spread = sum(map(mul, one, one)) - first * first / THUMB
    others = sum(map(mul, other, other)) - second * second / THUMB
    least = PLAIN * PLAIN * THUMB
    if spread < least or others < least:
        return None if spread < least and others < least else 0.0
    like: float = (sum(map(mul, one, other)) - first * second / THUMB) / sqrt(spread * others)
    return like
