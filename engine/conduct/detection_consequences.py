"""Map each class and confidence of rules (`engine.conduct.detection_classes`) to the consequence of a detection.

A consequence is chosen by the cost of a false alarm. A tip, help lines and a question cost nearly nothing, and follow at any confidence. A chat that
is held, a challenge and a case take a user's or a moderator's time: they need high confidence, or a second line of the same class.
**Invariant:** a pure table, the only one; without a moderator a program only warns, and slows a user down for a day at most.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from engine.conduct.detection_classes import AGE_NUMBER, LOW, RULES, Kind


class Consequence(NamedTuple):
    """Consequence of a detection.

    `writer`, `receiver`: kinds of the tips to them, empty: none; `asks`: the writer gets the age question; `holds`: the chat waits for its answer;
    `points`: counted for the writer's challenges; `friction`, `case`: of `Limit`; `repeats`: a second line of the chat in which the class is found
    with this confidence counts as one of high confidence; `further`: in words for operators, what a module of its own makes of the class.
    """

    writer: str = ""
    receiver: str = ""
    asks: bool = False
    holds: bool = False
    points: bool = False
    friction: int = 0
    case: int = 0
    repeats: bool = False
    further: str = ""


class Act(NamedTuple):
    """Detection about one side of a chat that calls for more than a tip; the server decides its action (`server.trust.cases.automatic_bans`)."""

    found: str  # the rule, or the result of the camera check
    side: int  # side of the writer, or of the camera: 0 or 1
    number: int  # number of the line; 0: no line is concerned
    # monotonic times at which the same was detected in this user's other chats of the last day, ascending
    earlier: tuple[float, ...] = ()


class Limit(NamedTuple):
    """Chats of a day from which something follows; 0: never. `friction`: a challenge before the next search; `case`: each is shown to a moderator."""

    friction: int
    case: int


AGE_CLAIM: Final = "age.claim"  # the writer states an age below 18 (`engine.chats.age_question`)
GROOM: Final = "groom"  # requests that are made to children (`engine.chats.grooming`)
HATE: Final = "hate"
SELF_HARM: Final = "self-harm"
THREAT: Final = "threat"
PRIVATE: Final = "private"
AGE_ASKED: Final = "age.question"  # the writer asks for the partner's age
# answers to the age question, which `Chat.found` has beside rules
AGE_ADULT: Final = "age.adult"
AGE_MINOR: Final = "age.minor"
OPENER: Final = "opener"  # the first lines of many chats are alike
REPEAT: Final = "repeat"  # the same, with a link or a contact
# results of camera checks (`engine.chats.camera_checks`), which concern no line
NUDITY: Final = "nudity"
DIFFERS: Final = "differs"  # one side's picture differs from the other's own: one of the two lies
KNOWN: Final = "known"  # a picture that is on a list
LINKED: Final = frozenset(("link", "contact"))
BEGUN: Final = frozenset((OPENER, REPEAT))  # about how a user begins chats; they have no words of their own
OWN: Final = frozenset((SELF_HARM, PRIVATE))  # concern the writer only, so they are not remembered
_REQUEST: Final = "a case and a pause if the other side states an age below 18"
_BEGUN: Final = "a report of the chat weighs more"
# A class has a row of high confidence, and one of low confidence if it has a rule of it. The screening process looks for these classes alone.
CONSEQUENCES: Final[Mapping[Kind, Consequence]] = MappingProxyType(
    {
        Kind("link"): Consequence(receiver="link", points=True),
        Kind("link", LOW): Consequence(receiver="link"),
        Kind("contact"): Consequence(receiver="contact", points=True),
        Kind("contact", LOW): Consequence(receiver="contact"),
        Kind("money"): Consequence(receiver="money"),
        Kind("money", LOW): Consequence(receiver="money"),
        Kind(GROOM): Consequence(receiver="secrecy", further=_REQUEST),
        Kind(GROOM, LOW): Consequence(further=_REQUEST),
        Kind(AGE_CLAIM): Consequence(receiver="minor", asks=True, holds=True),
        Kind(AGE_CLAIM, LOW): Consequence(asks=True),
        Kind(AGE_ASKED): Consequence(),
        Kind(SELF_HARM): Consequence(writer="help", receiver="support"),
        Kind(SELF_HARM, LOW): Consequence(writer="help", receiver="support"),
        Kind(PRIVATE): Consequence(writer="private"),
        Kind(PRIVATE, LOW): Consequence(writer="private"),
        Kind(THREAT): Consequence(receiver="threat", case=1),
        Kind(THREAT, LOW): Consequence(receiver="threat", repeats=True),
        Kind(HATE): Consequence(writer="hate", friction=3, case=5),
        Kind(HATE, LOW): Consequence(writer="hate"),
        Kind(OPENER): Consequence(receiver="opener", points=True, further=_BEGUN),
        Kind(REPEAT): Consequence(
            receiver="opener", further=f"{_BEGUN}, a pause of the user who began several such chats"
        ),
    }
)
# A rule that counts only beside another line has a row of its own.
ANSWERS: Final[Mapping[str, Consequence]] = MappingProxyType(
    {AGE_NUMBER: Consequence(asks=True, holds=True, further="all this only after the partner's question")}
)
CLASSES: Final = tuple(dict.fromkeys(kind.name for kind in CONSEQUENCES))
# Classes that are counted per user and day (`engine.conduct.daily_detections`); nudity is found by cameras alone.
LIMITS: Final = {
    kind.name: Limit(row.friction, row.case) for kind, row in CONSEQUENCES.items() if row.friction or row.case
} | {NUDITY: Limit(0, 3)}
# Bits of `Seat.tips`, which is part of the session record: their order never changes.
KINDS: Final = (
    "link",
    "contact",
    "money",
    "secrecy",
    "minor",
    "help",
    "private",
    "support",
    "threat",
    "hate",
    "opener",
)
HELP: Final = "help"
WITH_NUMBERS: Final = frozenset((HELP, "threat"))  # kinds of tips that come with the help lines of the country


def consequence_of(rule: str) -> Consequence:
    """Return what follows from a detection by a rule."""
    return ANSWERS.get(rule) or CONSEQUENCES[RULES[rule]]
