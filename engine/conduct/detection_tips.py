"""Map each class of rules (`engine.conduct.detection_classes`) to the tips that are sent when it is detected: their kind and receiver.

`engine.chats.detection_handler` takes further actions, by class.
**Invariant:** a pure table; without a moderator a program only warns, and slows a user down for a day at most.
"""

# A class without a row in EFFECTS has no consequence, and the screening process does not look for it.

from typing import Final, NamedTuple

from engine.conduct.detection_classes import AGE_HINT, AGE_NUMBER, HIGH, Kind

RECEIVER: Final = "receiver"  # of the line
WRITER: Final = "writer"


class Effect(NamedTuple):
    """Tips that follow from a class of rules.

    `tip`: kind of the tip to side `to`, empty: none; `also`: kind of the tip to the other side, not with low confidence; `low`: whether a rule of low
    confidence brings the tip too.
    """

    tip: str = ""
    to: str = RECEIVER
    also: str = ""
    low: bool = True


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
EFFECTS: Final = {
    "link": Effect("link"),
    "contact": Effect("contact"),
    "money": Effect("money"),
    GROOM: Effect("secrecy", low=False),
    AGE_CLAIM: Effect("minor", low=False),
    AGE_ASKED: Effect(),
    SELF_HARM: Effect("help", WRITER, also="support"),
    PRIVATE: Effect("private", WRITER),
    THREAT: Effect("threat"),
    HATE: Effect("hate", WRITER),
    OPENER: Effect("opener"),
    REPEAT: Effect("opener"),
}
# Classes that are counted per user and day (`engine.conduct.daily_detections`). Rules of low confidence are not: a word may be quoted or sung.
LIMITS: Final = {HATE: Limit(3, 5), THREAT: Limit(0, 1), NUDITY: Limit(0, 3)}
# Other consequences that begin in a chat, in words for operators, by class, or by rule where a rule of the class has its own. Those of low confidence
# have none else, but for a request.
FURTHER: Final = {
    "link": "counts for challenges",
    "contact": "counts for challenges",
    AGE_CLAIM: "the chat is held until the writer answers",
    AGE_NUMBER: "after the partner's question the chat is held until the writer answers",
    AGE_HINT: "the writer is asked, and nothing waits for the answer",
    GROOM: "a case and a pause if the other side states an age below 18",
}
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


def tips_of(kind: Kind) -> tuple[str, str]:
    """Return the kinds of the tips to the writer and to the receiver that follow from a detection; empty: none is sent."""
    effect = EFFECTS[kind.name]
    is_high = kind.confidence == HIGH
    tip = effect.tip if is_high or effect.low else ""
    also = effect.also if is_high else ""
    return (tip, also) if effect.to == WRITER else (also, tip)
