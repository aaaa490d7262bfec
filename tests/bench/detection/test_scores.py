"""Check that hits and wrong findings are counted by class, and that a reviewed finding is no false alarm."""

import pytest

from bench.detection.conversations import Conversation, conversations, right_findings
from bench.detection.detectors import Hit
from bench.detection.labelled_lines import HELD, SEEN, LabelledSet, Line
from bench.detection.scores import (
    ALL,
    HIGH,
    false_alarms,
    per_thousand,
    precision,
    recall,
    score_conversations,
    score_set,
    time_lines,
)


def detect(line: str) -> list[Hit]:
    """Find the classes that the line names; one in capitals is found with low confidence."""
    return [
        Hit(word.lower(), "rule", word.isupper())
        for word in line.split()
        if word.lower() in ("age", "hate", "threat", "advert", "grooming")
    ]


def scored(kind: str, *lines: tuple[str, bool]) -> dict[str, object]:
    return score_set(detect, LabelledSet("own", kind, "en", HELD, [Line(*line) for line in lines]))


def test_recall_and_precision_count_the_set_s_class_alone() -> None:
    row = scored("age", ("age age", True), ("hate", True), ("hi", True), ("age", False), ("advert", False))
    assert (row["positive"], row["negative"]) == (3, 2)
    assert recall(row, ALL) == pytest.approx(1 / 3)
    assert precision(row, ALL) == pytest.approx(1 / 2)


def test_a_finding_of_low_confidence_counts_among_all_alone() -> None:
    row = scored("age", ("age AGE", True), ("AGE", True), ("AGE", False))
    assert (recall(row, HIGH), recall(row, ALL)) == (1 / 2, 1)
    assert (precision(row, HIGH), precision(row, ALL)) == (1, pytest.approx(2 / 3))


def test_a_toxic_comment_is_found_as_hate_or_as_a_threat() -> None:
    row = scored("insult", ("hate", True), ("threat", True), ("advert", True), ("advert", False))
    assert (row["found"][HIGH], row["wrong"][HIGH]) == (2, 0)


def test_without_findings_there_is_no_precision() -> None:
    assert precision(scored("age", ("hi", True)), ALL) is None
    assert recall(scored("age", ("hi", False)), ALL) is None


def test_a_conversation_is_one_alarm_a_class_and_a_reviewed_finding_is_none() -> None:
    chats = [
        Conversation("talk", "a", "en", SEEN, ["hi", "age", "age hate"]),
        Conversation("talk", "b", "en", SEEN, ["advert", "advert"]),
        Conversation("talk", "c", "en", SEEN, ["advert"]),
        Conversation("talk", "d", "en", HELD, ["hi"]),
    ]
    held, seen = score_conversations(detect, chats, frozenset({("advert", "c", 1), ("advert", "b", 1)}))
    assert held["conversations"] == 1
    assert not any(held["alarms"][ALL].values())
    assert {kind: count for kind, count in seen["alarms"][HIGH].items() if count} == {"age": 1, "hate": 1, "advert": 1}
    assert per_thousand(seen, "age", HIGH) == pytest.approx(1000 / 3)


@pytest.mark.parametrize(
    ("lines", "alarms"),
    [
        (["GROOMING"], {HIGH: set(), ALL: set()}),
        (["GROOMING", "AGE"], {HIGH: set(), ALL: {"age"}}),
        (["GROOMING", "age"], {HIGH: {"age"}, ALL: {"age", "grooming"}}),
        (["grooming"], {HIGH: {"grooming"}, ALL: {"grooming"}}),
        (["HATE"], {HIGH: set(), ALL: {"hate"}}),
    ],
)
def test_a_request_of_low_confidence_is_an_alarm_only_with_an_age(
    lines: list[str], alarms: dict[str, set[str]]
) -> None:
    assert false_alarms(detect, Conversation("talk", "a", "en", SEEN, lines), frozenset()) == alarms


def test_the_ordinary_conversations_are_there_in_both_halves_and_their_keys_are_unique() -> None:
    every = list(conversations())
    assert len({(chat.set, chat.key) for chat in every}) == len(every)
    assert {(chat.set, chat.half) for chat in every} == {
        (name, half) for name in ("chitchat", "chatterbot") for half in (SEEN, HELD)
    }
    assert sum(len(chat.lines) for chat in every) > 250_000
    keys = {chat.key: len(chat.lines) for chat in every}
    assert all(0 < number <= keys[key] for _, key, number in right_findings())


def test_each_line_is_timed() -> None:
    row = time_lines(detect, ["a", "hate " * 200, "b"])
    assert row["lines"] == 3
    assert 0 < row["median_us"] <= row["worst_us"]
    assert row["worst_characters"] == 1_000
