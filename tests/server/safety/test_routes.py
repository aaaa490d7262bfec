"""When a measure ends, in words: the hour of a ban would tell who reported."""

from dataclasses import replace

import pytest

from server.config.moderation_policy import FOR_GOOD
from server.safety.interface import Reasons
from server.safety.routes import end
from server.words.said import said

MIDNIGHT = 1_764_115_200  # 26 November 2025, UTC
BAN = Reasons("ban", "R5", "", MIDNIGHT - 86_400, MIDNIGHT, ("identity",), True, "", "", 0)


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
