"""Says what each report reason, each detection and each rule means for moderation. Invariant: one row a reason, one row a rule; no other module
repeats what is in a row.

A new reason of a report is a row of REPORTS, its entry in `engine.wire.protocol.REASONS` and its words in the catalogues; where the first two differ
this module cannot be imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine.conduct.detection_actions import AGE_CLAIM, DIFFERS, GROOM, KNOWN, NUDITY, REPEAT
from engine.wire.protocol import REASONS as REPORT_REASONS

MINUTE, HOUR, DAY = 60, 3_600, 86_400
FOR_GOOD: Final = 253_370_764_800  # 1 January 9999: an end that never comes, and that nobody is told as a day
WARNED: Final = 0  # a step of a ladder that is a warning
PAUSE: Final = "pause"
AGE: Final = "age"  # the measure of somebody who seems under 18

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
)  # all that waits for a person: each queue of cases, and two lists
CROWD_POINTS: Final = 15  # points that each further reporter adds to a case,
CROWD_MOST: Final = 45  # at most
UNPROVEN_MOST: Final = (
    2.0  # reporters as whom all those together weigh at most of whom no report was decided yet: cookies are free
)
DETECTED_POINTS: Final = 20  # added to a report if a detection in the reported lines agrees with it
MONEY_POINTS: Final = 60  # of a report whose lines speak of money


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of `/rules`. `sentence`: as refusals say it, in English (the page has it by the key `rule.NAME`); `ladder`: seconds of the ban that
    each further step within 120 days brings, WARNED: a warning; `video_least`: seconds for which whoever broke it on camera is out at least."""

    sentence: str
    ladder: tuple[int, ...]
    video_least: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What a program does at once. `measure`: pause or age; `seconds`: DAY at most; `neutral`: the person is told neither rule nor cause."""

    measure: str
    seconds: int
    neutral: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is a case. `rule`: what a moderator is offered, empty: they choose; `points`: its weight in a queue; `agrees`: detections that
    make a report graver; `money`: words of money do too; `step`: what follows a detection at once, None: nothing."""

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
NEUTRAL: Final = ""  # in the place of a rule, in a pause whose cause is not told
NEUTRAL_SENTENCE: Final = "Paused for a short time."
NETWORK_SENTENCE: Final = "Your network may not connect for a while."  # what anybody reads whose network a ban meant
ADULTS: Final = "R1"  # the only rule of the measure `age`
CHILDREN: Final = "R7"  # the rule of apparent abuse material

# What a user says in a report.
REPORTS: Final[Mapping[str, Reason]] = {
    "minor": Reason(ADULTS, 100, URGENT, frozenset((AGE_CLAIM, GROOM))),
    "nudity": Reason("R2", 50, agrees=frozenset((NUDITY,))),
    "threat": Reason("R3", 60, agrees=frozenset(("threat",))),
    "hate": Reason("R4", 40, agrees=frozenset(("hate",))),
    "spam": Reason("R5", 20, SPAM, frozenset(("link", "contact", "opener", REPEAT)), money=True),
    "danger": Reason("R3", 90, URGENT, frozenset(("threat",))),
    "other": Reason("", 10, money=True),  # it may be any rule
}
# What a program finds.
DETECTIONS: Final[Mapping[str, Reason]] = {
    NUDITY: Reason("R2", 50, MACHINE),
    DIFFERS: Reason("R2", 40, MACHINE),
    REPEAT: Reason("R5", 20, MACHINE, step=Step(PAUSE, HOUR)),  # `screening.pause` says another length
    GROOM: Reason(CHILDREN, 100, URGENT, step=Step(PAUSE, DAY)),
    AGE_CLAIM: Reason(ADULTS, 100, URGENT, step=Step(AGE, DAY)),  # the second one, or one that a partner reports too
    KNOWN: Reason(
        CHILDREN, 120, URGENT, step=Step(PAUSE, DAY, neutral=True)
    ),  # `server.trust.evidence.child_material` keeps it for a year
}

if differing := set(REPORTS) ^ set(REPORT_REASONS):
    raise ImportError(
        f"moderation_policy.REPORTS and engine.wire.protocol.REASONS differ: {', '.join(sorted(differing))}"
    )


def reason(name: str, *, program: bool = False) -> Reason:
    """The row of a reason; that of `other` for one that only a newer version knows. `program`: a detection is meant."""
    first, second = (DETECTIONS, REPORTS) if program else (REPORTS, DETECTIONS)
    return first.get(name) or second.get(name) or REPORTS["other"]


def program_cause(reasons: str) -> str:
    """The gravest of a case's reasons (joined by commas, gravest first) upon which a program acts and which may be said; empty: none."""
    acted = (
        one for one in reasons.split(",") if one in DETECTIONS and (step := DETECTIONS[one].step) and not step.neutral
    )
    return next(acted, "")


def join_reasons(names: set[str], most: int) -> str:
    """Reasons joined by commas, the gravest first; those that do not fit into `most` characters are left out."""
    joined = ""
    for name in sorted(names, key=lambda one: (-reason(one).points, one)):
        longer = f"{joined},{name}" if joined else name
        if len(longer) <= most:
            joined = longer
    return joined
