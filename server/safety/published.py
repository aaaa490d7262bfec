"""What is published of a month, in words, for the page and the command line. Rule: no number is made here; transparency.py says which there are."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

HIDDEN = "not shown"
WORDS = {
    "acted": "we acted", "none": "we did not act", "aged": "nobody looked within 30 days", "passed": "passed on to an authority",
    "minor": "seems under 18", "nudity": "nudity", "threat": "threats", "hate": "hate or harassment", "spam": "spam or a bot",
    "danger": "someone is in danger", "other": "something else",
    "person": "by a person", "program": "by a program", "nothing": "nothing follows", "no ban": "a warning",
    "a day": "kept out for a day at most", "7 days": "kept out for 7 days at most", "30 days": "kept out for 30 days at most",
    "90 days": "kept out for 90 days at most", "longer": "kept out for longer", "ended early": "kept out, and let in early",
    "upheld": "the decision stayed", "reversed": "the decision was taken back", "lapsed": "not answered in 14 days",
    "log": "a saved chat", "chat": "something said in a chat", "child": "a child",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a month: what it counts, and its lines, the total first."""

    title: str
    total: str
    lines: tuple[tuple[str, str], ...]


def tables(month: Mapping[str, Any]) -> list[Table]:
    """A month's tables. `month`: as `server.safety.transparency.month` makes it."""
    founded = HIDDEN if month["founded"] is None else f"{month['founded']:.0%}"
    return [
        _table("Reports that were closed", month["reports"], ("share that we acted on, of those that were looked at", founded)),
        _table("Decisions about people", month["decisions"], ("half of them were made", within(month["decided"]))),
        _table("Appeals", month["appeals"], ("half of the answers came", within(month["answered"]))),
        _table("What programs did, and ended because nobody looked within 72 hours", month["lifted"]),
        _table("Notices from anybody", month["notices"]),
        Table("Operators", str(month["operators"]), ()),
    ]  # fmt: skip


def title(month: str) -> str:
    """`2026-11` as November 2026."""
    return f"{datetime.date.fromisoformat(f'{month}-01'):%B %Y}"


def within(seconds: int | None) -> str:
    """`within 4 hours`; `later` than 30 days."""
    if seconds is None:
        return HIDDEN
    if seconds == 0:
        return "after more than 30 days"
    number, unit = (seconds // 86_400, "day") if seconds >= 86_400 else (seconds // 3_600, "hour")
    return f"within {number} {unit}{'s' if number != 1 else ''}"


def _table(title: str, tree: Mapping[str, Any], *more: tuple[str, str]) -> Table:
    return Table(title, _text(tree["number"]), (*_lines(tree.get("parts", {}), ()), *more))


def _lines(parts: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if above and not any(isinstance(part["number"], int) for part in parts.values()):
        return  # that none of them is shown need not be said of each
    for name, part in parts.items():
        path = (*above, WORDS.get(name, f"rule {name}"))
        yield ", ".join(path), _text(part["number"])
        yield from _lines(part.get("parts", {}), path)


def _text(number: object) -> str:
    if number is None:
        return HIDDEN
    return f"{number:,}" if isinstance(number, int) else str(number)
