"""How picky a waiting person is, and for how long."""

import pytest

from engine.matching.thresholds import SPAN, Arrivals, Thresholds
from server.ops.config.settings import Settings


def test_a_deployment_that_chooses_nothing_has_the_defaults_of_the_rules() -> None:
    assert Thresholds(**Settings().matching.model_dump()) == Thresholds()


def test_the_steps_come_sooner_where_the_pool_is_busy_but_never_below_a_share() -> None:
    rules = Thresholds()
    assert rules.any_at(1.0) == rules.any_after
    assert rules.any_at(200.0) == pytest.approx(1.5)  # 600 people come by in three seconds: twice as many as enough
    assert rules.anyone_at(1e9) == pytest.approx(rules.anyone_after * rules.hurry)


def test_the_floor_falls_steeply_first_and_ends_at_nothing_in_time() -> None:
    rules = Thresholds(peak=100, falls=4, falls_for=8.0)
    assert [rules.floor(fallen) for fallen in range(5)] == [100, 56, 25, 6, 0]
    assert [rules.fall_at(fallen, 0.0) for fallen in range(4)] == [2.0, 4.0, 6.0, 8.0]


def test_arrivals_are_those_of_the_last_minute() -> None:
    arrivals = Arrivals()
    for second in range(120):
        arrivals.add(float(second))
        assert arrivals.total <= 60
    assert arrivals.total == 60
    arrivals.expire(170.0)
    assert arrivals.total == 5  # in steps of five seconds


def test_the_rate_is_that_of_the_last_seconds_and_of_a_new_pool_that_of_all() -> None:
    arrivals = Arrivals()
    assert arrivals.rate(0.0) == 0.0
    for number in range(12_000):
        now = 100.0 + number / 100
        arrivals.add(now)
        if now >= 100.6:
            assert arrivals.rate(now) == pytest.approx(100.0, rel=0.03)
        else:
            assert arrivals.rate(now) <= 103.0  # the first few are no rush
    assert arrivals.rate(now + 2 * SPAN) == 0.0
    for _ in range(30):
        arrivals.add(now + 70.0)
    assert arrivals.rate(now + 70.0) == 60.0  # as if of half a second


def test_a_clock_that_steps_back_forgets_no_arrival() -> None:
    arrivals = Arrivals()
    arrivals.add(100.0)
    arrivals.add(10.0)
    assert arrivals.total == 2


def test_arrivals_of_the_last_minute_go_to_another_count_of_them() -> None:
    one, two = Arrivals(), Arrivals()
    for now in (100.0, 101.0, 112.0):
        one.add(now)
    assert one.lately(114.0) == [1, 0, 2]
    two.add(1_000.0)
    two.add_lately(one.lately(114.0), 1_002.0)
    assert (two.total, two.lately(1_002.0)) == (4, [2, 0, 2])
    two.expire(1_051.0)
    assert two.total == 2
    two.add_lately([0] * 12 + [9], 1_051.0)
    assert two.total == 2
    assert Arrivals().lately(5.0) == []
