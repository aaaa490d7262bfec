"""The highest value of a day is kept for a day, in a bounded memory."""

from server.ops.metrics.daily_top import HOUR_S, HOURS, DailyTop


def test_the_highest_value_is_kept_for_a_day_and_then_forgotten() -> None:
    now = 0.0
    top = DailyTop(lambda: now)
    assert top.note(3) == 3
    assert top.note(9) == 9
    assert top.note(1) == 9
    for hour in range(1, HOURS + 1):
        now = hour * HOUR_S
        assert top.note(2) == 9
    now += HOUR_S
    assert top.note(2) == 2
    for hour in range(1000):
        now += hour * HOUR_S
        top.note(hour)
        assert len(top._tops) <= HOURS + 1
