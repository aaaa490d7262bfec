"""Test a receipt's text: what was deleted and when, what is kept and until when, and the sentence of every receipt."""

from server.trust.rights.deletion_receipt_text import SENTENCE, receipt_text, when


def test_times_are_told_in_utc_to_the_minute() -> None:
    assert when(1_795_000_000) == "2026-11-18 11:06 UTC"


def test_it_says_what_went_when_and_what_stays_until_when() -> None:
    steps = [("hidden", 60), ("records", 3600), ("logs", 3600), ("backups", 7200)]
    said = receipt_text("7KQ2", 60, 3600, "2.3", steps, [("a ban", 7200), ("the trail", None)])
    assert said.splitlines() == [
        "Receipt of a deletion",
        "number 7KQ2",
        "asked 1970-01-01 00:01 UTC",
        "done 1970-01-01 01:00 UTC",
        "privacy statement 2.3",
        "",
        "1970-01-01 00:01 UTC: hidden from everybody",
        "1970-01-01 01:00 UTC: records of chats, and of moderation, removed",
        "1970-01-01 01:00 UTC: saved logs removed, whole",
        "1970-01-01 02:00 UTC: gone from backups at the latest",
        "",
        "stays: a ban (until 1970-01-01 02:00 UTC)",
        "stays: the trail",
        SENTENCE,
    ]
