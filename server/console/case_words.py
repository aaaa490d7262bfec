"""Cases in words, for the pages. Rule: what a template shows of a case is made here, and nothing here knows an identity or an address."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from server.safety.ban_table import SENTENCES
from server.safety.desk import Earlier, Opened, Outcome
from server.safety.evidence import Evidence
from server.safety.measures import CLOSING, DAY, FOR_GOOD, HOUR, MINUTE, WARNED, Decision, Refused, spoken
from server.safety.queues import Count, Listed, Record

REASONS = {
    "minor": "seems under 18",
    "danger": "somebody is in danger",
    "threat": "threat",
    "nudity": "nudity",
    "hate": "hate or harassment",
    "spam": "advert, bot or scam",
    "other": "something else",
}
RULE_OF = {"minor": "R1", "danger": "R3", "threat": "R3", "nudity": "R2", "hate": "R4", "spam": "R5", "other": "R6"}
QUEUES = {"urgent": "Urgent", "people": "People", "spam": "Spam", "low": "Low"}
PAUSES = tuple((minutes, spoken(minutes * MINUTE)) for minutes in (15, 60, 180, 720, 1_440))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chat. `at`: minutes and seconds since its first; `reported`: of the reported side; `meant`: a report names it."""

    at: str
    reported: bool
    meant: bool
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A reported chat. `cut`: earlier lines are missing."""

    mode: str
    day: str
    cut: bool
    lines: tuple[Line, ...]


def minute(at: float) -> str:
    """`26 November 2026, 14:05`, UTC."""
    found = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return f"{found.day} {found:%B %Y, %H:%M}"


def age(seconds: float) -> str:
    """How long ago, in its largest unit: `3 hours`."""
    for unit, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
    return "less than a minute"


def reasons(listed: Listed) -> str:
    """`threat, nudity`."""
    return ", ".join(REASONS.get(reason, reason) for reason in listed.reasons)


def tab(count: Count, now: float) -> dict[str, object]:
    """A queue as its tab shows it."""
    return {
        "name": count.queue,
        "label": QUEUES[count.queue],
        "open": count.open,
        "oldest": age(now - count.oldest) if count.open else "",
    }


def row(listed: Listed, now: float) -> dict[str, object]:
    """A case as the list shows it."""
    return {
        "id": listed.id,
        "reasons": reasons(listed),
        "reports": listed.reports,
        "mode": listed.mode,
        "age": age(now - listed.opened),
        "points": round(listed.points),
        "claimed_by": listed.claimed_by,
    }


def record(found: Record) -> str:
    """How often a reporter was right."""
    if not found.known:
        return "has no cookie, so nothing is known of them"
    if not found.of:
        return "no decided reports in 90 days"
    return f"right in {found.right} of {found.of} in 90 days"


def before(found: Earlier) -> str:
    """A decision before this one."""
    what = f"{found.measure}, {found.rule}" if found.rule else "nothing followed"
    return f"{minute(found.closed)}: {what}" + ("" if found.state == "decided" else f" ({found.state})")


def outcome(found: Outcome, now: float, operator: str) -> dict[str, object]:
    """What was decided about this case. `left`: seconds in which this operator may take it back."""
    return {
        "closed": minute(found.closed),
        "by": found.decided_by,
        "what": told(found),
        "own": found.decided_by == operator,
        "left": max(0, int(found.undo - now)) if found.decided_by == operator else 0,
        "out": found.measure in CLOSING,
    }


def told(found: Outcome) -> str:
    """A decision in a few words."""
    return f"{found.measure}, {found.rule}" if found.rule else "nothing follows"


def text(found: Evidence) -> Text:
    """The server's own text."""
    began = found.lines[0].at if found.lines else found.at
    lines = tuple(
        Line(
            f"{max(0, one.at - began) // 60}:{max(0, one.at - began) % 60:02}",
            one.side == found.side,
            one.marked,
            one.text,
        )
        for one in found.lines
    )
    return Text(found.mode, minute(found.at), found.cut, lines)


def shown(found: Opened, now: float, *, country: bool) -> dict[str, object]:
    """A case as its page shows it. `country`: its two letters too."""
    rules = [
        {"rule": rule, "sentence": SENTENCES[rule], "step": "warning" if seconds == WARNED else spoken(seconds)}
        for rule, seconds in found.steps.items()
    ]
    return {
        "case": row(found.listed, now),
        "country": found.country if country else "",
        "reports": [(REASONS.get(one.reason, one.reason), one.note, record(one.record)) for one in found.reports],
        "texts": [text(one) for one in found.texts],
        "earlier": [before(one) for one in found.earlier],
        "rules": rules,
        "rule": RULE_OF.get(found.listed.reasons[0], "R6"),
        "pauses": PAUSES,
    }


def decision(choice: str, rule: str, minutes: str, days: str, words: str) -> Decision:
    """What a form says, but for the ladder's step, which has no length yet. Raises Refused."""
    said = " ".join(words.split())
    if choice == "none":
        return Decision("none")
    if choice == "warning":
        return Decision("warning", rule, None, said)
    if choice == "pause":
        return Decision("pause", rule, _number(minutes) * MINUTE, said)
    if choice == "days":
        return Decision("ban", rule, _number(days) * DAY, said)
    if choice == "good":
        return Decision("ban", rule, FOR_GOOD, said)
    if choice == "step":
        return Decision("ban", rule, None, said)
    raise Refused("choose what follows")


def _number(digits: str) -> int:
    """Raises Refused."""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        raise Refused("a length is a number")
    return int(digits)
