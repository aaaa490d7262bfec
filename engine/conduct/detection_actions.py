"""What follows from what a screening program found in a line. Rule: a pure table; a program warns, and slows somebody down for a day at most.

A finding names a rule; the row says who is told what, and `engine.chats.detections` what else follows. Lines that nothing follows from are in no
row, and are not looked for.
"""

from typing import Final, NamedTuple

RECEIVER: Final = "receiver"  # of the line
WRITER: Final = "writer"


class Effect(NamedTuple):
    """The kind of `tip` that is told, and to whom; empty: nobody is told anything, and the finding is counted alone."""

    tip: str
    to: str = RECEIVER


class Act(NamedTuple):
    """What the program found of one side of a chat, where more follows than a word: how much, the server says
    (`server.trust.cases.automatic_actions`)."""

    found: str  # the rule, or what pictures of that side's camera showed
    side: int  # who wrote it, or whose camera it is, 0 or 1
    number: int  # of the line; 0: no line is meant


AGE_CLAIM: Final = "age.claim"  # the writer is under 18, they say: the chat ends (`engine.chats.age_question`)
GROOM: Final = "groom"
OPENER: Final = "opener"  # the first lines of many chats are alike
REPEAT: Final = "repeat"  # so they are in more, with a link or a contact
# of pictures (`engine.chats.camera_checks`), in which no line is meant
NUDITY: Final = "nudity"
DIFFERS: Final = "differs"  # what one side sees is not what the other one shows: one of the two lies
KNOWN: Final = "known"  # a picture that is on a list
LINKED: Final = frozenset(("link", "contact"))
BEGUN: Final = frozenset((OPENER, REPEAT))  # of how somebody begins chats: no words stand for it
OWN: Final = frozenset(("self-harm", "private"))  # concerns nobody but who wrote it: it is not remembered
EFFECTS: Final = {
    "link": Effect("link"),
    "contact": Effect("contact"),
    "money": Effect("money"),
    GROOM: Effect("secrecy"),
    AGE_CLAIM: Effect("minor"),
    "self-harm": Effect("help", WRITER),
    "private": Effect("private", WRITER),
    # words of threat and hate are quoted, sung and joked: they weigh where somebody reports, and nobody is told here
    "threat": Effect(""),
    "hate": Effect(""),
    OPENER: Effect(""),
    REPEAT: Effect(""),
}
KINDS: Final = tuple(dict.fromkeys(effect.tip for effect in EFFECTS.values() if effect.tip))
HELP: Final = "help"
