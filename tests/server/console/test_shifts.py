"""A break is proposed after fifty minutes, and whoever was away had one."""

from server.console.shifts import FORGOTTEN, PAUSE, WORK, Shifts


def test_a_break_is_due_after_fifty_minutes_of_pages() -> None:
    now = 0.0
    shifts = Shifts(lambda: now)
    while now < WORK:
        assert shifts.minutes("ada") == 0
        now += PAUSE - 1
    assert shifts.minutes("ada") >= 50
    assert shifts.minutes("bob") == 0
    now += PAUSE
    assert shifts.minutes("ada") == 0
    now += FORGOTTEN
    assert shifts.minutes("eve") == 0
    assert list(shifts._known) == ["eve"]
