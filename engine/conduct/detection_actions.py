"""Map each rule of the screening process to its class, its confidence and its tips: kind and receiver.

`engine.chats.detections` takes further actions, by class.
**Invariant:** a pure table; without a moderator a program only warns, and slows a user down for a day at most.
"""

# A rule without a row in EFFECTS has no consequence, and the screening process does not look for it.

from typing import Final, NamedTuple

RECEIVER: Final = "receiver"  # of the line
WRITER: Final = "writer"


class Effect(NamedTuple):
    """Tips that follow from a rule, and its confidence.

    `tip`: kind of the tip to side `to`, empty: none; `also`: kind of the tip to the other side. `low`: low confidence: tips alone follow from the
    rule, whatever its class.
    """

    tip: str = ""
    to: str = RECEIVER
    also: str = ""
    low: bool = False


class Act(NamedTuple):
    """Detection about one side of a chat that calls for more than a tip; the server decides its action (`server.trust.cases.automatic_actions`)."""

    found: str  # the rule, or the result of the camera check
    side: int  # side of the writer, or of the camera: 0 or 1
    number: int  # number of the line; 0: no line is concerned


# A rule is named CLASS or CLASS.KIND: its class decides what follows beside tips.
AGE: Final = "age"
GROOM: Final = "groom"
HATE: Final = "hate"
SELF_HARM: Final = "self-harm"
THREAT: Final = "threat"
PRIVATE: Final = "private"
AGE_CLAIM: Final = "age.claim"  # the writer states an age below 18 (`engine.chats.age_question`)
AGE_NUMBER: Final = "age.number"  # a line that is only a number below 18: a statement if the partner asked for the age
AGE_ASKED: Final = "age.question"  # the writer asks for the partner's age
OPENER: Final = "opener"  # the first lines of many chats are alike
REPEAT: Final = "repeat"  # the same, with a link or a contact
# results of camera checks (`engine.chats.camera_checks`), which concern no line
NUDITY: Final = "nudity"
DIFFERS: Final = "differs"  # one side's picture differs from the other's own: one of the two lies
KNOWN: Final = "known"  # a picture that is on a list
LINKED: Final = frozenset(("link", "contact"))
BEGUN: Final = frozenset((OPENER, REPEAT))  # about how a user begins chats; they have no words of their own
OWN: Final = frozenset((SELF_HARM, PRIVATE))  # classes that concern the writer only, so they are not remembered
EFFECTS: Final = {
    "link": Effect("link"),
    "contact": Effect("contact"),
    "money": Effect("money"),
    # requests; those of low confidence count only together with a statement of age in the chat
    GROOM: Effect("secrecy"),
    "groom.secrecy": Effect("secrecy"),
    "groom.pictures": Effect(low=True),
    "groom.gifts": Effect(low=True),
    "groom.meeting": Effect(low=True),
    "groom.app": Effect(low=True),
    AGE_CLAIM: Effect("minor"),
    AGE_NUMBER: Effect(low=True),
    AGE_ASKED: Effect(low=True),
    SELF_HARM: Effect("help", WRITER, also="support"),
    "self-harm.low": Effect("help", WRITER, low=True),
    PRIVATE: Effect("private", WRITER),
    "private.address": Effect("private", WRITER),
    "private.phone": Effect("private", WRITER),
    "private.account": Effect("private", WRITER),
    "private.document": Effect("private", WRITER),
    THREAT: Effect("threat"),
    "threat.extortion": Effect("threat"),
    "threat.low": Effect("threat", low=True),
    HATE: Effect("hate", WRITER),
    "hate.low": Effect("hate", WRITER, low=True),
    OPENER: Effect("opener"),
    REPEAT: Effect("opener"),
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


def class_of(rule: str) -> str:
    """Return the class of a rule: its name up to the first point."""
    return rule.partition(".")[0]
