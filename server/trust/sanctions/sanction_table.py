"""What can follow from a case. Rule: one table says how long a measure lasts, whose decision it takes, and how the person learns of it.

    none ─ warning ─ pause (hours) ─ ban (days) ─ ban for good        age: who seems under 18, for a year, without blame

Lengths are seconds. Within 120 days each further step of a rule's ladder is longer; what was taken back is no step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from server.http.words.worded_errors import Length, Worded
from server.ops.config.moderation_policy import ADULTS, AGE, DAY, FOR_GOOD, HOUR, MINUTE, PAUSE, RULES

MEMORY = 120 * DAY  # how long an earlier step counts
AGE_FOR = 365 * DAY  # that a person decides of somebody who seems under 18; a program decides a day
WORDS = 300  # characters that an operator adds for the person


class Refused(Worded):
    """It cannot be done as asked."""


class Grade(IntEnum):
    """Whose decision it takes."""

    OPERATOR = 1  # whoever works on cases
    LEAD = 2
    PAIR = 3  # two operators: one asks, another confirms


class Beyond(Refused):
    """It takes a higher grade."""

    def __init__(self, key: str, grade: Grade, **values: str | int | Length) -> None:
        super().__init__(key, **values)
        self.grade = grade


@dataclass(frozen=True, slots=True)
class Measure:
    """A line of the table. `told`: how the person learns of it."""

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
CLOSING = (PAUSE, "ban", AGE)  # measures that keep somebody out


@dataclass(frozen=True, slots=True)
class Decision:
    """What an operator chose. `seconds`: of a pause or ban, None for the next step of the rule's ladder; `words`: for the person."""

    measure: str
    rule: str = ""
    seconds: int | None = None
    words: str = ""

    def checked(self) -> Decision:
        """As it is, where it makes sense. Raises Refused."""
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
    """Raises Refused where a decision about a chat of this mode is milder than its rule allows: what a camera showed goes on at once otherwise."""
    least = RULES[decision.rule].video_least if decision.rule and mode == "video" else 0
    if (decision.seconds or 0) < least:
        raise Refused("refused.least", rule=decision.rule, length=length(least))


def next_step(rule: str, earlier: int) -> int:
    """The length of the ladder's next step after `earlier` ones; WARNED: a warning."""
    ladder = RULES[rule].ladder
    return ladder[min(earlier, len(ladder) - 1)]


def allow(measure: str, seconds: int, grade: Grade) -> None:
    """Raises Refused where a measure of this length does not exist, Beyond where it takes somebody else's decision."""
    lines = [line for line in TABLE if line.name == measure and line.shortest <= seconds <= line.longest]
    if not lines:
        raise _no_line(measure)
    if (needed := lines[0].grade) > grade:
        key = "refused.beyond.pair" if needed is Grade.PAIR else "refused.beyond.lead"
        raise Beyond(key, needed, length=length(seconds))


def _no_line(measure: str) -> Refused:
    """What is said where a measure has another length than the table knows."""
    if measure not in CLOSING:
        return Refused("refused.length")
    known = [line for line in TABLE if line.name == measure]
    shortest, longest = length(known[0].shortest), length(known[-1].longest)
    return Refused(f"refused.lasts.{measure}", shortest=shortest, longest=longest)


def length(seconds: int) -> Length:
    """A length that is said in the language of whoever reads it."""
    return Length(None if seconds >= FOR_GOOD else seconds)


def end(now: int, seconds: int) -> int:
    """When a measure of this length ends, Unix seconds."""
    return FOR_GOOD if seconds >= FOR_GOOD else now + seconds


def lasts(seconds: int) -> str:
    """`for 7 days`, `for good`."""
    return spoken(seconds) if seconds >= FOR_GOOD else f"for {spoken(seconds)}"


def spoken(seconds: int) -> str:
    """A length in words: `15 minutes`, `2 hours`, `7 days`, `for good`."""
    if seconds >= FOR_GOOD:
        return "for good"
    for unit, size in (("day", DAY), ("hour", HOUR), ("minute", MINUTE)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}" if seconds == size else f"{seconds // size} {unit}s"
    return f"{max(1, round(seconds / MINUTE))} minutes"
