"""Map each rule of the screening process to its action: the tip that is sent, and to which side.

`engine.chats.detections` takes further actions.
**Invariant:** a pure table; without a moderator a program only warns, and slows a user down for a day at most.
"""

# A rule without a row in EFFECTS has no consequence, and the screening process does not look for it.

from typing import Final, NamedTuple

RECEIVER: Final = "receiver"  # of the line
WRITER: Final = "writer"


class Effect(NamedTuple):
    """Kind of `tip` and its receiver; empty: no tip is sent, and the detection is only counted."""

    tip: str
    to: str = RECEIVER


class Act(NamedTuple):
    """Detection about one side of a chat that calls for more than a tip; the server decides its action (`server.trust.cases.automatic_actions`)."""

    found: str  # the rule, or the result of the camera check
    side: int  # side of the writer, or of the camera: 0 or 1
    number: int  # number of the line; 0: no line is concerned


AGE_CLAIM: Final = "age.claim"  # the writer says that they are under 18: the chat ends (`engine.chats.age_question`)
GROOM: Final = "groom"
OPENER: Final = "opener"  # the first lines of many chats are alike
REPEAT: Final = "repeat"  # the same, with a link or a contact
# results of camera checks (`engine.chats.camera_checks`), which concern no line
NUDITY: Final = "nudity"
DIFFERS: Final = "differs"  # one side's picture differs from the other's own: one of the two lies
KNOWN: Final = "known"  # a picture that is on a list
LINKED: Final = frozenset(("link", "contact"))
BEGUN: Final = frozenset((OPENER, REPEAT))  # about how a user begins chats; they have no words of their own
OWN: Final = frozenset(("self-harm", "private"))  # concern the writer only, so they are not remembered
EFFECTS: Final = {
    "link": Effect("link"),
    "contact": Effect("contact"),
    "money": Effect("money"),
    GROOM: Effect("secrecy"),
    AGE_CLAIM: Effect("minor"),
    "self-harm": Effect("help", WRITER),
    "private": Effect("private", WRITER),
    # words of threat and hate are quoted, sung and joked: they count in a report, and no tip is sent
    "threat": Effect(""),
    "hate": Effect(""),
    OPENER: Effect(""),
    REPEAT: Effect(""),
}
KINDS: Final = tuple(dict.fromkeys(effect.tip for effect in EFFECTS.values() if effect.tip))
HELP: Final = "help"
