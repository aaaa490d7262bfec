"""Names of counts: fixed words, UTC, and the bounds of each class."""

import pytest

from server.data.statistics.count_names import LANGUAGES, LENGTHS, OTHER, names_of, weekday_of
from server.site.front.page_files import FOLDER

MONDAY = 1_795_996_800  # 30 November 2026, 00:00 UTC


@pytest.mark.parametrize(
    ("day", "kind"), [(0, "weekday"), (4, "weekday"), (5, "weekend"), (6, "weekend"), (7, "weekday")]
)
def test_saturday_and_sunday_of_utc_are_the_weekend(day: int, kind: str) -> None:
    assert weekday_of(MONDAY + day * 86_400) == weekday_of(MONDAY + day * 86_400 + 86_399) == kind


def test_a_chat_has_a_name_in_each_table_and_a_strange_word_is_none() -> None:
    names = names_of("video", "moderation", MONDAY + 3 * 3_600 - 1, 1, "de")
    assert names == ("hour/weekday/02/video", "length/180", "ending/moderation", "language/de")
    strange = names_of("x" * 99, "stranger", MONDAY, len(LENGTHS), OTHER)
    assert strange == ("hour/weekday/00/text", "length/0", "ending/left", "language/other")


def test_the_languages_are_those_that_the_page_offers() -> None:
    offered = (FOLDER / "languages.js").read_text().partition('USUAL = "')[2].partition('"')[0]
    assert set(offered.split()) == LANGUAGES
