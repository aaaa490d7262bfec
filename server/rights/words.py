"""The text of a receipt. Rule: plain words, times in UTC; no count and no value of the person, so that it tells a finder nothing."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from server.rights.exemptions import SENTENCE, Kept

WENT = {
    "hidden": "hidden from everybody",
    "records": "records of chats, and of moderation, removed",
    "logs": "saved logs removed, whole",
    "backups": "gone from backups at the latest",
}


def when(at: int) -> str:
    """`2026-11-26 02:00 UTC`."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%d %H:%M} UTC"


def receipt_text(
    number: str, asked: int, done: int, statement: str, steps: Iterable[tuple[str, int]], kept: Iterable[Kept]
) -> str:
    """What the signed note says."""
    lines = [
        "Receipt of a deletion",
        f"number {number}",
        f"asked {when(asked)}",
        f"done {when(done)}",
        f"privacy statement {statement}",
        "",
        *(f"{when(at)}: {WENT[what]}" for what, at in steps),
        "",
        *(f"stays: {one.exemption.value}{f' (until {when(one.until)})' if one.until else ''}" for one in kept),
        SENTENCE,
    ]
    return "\n".join(lines) + "\n"
