"""A moment is said to the minute, UTC, as each language writes a day."""

from server.http.words.moment_words import moment
from server.http.words.sentence_formatter import said

AT = 1_795_536_309  # 24 November 2026, 16:05:09 UTC


def test_a_moment_is_a_day_and_a_minute() -> None:
    day = said()["en"].day(AT)
    assert moment(AT, said()["en"]).startswith(f"{day}, ")
    assert moment(AT, said()["en"]).endswith(" UTC")
    assert moment(AT + 60, said()["de"]) != moment(AT, said()["de"])
    assert moment(0, said()["ja"]) == "1970年1月1日 00:00 UTC"
