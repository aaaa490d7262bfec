"""Define the rules of the screening process: the class of each, which decides its consequence, and its confidence.

A class has rows in `engine.conduct.detection_consequences.CONSEQUENCES`; metrics, cases and clients know classes only. A rule names what was
recognised, such as the kind of a request, so that several detections of a chat can be combined.
**Invariant:** a pure table. A line of low confidence brings at most a tip, help or a question; alone it is never held against the writer.
"""

from typing import Final, NamedTuple

LOW: Final = "low"
HIGH: Final = "high"


class Kind(NamedTuple):
    """Class and confidence of a rule."""

    name: str  # of the class
    confidence: str = HIGH


# A rule with the name of its class is the class's own, and that of an operator's words.
RULES: Final = {
    "link": Kind("link"),
    "link.shape": Kind(
        "link", LOW
    ),  # an address whose ending is an ordinary word ("annacam.live"), a known site, "see my page"
    "contact": Kind("contact"),
    "contact.handle": Kind("contact"),  # an app and a name there: "snap: annax22"
    "contact.phone": Kind("contact"),  # a number without the code of a country
    "contact.hint": Kind("contact", LOW),  # an app that is named: "my insta"
    "money": Kind("money"),
    "money.hint": Kind("money", LOW),  # means of payment that are named: "a gift card", "venmo me"
    "groom": Kind("groom"),  # "mature for your age", "i like younger girls"
    "groom.hint": Kind("groom", LOW),  # what adults say to each other too: "age is just a number"
    "groom.alone": Kind("groom"),  # "are your parents home"
    "groom.secrecy": Kind("groom"),  # "dont tell your parents"
    "groom.flattery": Kind("groom", LOW),  # "so special", "i understand you"
    # requests that are ordinary among adults: they count with a statement of age in the same chat
    "groom.pictures": Kind("groom", LOW),
    "groom.undress": Kind("groom", LOW),
    "groom.gifts": Kind("groom", LOW),
    "groom.meeting": Kind("groom", LOW),
    "groom.apps": Kind("groom", LOW),
    "age.claim": Kind("age.claim"),
    "age.number": Kind("age.claim", LOW),  # a line that is a number below 18: an age if it answers a question
    "age.hint": Kind("age.claim", LOW),  # pupils of 18 are at this school too: "im in high school"
    "age.question": Kind("age.question"),  # "how old are you"
    "self-harm": Kind("self-harm"),  # own intent or acts
    "self-harm.hint": Kind("self-harm", LOW),  # despair without intent: "whats the point of living"
    "private": Kind("private"),
    "private.card": Kind("private"),
    "private.iban": Kind("private"),
    "private.document": Kind("private"),
    "private.phone": Kind("private", LOW),
    "private.address": Kind("private", LOW),
    "threat": Kind("threat"),
    "threat.extortion": Kind("threat"),
    "threat.hint": Kind("threat", LOW),  # "watch your back"
    "hate": Kind("hate"),  # a statement against a group
    "hate.slur": Kind("hate", LOW),  # a word alone, which may be quoted or reclaimed
    "opener": Kind("opener"),
    "repeat": Kind("repeat"),
    # of the text model (`screening.model`), which names a class and no words: one sign, of high confidence only where more follows from that
    "threat.model": Kind("threat"),
    "threat.model.low": Kind("threat", LOW),
    "self-harm.model.low": Kind("self-harm", LOW),
    "hate.model": Kind("hate"),
    "hate.model.low": Kind("hate", LOW),
    "groom.model.low": Kind("groom", LOW),
    "money.model.low": Kind("money", LOW),
    # of a provider that the operator runs or names (`screening.provider`)
    "link.provider": Kind("link"),
    "link.provider.low": Kind("link", LOW),
    "contact.provider": Kind("contact"),
    "contact.provider.low": Kind("contact", LOW),
    "money.provider": Kind("money"),
    "money.provider.low": Kind("money", LOW),
    "groom.provider.low": Kind("groom", LOW),
    "self-harm.provider": Kind("self-harm"),
    "self-harm.provider.low": Kind("self-harm", LOW),
    "private.provider": Kind("private"),
    "private.provider.low": Kind("private", LOW),
    "threat.provider": Kind("threat"),
    "threat.provider.low": Kind("threat", LOW),
    "hate.provider": Kind("hate"),
    "hate.provider.low": Kind("hate", LOW),
}
MODELLED: Final = frozenset([rule for rule in RULES if rule.endswith((".model", ".model.low"))])
PROVIDED: Final = frozenset([rule for rule in RULES if rule.endswith((".provider", ".provider.low"))])
AGE_NUMBER: Final = "age.number"
AGE_HINT: Final = "age.hint"
# Rule of low confidence by class, in place of one of high confidence if the words around a match lower it.
HINTS: Final = {kind.name: rule for rule, kind in RULES.items() if rule.endswith((".hint", ".shape"))}
