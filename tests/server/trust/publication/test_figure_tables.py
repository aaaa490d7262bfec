"""Test the published figures in words: every number has a label."""

from server.http.words.sentence_formatter import said
from server.trust.publication.figure_tables import tables, within
from server.trust.publication.monthly_figures import month
from tests.server.trust.publication.test_monthly_figures import FIGURES

EN, HIDDEN = said()["en"], "not shown"


def test_each_line_says_what_it_counts() -> None:
    found = {table.title: table for table in tables(month("2026-11", FIGURES), EN)}
    reports = found["Reports that were closed"]
    assert reports.total == "244"
    assert ("we acted", "164") in reports.lines
    assert ("we did not act, spam or a bot", HIDDEN) in reports.lines or (
        "we did not act, spam or a bot",
        "44",
    ) in reports.lines
    assert reports.lines[-1] == ("share that we acted on, of those that were looked at", "70%")
    assert found["Operators"].total == "< 10"
    assert found["Looks of a person at one of them"].total == "22"
    assert found["Reports of child abuse to the police or a body that protects children"].total == "< 10"
    second = found["Second looks: one in twenty decided cases, shown to somebody who does not see the decision"]
    assert second.total == "57"
    assert second.lines[-1] == ("share that decided alike, of those that were looked at", "76%")
    decisions = dict(found["Decisions about people"].lines)
    assert decisions["half of them were made"] == "within 4 hours"


def test_a_month_has_its_name_and_what_is_hidden_whole_is_not_listed() -> None:
    assert (EN.month("2026-10"), said()["ja"].month("2026-10")) == ("October 2026", "2026年10月")
    found = {table.title: table for table in tables(month("2026-11", FIGURES), EN)}
    assert not any("nobody looked within 30 days, " in label for label, _ in found["Reports that were closed"].lines)


def test_every_part_that_is_published_has_its_words_in_every_language() -> None:
    for t in said().values():
        assert [table.title for table in tables(month("2026-11", FIGURES), t)]


def test_a_length_of_time_in_words() -> None:
    assert [within(seconds, EN) for seconds in (None, 0, 3_600, 14_400, 86_400, 1_209_600)] == [
        HIDDEN, "after more than 30 days", "within 1 hour", "within 4 hours", "within 1 day", "within 14 days",
    ]  # fmt: skip
