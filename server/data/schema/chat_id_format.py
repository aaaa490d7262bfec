"""Make and read the ids of chats: 16 bytes that begin with the end time of the chat, as UUIDv7 does.

**Invariant:** the id alone determines the daily partition of its rows.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

DAY = 86_400  # seconds
DRAWN = 10  # random bytes of an id


def chat_ids(ended: Sequence[float]) -> list[bytearray]:
    """Return an id for each end time, earliest first: 48 bits of Unix milliseconds, 80 random bits; sorted and unique."""
    drawn = secrets.token_bytes(DRAWN * len(ended))
    rest = sorted([drawn[at : at + DRAWN] for at in range(0, len(drawn), DRAWN)])  # within a millisecond
    found, last, begun = [], -1, bytearray()
    for when, more in zip(ended, rest, strict=True):
        time = _milliseconds(when)
        if time != last:  # a batch has many of one millisecond
            last, begun = time, bytearray(time.to_bytes(6, "big"))
        found.append(begun + more)
    return found


def _milliseconds(when: float) -> int:
    return int(when * 1000)


def ended_at(chat: bytes) -> float:
    """Return the time in the id, Unix seconds."""
    return int.from_bytes(chat[:6], "big") / 1000


def bound(when: float) -> bytes:
    """Return the smallest id of a chat that ended at this time: `id < bound(t)` means ended before t."""
    return max(0, int(when * 1000)).to_bytes(6, "big") + bytes(10)


def day_of(when: float) -> int:
    """Return the number of the UTC day."""
    return int(when) // DAY
