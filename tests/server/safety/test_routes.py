"""Days in words: the hour would tell who reported."""

from server.safety.routes import day


def test_a_day_has_no_hour_and_no_zero() -> None:
    assert day(1_764_115_200) == "26 November 2025"
    assert day(1_764_115_200 + 86_399) == "26 November 2025"
    assert day(None) == ""
