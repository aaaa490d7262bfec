"""Build the detectors that are measured: each reads a chat line and returns the classes that it finds, with the rule and its confidence.

CLASSES_OF_SERVICE maps the classes of the service to those that are measured. UNMEASURED names the two classes that are not: the question for
someone's age, and a number that counts as an age only after that question.
**Invariant:** a detector is the service's own code with its built-in rules, never a copy of it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from engine.conduct.detection_classes import AGE_NUMBER, LOW, RULES
from engine.conduct.detection_consequences import AGE_ASKED
from server.trust.screening.screening_rules import Rules, read_rules
from server.trust.screening.text_model import read_use

Detector = Callable[[str], "list[Hit]"]
CLASSES_OF_SERVICE: Final = MappingProxyType(
    {
        "age.claim": "age", "groom": "grooming", "threat": "threat", "self-harm": "selfharm", "hate": "hate",
        "link": "advert", "contact": "advert", "money": "advert", "private": "data",
    }
)  # fmt: skip
UNMEASURED: Final = frozenset((AGE_NUMBER, AGE_ASKED))  # rules that mean something only beside another line


class Hit(NamedTuple):
    """A class that was found in a line, the rule that found it, and whether its confidence is low: then it brings a tip or help at most."""

    kind: str
    rule: str
    low: bool = False


def built_in_rules(timed: bool) -> Rules:
    """Return the built-in rules, `timed` with the bounds of a line's time: without them a finding does not depend on the machine's other work."""
    rules = read_rules(None)
    if not timed:
        rules.line_max_ns = rules.patterns_max_ns = 10**9
    return rules


def detect_by_rules(*, timed: bool = False) -> Detector:
    """Return the detector that reads a line as the screening process does, with the built-in rules alone."""
    rules = built_in_rules(timed)

    def detect(line: str) -> list[Hit]:
        return [
            Hit(CLASSES_OF_SERVICE[one.kind.name], one.rule, one.kind.confidence == LOW)
            for one in rules.find(line)
            if one.rule not in UNMEASURED
        ]

    return detect


def detect_by_rules_and_model(*, timed: bool = False) -> Detector:
    """Return the detector of a process with `screening.model=all`: the rules, and the model's findings that they lack."""
    rules, use = built_in_rules(timed), read_use("all")

    def detect(line: str) -> list[Hit]:
        found, beginning = rules.find_and_fold(line)
        named = [(one.rule, one.kind) for one in found]
        named += [(rule, RULES[rule]) for rule in use.rules(beginning, [one.kind for one in found])]
        return [
            Hit(CLASSES_OF_SERVICE[kind.name], rule, kind.confidence == LOW)
            for rule, kind in named
            if rule not in UNMEASURED
        ]

    return detect


# Name in the table, and the constructor. A further source of findings is a further row.
DETECTORS: Final[Mapping[str, Callable[..., Detector]]] = MappingProxyType(
    {"rules": detect_by_rules, "rules + model": detect_by_rules_and_model}
)
