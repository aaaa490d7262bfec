"""Test the end of a measure in words: the hour of a ban would reveal the reporter."""

from dataclasses import replace

import pytest

from server.http.pages import Pages
from server.http.words.sentence_formatter import said
from server.ops.config.moderation_policy import FOR_GOOD
from server.trust.moderation_protocol import Reasons
from server.trust.reports.report_outcome_and_appeal_routes import end, shown

MIDNIGHT = 1_764_115_200  # 26 November 2025, UTC
BAN = Reasons("ban", "R5", "", MIDNIGHT - 86_400, MIDNIGHT, False, True, "", "", 0)


def page(found: Reasons) -> str:
    """What whoever has the address of this decision reads."""
    t = said()["en"]
    values = {"state": "found", "path": "/x", "young": "", **shown(found, empty=False, t=t)}
    return Pages(lambda name: name).text("appeal.html", t=t, query="", **values)


def test_a_network_reads_that_it_is_meant_and_nothing_of_whom_or_why() -> None:
    told = page(replace(BAN, rule="", network=True))
    assert "This service can&#39;t be used from your network until 26 November 2025." in told
    assert "it need not be you" in told
    for word in ("Decided", "rule", "adverts", "a person read", "reported"):
        assert word not in told.partition("<main")[2].partition("appeal.review")[0].partition("Ask for a review")[0]


def test_a_neutral_pause_says_nothing_of_a_program_or_of_children() -> None:
    told = page(replace(BAN, measure="pause", rule="")).partition("<main")[2].partition("Ask for a review")[0]
    assert "your access was paused for a short time" in told
    for word in ("program", "child", "list", "person", "rules"):
        assert word not in told


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("reported", "read the last lines of a chat that was reported"),
        ("found", "Nobody had reported you: a program pointed a chat of yours out"),
        ("person", "a person decided that you may not use this service. No program decided it."),
    ],
)
def test_who_decided_and_what_brought_the_case_is_said_as_it_was(source: str, words: str) -> None:
    told = page(replace(BAN, source=source))
    assert words in told
    assert ("reported" in told.partition("Ask for a review")[0]) == (source != "person")


@pytest.mark.parametrize("seconds", [0, 86_399])
@pytest.mark.parametrize(("language", "day"), [("en", "26 November 2025"), ("ja", "2025年11月26日")])
def test_the_end_of_a_ban_is_a_day_without_an_hour(language: str, day: str, seconds: int) -> None:
    assert end(replace(BAN, until=MIDNIGHT + seconds), said()[language]) == day


def test_a_ban_for_good_has_no_end() -> None:
    assert end(replace(BAN, until=FOR_GOOD), said()["en"]) == ""


def test_a_pause_is_hours_long_so_its_end_has_a_minute() -> None:
    found = end(replace(BAN, measure="pause", until=MIDNIGHT + 3_660), said()["en"])
    assert "26 November 2025" in found
    assert "01:01" in found
