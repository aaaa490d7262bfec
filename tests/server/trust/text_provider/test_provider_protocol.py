"""Test the format of questions and answers of a provider of text."""

import orjson
import pytest

from engine.conduct.detection_classes import HIGH, LOW, PROVIDED, RULES
from server.trust.text_provider.provider_protocol import (
    CLASSES,
    FOUND_MAX,
    TEXT_MAX,
    FindingUse,
    ProviderFinding,
    decode_answer,
    encode_question,
    rule_of,
    with_true_words,
)

GOOD = {"class": "threat", "confidence": 0.8, "words": "i will"}


def test_a_question_is_one_line_of_bounded_length_whatever_the_text_holds() -> None:
    question = encode_question(7, "a\nb \ud800" + "x" * 5_000)
    assert question.count(b"\n") == 1
    assert orjson.loads(question) == {"id": 7, "text": ("a\nb ?" + "x" * 5_000)[:TEXT_MAX]}


def test_an_answer_is_read() -> None:
    assert decode_answer(orjson.dumps({"id": 7, "found": [GOOD]})) == (7, (ProviderFinding("threat", 0.8, "i will"),))
    assert decode_answer(b'{"id": 0, "found": []}\r') == (0, ())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"nonsense",
        b"\xff",
        b'{"found": []}',
        b'{"id": true, "found": []}',
        b'{"id": -1, "found": []}',
        b'{"id": 1}',
        b'{"id": 1, "found": {}}',
        *[
            orjson.dumps({"id": 1, "found": [one]})
            for one in (
                [],
                {**GOOD, "class": "age.claim"},
                {**GOOD, "class": ["hate"]},
                {**GOOD, "confidence": 1.1},
                {**GOOD, "confidence": "1"},
                {**GOOD, "confidence": True},
                {**GOOD, "words": 3},
            )
        ],
        orjson.dumps({"id": 1, "found": [GOOD] * (FOUND_MAX + 1)}),
    ],
)
def test_another_form_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_answer(answer)


def test_each_rule_of_a_provider_is_of_a_class_and_confidence() -> None:
    made = {rule_of(name, confidence) for name in CLASSES for confidence in (LOW, HIGH)}
    assert made - {"groom.provider"} == PROVIDED <= RULES.keys()


@pytest.mark.parametrize(
    ("name", "confidence", "only_tips", "rule"),
    [
        ("hate", 0.49, False, ""),
        ("hate", 0.5, False, "hate.provider.low"),
        ("hate", 0.9, False, "hate.provider"),
        ("hate", 1.0, True, "hate.provider.low"),
        ("groom", 1.0, False, "groom.provider.low"),
        ("groom", 1.0, True, ""),
        ("money", 1.0, False, ""),
    ],
)
def test_what_follows_is_bounded_by_the_settings(name: str, confidence: float, only_tips: bool, rule: str) -> None:
    use = FindingUse(frozenset(CLASSES) - {"money"}, 0.5, 0.9, only_tips)
    assert use.rule(ProviderFinding(name, confidence, "")) == rule


def test_words_that_are_not_in_the_text_are_left_out() -> None:
    found = (ProviderFinding("hate", 1, "yes"), ProviderFinding("hate", 1, "no"))
    assert [one.words for one in with_true_words(found, "oh yes")] == ["yes", ""]
