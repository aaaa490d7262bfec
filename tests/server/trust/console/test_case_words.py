"""Test the wording of cases: ages, records of reporters, decisions of a form."""

from __future__ import annotations

import pytest

from server.data.chat_logs.chat_log_rendering import KINDS
from server.http.words.sentence_formatter import said
from server.ops.config.moderation_policy import DAY, DETECTIONS, FOR_GOOD, HOUR, QUEUES, REPORTS
from server.trust.cases.case_queues import ReporterRecord
from server.trust.console import case_words
from server.trust.sanctions.sanction_scale import MEASURES, Decision, Refused
from tests.server.trust.moderation.people import text

ENGLISH = said()["en"]


def test_ages_and_records_are_words() -> None:
    assert [case_words.age(one, ENGLISH) for one in (5, 60, 7_300, DAY, 3 * DAY + 5)] == [
        "less than a minute", "1 minute", "2 hours", "1 day", "3 days",
    ]  # fmt: skip
    assert case_words.record(ReporterRecord(4, 5), ENGLISH) == "right in 4 of 5 in 90 days"
    assert case_words.record(ReporterRecord(), ENGLISH) == "no decided reports in 90 days"
    assert "no cookie" in case_words.record(ReporterRecord(known=False), ENGLISH)


def test_every_reason_and_queue_has_its_words() -> None:
    for t in said().values():
        assert all(case_words.reason(name, t) for name in (*REPORTS, *DETECTIONS))
        assert all(case_words.queue(name, t) for name in QUEUES)
        assert all(case_words.mode(name, t) for name in KINDS)
        assert all(case_words.measure(name, "R5", t) for name in MEASURES)


def test_chats_with_the_same_lines_are_one_with_their_number() -> None:
    found = [text("hi", "buy gold"), text("hi", "buy gold"), text("hi", "buy silver")]
    shown = case_words.texts(found, ENGLISH, {"buy gold": "kauf Gold"})
    assert [(one.times, one.lines[1].text, one.lines[1].translated) for one in shown] == [
        (2, "buy gold", "kauf Gold"), (1, "buy silver", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("seconds", [91 * DAY, FOR_GOOD])
@pytest.mark.parametrize("words", ["", "so, again.\nAnd again"])
def test_what_another_confirms_is_stored_in_english_and_shown_in_ones_own(seconds: int, words: str) -> None:
    stored = case_words.wanted(Decision("ban", "R7", seconds, words))
    assert stored.startswith("ban ")
    what, theirs = case_words.wanted_words(stored, said()["de"])
    assert (what, theirs) == (case_words.measured("ban", seconds, "R7", said()["de"]), words)
    assert what.startswith("Sperre (")
    assert case_words.wanted_words("a court asks", ENGLISH) == ("", "a court asks")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", Decision("none")),
        ("warning", Decision("warning", "R5", None, "a b")),
        ("pause", Decision("pause", "R5", HOUR, "a b")),
        ("step", Decision("ban", "R5", None, "a b")),
        ("days", Decision("ban", "R5", 7 * DAY, "a b")),
        ("good", Decision("ban", "R5", FOR_GOOD, "a b")),
        ("age", Decision("age", "R1", None, "a b")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_choice_is_a_decision(choice: str, expected: Decision) -> None:
    assert case_words.decision(choice, "R5", "60", "7", " a\nb ") == expected


@pytest.mark.parametrize(
    ("choice", "days"), [("", "7"), ("shout", "7"), ("days", "x"), ("days", "٧"), ("days", "9" * 6)]
)
def test_what_is_no_choice_is_refused(choice: str, days: str) -> None:
    with pytest.raises(Refused):
        case_words.decision(choice, "R5", "60", days, "")
