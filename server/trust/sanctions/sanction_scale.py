"""Define the measures that a decision can have: their lengths in seconds, the grade of moderator that each needs, and how the user learns of it.

**Invariant:** each further measure by the same rule within 120 days is longer; a reversed decision does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from server.http.words.worded_errors import Length, Worded
from server.ops.config.moderation_policy import ADULTS, AGE, DAY, FOR_GOOD, HOUR, MINUTE, PAUSE, RULES

MEMORY = 120 * DAY  # seconds that an earlier step counts
AGE_FOR = 365 * DAY  # seconds of a person's decision that a user seems under 18; a program's is a day
WORDS = 300  # characters that a moderator may add for the user


class Refused(Worded):
    """A request of a moderator that cannot be done, with the key of a sentence."""


class Grade(IntEnum):
    """The grade of moderator whose decision a measure needs."""

    OPERATOR = 1  # any moderator of the queue
    LEAD = 2
    PAIR = 3  # two moderators: one requests, another confirms


class Beyond(Refused):
    """A measure that needs a higher grade."""

    def __init__(self, key: str, grade: Grade, **values: str | int | Length) -> None:
        super().__init__(key, **values)
        self.grade = grade


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of the table. `told`: how the user learns of it.

    none ─ warning ─ pause (hours) ─ ban (days) ─ ban for good        age: seems under 18, for a year, without blame
    """

    name: str
    grade: Grade
    shortest: int
    longest: int
    told: str


TABLE = (
    Measure("none", Grade.OPERATOR, 0, 0, "not at all; who reported reads it at their receipt"),
    Measure("warning", Grade.OPERATOR, 0, 0, "a notice that must be seen before the next search"),
    Measure(PAUSE, Grade.OPERATOR, 15 * MINUTE, DAY, "the page says until when, and how to appeal"),
    Measure("ban", Grade.OPERATOR, DAY, 30 * DAY, "the page says until when, and how to appeal"),
    Measure("ban", Grade.LEAD, DAY, 90 * DAY, "the page says until when, and how to appeal"),
    Measure("ban", Grade.PAIR, DAY, FOR_GOOD, "the page says until when or for good, and how to appeal"),
    Measure(AGE, Grade.OPERATOR, AGE_FOR, AGE_FOR, "a page without blame says until when, and how to appeal"),
)
MEASURES = tuple(dict.fromkeys(line.name for line in TABLE))
CLOSING = (PAUSE, "ban", AGE)  # measures that keep a user out


@dataclass(frozen=True, slots=True)
class Decision:
    """A moderator's choice. `seconds`: of a pause or ban, None for the next step of the rule's ladder; `words`: for the user."""

    measure: str
    rule: str = ""
    seconds: int | None = None
    words: str = ""

    def checked(self) -> Decision:
        """Return it, completed, if it is valid. Raises Refused."""
        if self.measure not in MEASURES:
            raise Refused("refused.measure")
        if (self.measure == "none") == bool(self.rule) or (self.rule and self.rule not in RULES):
            raise Refused("refused.rule")
        if self.measure not in CLOSING and self.seconds is not None:
            raise Refused("refused.length")
        if self.measure == PAUSE and self.seconds is None:
            raise _no_line(PAUSE)
        if len(self.words) > WORDS:
            raise Refused("refused.words", most=WORDS)
        if self.measure == "none" and self.words:
            raise Refused("refused.unread")
        if self.measure == AGE:
            if self.rule != ADULTS:
                raise Refused("refused.rule")
            if self.seconds not in (None, AGE_FOR):
                raise Refused("refused.length")
            return replace(self, seconds=AGE_FOR)
        return self


def check_least(decision: Decision, mode: str) -> None:
    """Raise Refused for a decision that is milder than its rule allows in a chat of this mode: the camera would show the same again at once."""
    least = RULES[decision.rule].video_least if decision.rule and mode == "video" else 0
    if (decision.seconds or 0) < least:
        raise Refused("refused.least", rule=decision.rule, length=length(least))


def next_step(rule: str, earlier: int) -> int:
    """Return the length of the ladder's next step after `earlier` ones; WARNED: a warning."""
    ladder = RULES[rule].ladder
    return ladder[min(earlier, len(ladder) - 1)]


def allow(measure: str, seconds: int, grade: Grade) -> None:
    """Check a measure's length. Raises Refused if no row has it, Beyond if it needs a higher grade than `grade`."""
    lines = [line for line in TABLE if line.name == measure and line.shortest <= seconds <= line.longest]
    if not lines:
        raise _no_line(measure)
    if (needed := lines[0].grade) > grade:
        key = "refused.beyond.pair" if needed is Grade.PAIR else "refused.beyond.lead"
        raise Beyond(key, needed, length=length(seconds))


def _no_line(measure: str) -> Refused:
    """Return the refusal of a length that the table does not have."""
    if measure not in CLOSING:
        return Refused("refused.length")
    known = [line for line in TABLE if line.name == measure]
    shortest, longest = length(known[0].shortest), length(known[-1].longest)
    return Refused(f"refused.lasts.{measure}", shortest=shortest, longest=longest)


def length(seconds: int) -> Length:
    """Return a length that is worded in the reader's language."""
    return Length(None if seconds >= FOR_GOOD else seconds)


def end(now: int, seconds: int) -> int:
    """Return when a measure of this length ends, Unix seconds."""
    return FOR_GOOD if seconds >= FOR_GOOD else now + seconds


def lasts(seconds: int) -> str:
    """Return a length with its preposition: `for 7 days`, `for good`."""
    return spoken(seconds) if seconds >= FOR_GOOD else f"for {spoken(seconds)}"


def spoken(seconds: int) -> str:
    """Return a length in words: `15 minutes`, `2 hours`, `7 days`, `for good`."""
    if seconds >= FOR_GOOD:
        return "for good"
    for unit, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}" if seconds == size else f"{seconds // size} {unit}s"
    return f"{max(1, round(seconds / MINUTE))} minutes"
