"""What a person and a network may save: by number and by bytes, an hour and a day."""

import pytest

from server.data.chat_logs.save_quota import DAY, HOUR, SaveQuota
from server.data.records.chat_rows import Party
from server.ops.config.settings import MIB, Limits

LIMITS = Limits(saves_hour=4, saves_day=8, saved_hour=2 * MIB, saved_day=4 * MIB, saves_network=2)  # type: ignore[arg-type]


def person(identity: int, address: str = "192.0.2.1") -> Party:
    return Party(0, identity, address)


def saved(quota: SaveQuota, by: Party, size: int, now: float) -> bool:
    """Whether it may be, and if so it is counted."""
    if quota.wait(by, size, now):
        return False
    quota.take(by, size, now)
    return True


def test_a_person_saves_so_many_an_hour_and_a_day() -> None:
    quota = SaveQuota(LIMITS)
    assert [saved(quota, person(1), 10, 0.0) for _ in range(5)] == [True] * 4 + [False]
    assert quota.wait(person(1), 10, 0.0) == pytest.approx(HOUR / 4)
    assert [saved(quota, person(1), 10, HOUR) for _ in range(5)] == [True] * 4 + [False]
    assert not saved(quota, person(1), 10, 1.5 * HOUR)  # of the day's eight, those that came back are fewer than one
    assert saved(quota, person(1), 10, 1.0 * HOUR + DAY / 8)


def test_a_person_saves_so_many_bytes() -> None:
    quota = SaveQuota(LIMITS)
    assert saved(quota, person(1), 2 * MIB, 0.0)
    assert quota.wait(person(1), MIB, 0.0) == pytest.approx(HOUR / 2)
    assert saved(quota, person(2), MIB, 0.0)


def test_a_network_has_several_times_as_much_and_another_its_own() -> None:
    quota = SaveQuota(LIMITS)
    assert [saved(quota, person(who), 10, 0.0) for who in range(1, 11)] == [True] * 8 + [False] * 2
    assert not saved(quota, person(11, "192.0.2.200"), 10, 0.0)
    assert saved(quota, person(11, "192.0.3.1"), 10, 0.0)


def test_who_has_no_identity_has_what_the_network_has() -> None:
    quota = SaveQuota(LIMITS)
    assert [saved(quota, person(0), 10, 0.0) for _ in range(9)] == [True] * 8 + [False]


def test_where_limits_are_lifted_nobody_waits() -> None:
    quota = SaveQuota(LIMITS.model_copy(update={"enabled": False}))
    assert all(saved(quota, person(1), MIB, 0.0) for _ in range(100))
