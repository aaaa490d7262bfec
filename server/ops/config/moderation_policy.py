"""Define the moderation policy as two tables: the consequences of each report reason, and of each rule of the screening process.

**Invariant:** one row per reason and per rule, which no other module repeats.
"""

# A new report reason is a row of REPORTS, its entry in `engine.wire.protocol.REASONS` and its words in the catalogues; if the first two differ this
# module cannot be imported.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.conduct.detection_consequences import AGE_CLAIM, DIFFERS, GROOM, HATE, KNOWN, NUDITY, REPEAT, THREAT
from engine.wire.protocol import REASONS as REPORT_REASONS

MINUTE, HOUR, DAY = 60, 3_600, 86_400
FOR_GOOD: Final = 253_370_764_800  # 1 January 9999: a permanent ban; its end is never shown as a date
WARNED: Final = 0  # a step of a ladder that is a warning
PAUSE: Final = "pause"
AGE: Final = "age"  # the measure for a user who seems to be under 18

URGENT, PEOPLE, MACHINE, SPAM, LOW = "urgent", "people", "machine", "spam", "low"
QUEUES: Final = (
    LOW,
    SPAM,
    MACHINE,
    PEOPLE,
    URGENT,
)  # by rank: a case is in the highest queue that one of its reports asks for
APPEALS, NOTICES = "appeals", "notices"
WAITING: Final = frozenset(
    (*QUEUES, APPEALS, NOTICES)
)  # everything that waits for a moderator: each queue of cases, and two lists
CROWD_POINTS: Final = 15  # points that each further reporter adds to a case,
CROWD_MOST: Final = 45  # at most
UNPROVEN_MOST: Final = (
    2.0  # reporters without a decided report weigh together at most as much as this many reporters: cookies are free
)
DETECTED_POINTS: Final = 20  # added to a report if a detection in the reported lines agrees with it
MONEY_POINTS: Final = 60  # of a report whose lines mention money


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of `/rules`. `sentence`: its text in refusals, in English (the page has it under the key `rule.NAME`).

    `ladder`: seconds of the ban that each further violation within 120 days brings, WARNED for a warning; `video_least`: least seconds of a ban for a
    violation on camera.
    """

    sentence: str
    ladder: tuple[int, ...]
    video_least: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """An immediate action by a program. `measure`: pause or age; `seconds`: DAY at most; `neutral`: the user learns neither rule nor cause."""

    measure: str
    seconds: int
    neutral: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for a case. `rule`: the suggestion for the moderator, empty for none; `points`: its weight in a queue; `agrees`: detections that make
    a report graver.

    `money`: whether mentions of money do too; `step`: the immediate action after a detection, None for none.
    """

    rule: str
    points: int
    queue: str = PEOPLE
    agrees: frozenset[str] = frozenset()
    money: bool = False
    step: Step | None = None


RULES: Final[Mapping[str, Rule]] = {
    "R1": Rule("This service is for adults only.", (DAY, 7 * DAY, 30 * DAY)),
    "R2": Rule("No nudity.", (DAY, 7 * DAY, 30 * DAY), video_least=DAY),
    "R3": Rule("No threats.", (7 * DAY, 90 * DAY)),
    "R4": Rule("No hate or harassment.", (WARNED, DAY, 7 * DAY, 30 * DAY)),
    "R5": Rule("No adverts, bots or scams.", (DAY, 7 * DAY, 30 * DAY)),
    "R6": Rule("Nobody's private data.", (DAY, 7 * DAY, 30 * DAY)),
    "R7": Rule("Nothing that harms children.", (90 * DAY, FOR_GOOD)),
}
NEUTRAL: Final = ""  # in place of a rule, in a pause whose cause is not disclosed
NEUTRAL_SENTENCE: Final = "Paused for a short time."
NETWORK_SENTENCE: Final = (
    "Your network may not connect for a while."  # shown to every user of a network that a ban covers
)
ADULTS: Final = "R1"  # the only rule of the measure `age`
CHILDREN: Final = "R7"  # the rule of apparent abuse material

# Reasons that a user gives in a report.
REPORTS: Final[Mapping[str, Reason]] = {
    "minor": Reason(ADULTS, 100, URGENT, frozenset((AGE_CLAIM, GROOM))),
    "nudity": Reason("R2", 50, agrees=frozenset((NUDITY,))),
    "threat": Reason("R3", 60, agrees=frozenset(("threat",))),
    "hate": Reason("R4", 40, agrees=frozenset(("hate",))),
    "spam": Reason("R5", 20, SPAM, frozenset(("link", "contact", "opener", REPEAT)), money=True),
    "danger": Reason("R3", 90, URGENT, frozenset(("threat",))),
    "other": Reason("", 10, agrees=frozenset(("opener", REPEAT)), money=True),  # it may be any rule
}
# Reasons that a program detects.
DETECTIONS: Final[Mapping[str, Reason]] = {
    NUDITY: Reason("R2", 50, MACHINE),
    DIFFERS: Reason("R2", 40, MACHINE),
    REPEAT: Reason("R5", 20, MACHINE, step=Step(PAUSE, HOUR)),  # `screening.pause` sets another length
    THREAT: Reason("R3", 60, MACHINE),
    HATE: Reason("R4", 40, MACHINE),  # in several chats of a day (`engine.conduct.detection_consequences.LIMITS`)
    GROOM: Reason(CHILDREN, 100, URGENT, step=Step(PAUSE, DAY)),
    AGE_CLAIM: Reason(
        ADULTS, 100, URGENT
    ),  # the second one of a day, or one that a partner reports too; the user answered "18 or over"
    KNOWN: Reason(
        CHILDREN, 120, URGENT, step=Step(PAUSE, DAY, neutral=True)
    ),  # `server.trust.evidence.child_abuse_material` keeps it for a year
}

if differing := set(REPORTS) ^ set(REPORT_REASONS):
    raise ImportError(
        f"moderation_policy.REPORTS and engine.wire.protocol.REASONS differ: {', '.join(sorted(differing))}"
    )


def reason(name: str, *, program: bool = False) -> Reason:
    """Return the row of a reason; that of `other` for one that only a newer version knows. `program`: whether a detection is meant."""
    first, second = (DETECTIONS, REPORTS) if program else (REPORTS, DETECTIONS)
    return first.get(name) or second.get(name) or REPORTS["other"]


def program_cause(reasons: str) -> str:
    """Return the gravest of a case's reasons (joined by commas, gravest first) that a program acts on and that may be disclosed; empty if there is
    none.
    """
    acted = (
        one for one in reasons.split(",") if one in DETECTIONS and (step := DETECTIONS[one].step) and not step.neutral
    )
    return next(acted, "")


def join_reasons(names: set[str], most: int) -> str:
    """Join reasons by commas, the gravest first; those that do not fit into `most` characters are left out."""
    joined = ""
    for name in sorted(names, key=lambda one: (-reason(one).points, one)):
        longer = f"{joined},{name}" if joined else name
        if len(longer) <= most:
            joined = longer
    return joined
