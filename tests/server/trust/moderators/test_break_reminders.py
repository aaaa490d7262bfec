"""Test that a break is proposed after fifty minutes, and that an absence counts as one."""

from server.trust.moderators.break_reminders import FORGOTTEN, LOOKS, PAUSE, WORK, Shifts


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


def test_a_break_is_due_after_so_many_pictures_too_and_makes_them_forgotten() -> None:
    now = 0.0
    shifts = Shifts(lambda: now)
    for looked in range(LOOKS):
        assert shifts.left("ada") == LOOKS - looked
        shifts.looked("ada")
        now += 1
    assert shifts.left("ada") == 0
    shifts.looked("ada")
    assert shifts.left("ada") == 0
    assert shifts.left("bob") == LOOKS
    now += PAUSE
    assert shifts.left("ada") == LOOKS
