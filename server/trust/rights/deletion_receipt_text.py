"""Write the text of a deletion receipt, in plain words, with times in UTC.

**Invariant:** the text has no count and no value of the person, so a receipt found by another person reveals nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

SENTENCE = (
    "Where an order or a law obliges us to preserve something and forbids us to say so, it stays locked away until that is over;"
    " this answer reads the same either way."
)
WENT = {
    "hidden": "hidden from everybody",
    "records": "records of chats, and of moderation, removed",
    "logs": "saved logs removed, whole",
    "backups": "gone from backups at the latest",
}


def when(at: int) -> str:
    """Return a time as `2026-11-26 02:00 UTC`."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%d %H:%M} UTC"


def receipt_text(
    number: str,
    asked: int,
    done: int,
    statement: str,
    steps: Iterable[tuple[str, int]],
    kept: Iterable[tuple[str, int | None]],
) -> str:
    """Return the text of the signed note; of kept data the reason and the end."""
    lines = [
        "Receipt of a deletion",
        f"number {number}",
        f"asked {when(asked)}",
        f"done {when(done)}",
        f"privacy statement {statement}",
        "",
        *(f"{when(at)}: {WENT[what]}" for what, at in steps),
        "",
        *(f"stays: {what}{f' (until {when(until)})' if until else ''}" for what, until in kept),
        SENTENCE,
    ]
    return "\n".join(lines) + "\n"
