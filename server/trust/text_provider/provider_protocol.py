"""Encode and decode what is written to a provider of text and read from it: one JSON document a line, in both directions.

    {"id": 7, "text": "a line"}                                                          to the provider
    {"id": 7, "found": [{"class": "threat", "confidence": 0.8, "words": "i will kill"}]}     from it, in any order, once for each id

`class` is one of CLASSES, `confidence` a number from 0 to 1, `words` the part of the text that brought it, or absent. An empty text comes first:
its answer says that the provider is ready.
**Invariant:** an answer has at most ANSWER_MAX bytes and FOUND_MAX findings, and an answer of another form is not used.
"""

import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from engine.conduct.detection_classes import HIGH, LOW, PROVIDED, RULES
from engine.conduct.detection_consequences import GROOM

CLASSES: Final = tuple(dict.fromkeys(RULES[rule].name for rule in RULES if rule in PROVIDED))
PIECE: Final = 64 * 1024  # bytes of one read
ANSWER_MAX: Final = 16 * 1024  # bytes of a line of the provider
TEXT_MAX: Final = 2_000  # characters that are asked about
FOUND_MAX: Final = 16
WORDS_MAX: Final = 200  # characters
ID_MAX: Final = (1 << 53) - 1


class ProviderFinding(NamedTuple):
    """A finding of an answer. `words`: of the text; empty if the provider named none that are in it."""

    name: str  # of the class
    confidence: float
    words: str


class FindingUse(NamedTuple):
    """Settings of the use of findings. `wanted`: classes; `low`, `high`: confidences from which a finding counts; `only_tips`: each has low
    confidence.

    A request to a child is never of high confidence, and brings no tip: `only_tips` leaves it out.
    """

    wanted: frozenset[str]
    low: float
    high: float
    only_tips: bool

    def rule(self, one: ProviderFinding) -> str:
        """Return the rule by which a finding is reported; empty if it does not count."""
        if one.name not in self.wanted or one.confidence < self.low or (self.only_tips and one.name == GROOM):
            return ""
        is_high = one.confidence >= self.high and not self.only_tips and one.name != GROOM
        return rule_of(one.name, HIGH if is_high else LOW)


def rule_of(name: str, confidence: str) -> str:
    """Return the rule by which a finding of a provider is reported."""
    return f"{name}.provider" if confidence == HIGH else f"{name}.provider.low"


def encode_question(id: int, text: str) -> bytes:
    """Return a question as a line, of the first TEXT_MAX characters of a text."""
    asked = text[:TEXT_MAX].encode("utf-8", "replace").decode()  # JSON has no half of a character
    return orjson.dumps({"id": id, "text": asked}) + b"\n"


def decode_answer(line: bytes) -> tuple[int, tuple[ProviderFinding, ...]]:
    """Return the id and the findings of an answer. Raises ValueError for any other form."""
    body: Any = orjson.loads(line)
    if type(body) is not dict or type(body.get("id")) is not int or not 0 <= body["id"] <= ID_MAX:
        raise ValueError("no id")
    found = body.get("found")
    if type(found) is not list or len(found) > FOUND_MAX:
        raise ValueError("no list of findings, or a longer one")
    return body["id"], tuple(_finding(one) for one in found)


def _finding(one: Any) -> ProviderFinding:
    if type(one) is not dict or one.get("class") not in CLASSES:
        raise ValueError("no such class")
    confidence: Any = one.get("confidence")
    words: Any = one.get("words", "")
    if type(confidence) not in (int, float) or not 0 <= confidence <= 1:
        raise ValueError("no confidence from 0 to 1")
    if type(words) is not str:
        raise ValueError("words that are no text")
    return ProviderFinding(one["class"], float(confidence), words[:WORDS_MAX])


def say_begun(without: Sequence[str], fault: str = "") -> None:
    """Write the first line of a provider's process, before any answer: what its jail lacks, and why it cannot begin, if so."""
    os.write(1, orjson.dumps({"without": without, "fault": fault}) + b"\n")


def decode_begun(line: bytes) -> tuple[list[str], str]:
    """Return what the first line says. Raises ValueError."""
    body: Any = orjson.loads(line)
    if type(body) is not dict or type(body.get("without")) is not list or type(body.get("fault")) is not str:
        raise ValueError("no beginning")
    return [str(one) for one in body["without"]], body["fault"]


def with_true_words(found: tuple[ProviderFinding, ...], text: str) -> tuple[ProviderFinding, ...]:
    """Return findings without words that are not in the text: a provider says nothing of its own to a moderator."""
    return tuple(one if one.words in text else one._replace(words="") for one in found)
