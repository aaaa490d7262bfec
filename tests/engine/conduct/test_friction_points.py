"""What is counted of persons and networks: each row of the table, how it decays, and that newcomers, however many, push nobody out who has points."""

import pytest

from engine.conduct.friction_points import (
    CONNECTS,
    DAY,
    ENDED,
    FACTS,
    FINDS,
    LAST,
    LINKED,
    REFUSED,
    RUSH_KNOWN,
    RUSH_LEAST,
    Friction,
    level_of,
    retry_after,
)

CASE = bytes(16)
PERSON, HOME = 7, "192.0.2.1"


@pytest.fixture
def friction() -> Friction:
    """Somebody has a cookie that was seen an hour ago; it is second 3,600."""
    friction = Friction()
    friction.opened(PERSON, HOME, 0.0)
    friction.opened(PERSON, HOME, 3_600.0)
    return friction


def points(friction: Friction, now: float = 3_600.0, person: int = PERSON, identity: int = PERSON) -> int:
    """Of a search from another network each time, so that none is crowded."""
    return friction.points(person, identity, f"198.51.{int(now) % 250}.{person % 250}", now)


def test_while_the_same_advert_begins_many_chats_a_young_user_solves_a_puzzle_whatever_cookie_and_address() -> None:
    friction = Friction()
    friction.opened(7, "old", 0.0)
    now = FACTS["young"].seconds + 1
    friction.opened(8, "new", now)
    before = [friction.points(person, person, "net", now) for person in (7, 8, 0)]
    friction.swarmed(now)
    after = [friction.points(person, person, "net", now) for person in (7, 8, 0)]
    assert [a - b for a, b in zip(after, before, strict=True)] == [0, FACTS["swarm"].points, FACTS["swarm"].points]
    later = now + FACTS["swarm"].seconds
    friction.opened(9, "newer", later)
    assert friction.points(9, 9, "net", later) == FACTS["young"].points


def test_who_does_nothing_has_no_points(friction: Friction) -> None:
    assert points(friction) == 0


def test_no_cookie_and_a_young_one_are_a_point_and_the_first_minutes_of_a_process_make_nobody_young(
    friction: Friction,
) -> None:
    assert points(friction, person=99, identity=0) == 1
    friction.opened(8, HOME, 3_600.0)
    assert points(friction, person=8, identity=8) == 1
    young = FACTS["young"].seconds
    assert points(friction, 3_600.0 + young - 1, person=8, identity=8) == 1
    assert points(friction, 3_600.0 + young, person=8, identity=8) == 0
    fresh = Friction()
    fresh.opened(8, HOME, 50.0)
    assert points(fresh, 51.0, person=8, identity=8) == 0, "they may have been here before the process was"


def test_reports_are_two_points_a_reporter_and_four_at_most(friction: Friction) -> None:
    seconds = FACTS["reported"].seconds
    for reporter, wanted in ((1, 2), (1, 2), (2, 4), (3, 4)):
        friction.reported(PERSON, reporter, 3_600.0)
        assert points(friction) == wanted
    assert level_of(points(friction)) == 2, "reports alone never lead beyond level 2"
    friction.opened(PERSON, HOME, 3_600.0 + seconds)
    assert points(friction, 3_600.0 + seconds) == 0


def test_a_hundred_reporters_are_no_more_than_two(friction: Friction) -> None:
    for reporter in range(100):
        friction.reported(PERSON, reporter, 3_600.0)
    assert points(friction) == 4


def test_chats_that_partners_end_soon_are_two_points_from_the_sixth_of_ten_on(friction: Friction) -> None:
    for count in range(1, ENDED + 1):
        assert points(friction) == 0
        friction.ended(PERSON, True, 3_600.0 + count)
    assert points(friction, 3_610.0) == 2
    assert points(friction, 3_602.0 + FACTS["ended"].seconds) == 0


def test_chats_that_last_push_the_others_out(friction: Friction) -> None:
    for _ in range(ENDED):
        friction.ended(PERSON, True, 3_600.0)
    for _ in range(LAST - ENDED):
        friction.ended(PERSON, False, 3_600.0)
    assert points(friction) == 2
    friction.ended(PERSON, False, 3_600.0)
    assert points(friction) == 0, "five of the last ten"


def test_who_is_never_left_soon_is_not_remembered(friction: Friction) -> None:
    before = len(friction)
    for _ in range(50):
        friction.ended(PERSON, False, 3_600.0)
    assert len(friction) == before


def test_links_are_two_points_from_the_third_chat_on_however_many_in_one(friction: Friction) -> None:
    for count in range(LINKED):
        assert points(friction) == 0
        for _ in range(5):
            friction.linked(PERSON, 3_600.0)
        if count < LINKED - 1:
            friction.ended(PERSON, False, 3_600.0)
    assert points(friction) == 2, "the present chat counts"
    assert points(friction, 3_600.0 + FACTS["linked"].seconds) == 0


def test_an_opener_of_many_is_three_points_for_an_hour(friction: Friction) -> None:
    friction.opener(PERSON, 3_600.0)
    assert points(friction) == 3
    assert points(friction, 3_599.0 + FACTS["opener"].seconds) == 3
    assert points(friction, 3_600.0 + FACTS["opener"].seconds) == 0


def test_a_network_is_crowded_by_connections_or_by_searches_for_a_minute(friction: Friction) -> None:
    for count in range(CONNECTS):
        assert friction.points(PERSON, PERSON, "203.0.113.1", 3_600.0) == 0, count
        friction.opened(PERSON, "203.0.113.1", 3_600.0)
    assert friction.points(PERSON, PERSON, "203.0.113.1", 3_600.0) == 2
    assert friction.points(PERSON, PERSON, "203.0.113.2", 3_600.0) == 0
    assert friction.points(PERSON, PERSON, "203.0.113.1", 3_660.0) == 0
    searched = [friction.points(PERSON, PERSON, "203.0.113.3", 3_600.0) for _ in range(FINDS)]
    assert searched == [0] * (FINDS - 1) + [2]


def test_to_look_at_the_points_counts_nothing(friction: Friction) -> None:
    friction.barred("n", CASE, 0.0)
    friction.opener(7, 0.0)
    before = friction.points(7, 0, "n", 0.0)
    for _ in range(100):
        assert friction.current_points(7, 0, "n", 1.0) == before
    assert friction.current_points(8, 0, "unknown", 1.0) == FACTS["young"].points
    assert friction.points(7, 0, "n", 1.0) == before


def test_slow_searches_crowd_nothing(friction: Friction) -> None:
    friction.opened(PERSON, HOME, 3_600.0)
    assert not any(friction.points(PERSON, PERSON, "203.0.113.3", 3_600.0 + 3 * second) for second in range(100))


def test_a_ban_in_the_network_is_two_points_for_a_week_from_the_first_time_on(friction: Friction) -> None:
    week = FACTS["barred"].seconds
    friction.barred("203.0.113.1", CASE, 3_600.0)
    friction.barred("203.0.113.1", CASE, 3_600.0 + week - 1)
    friction.opened(PERSON, HOME, 3_600.0 + week)
    assert friction.points(PERSON, PERSON, "203.0.113.1", 3_599.0 + week) == 2
    assert friction.points(PERSON, PERSON, "203.0.113.1", 3_600.0 + week) == 0


def test_a_ban_that_is_taken_back_leaves_nothing_on_the_networks_that_it_barred(friction: Friction) -> None:
    for network, case in (("203.0.113.1", CASE), ("203.0.113.2", CASE), ("203.0.113.3", b"another case....")):
        friction.barred(network, case, 3_600.0)
    friction.lifted(CASE)
    assert [friction.current_points(PERSON, 0, f"203.0.113.{n}", 3_601.0) for n in (1, 2, 3)] == [1, 1, 3]
    friction.barred("203.0.113.1", CASE, 3_602.0)
    assert friction.current_points(PERSON, 0, "203.0.113.1", 3_603.0) == 3


def test_newcomers_beyond_three_times_the_mean_are_a_point_for_everybody(friction: Friction) -> None:
    newcomer = iter(range(1_000, 100_000))
    for minute in range(60, 60 + RUSH_KNOWN):
        for _ in range(RUSH_LEAST // 2):
            friction.opened(next(newcomer), HOME, 60.0 * minute)
    now = 60.0 * (60 + RUSH_KNOWN)
    assert points(friction, now) == 0
    for _ in range(RUSH_LEAST - 1):
        friction.opened(next(newcomer), HOME, now)
    assert points(friction, now) == 0
    friction.opened(next(newcomer), HOME, now)
    assert points(friction, now) == 1
    assert points(friction, now + FACTS["rush"].seconds) == 0


def test_points_add_up_to_a_level() -> None:
    assert [level_of(points) for points in range(11)] == [0, 0, 1, 1, 2, 2, 3, 3, 3, REFUSED, REFUSED]
    assert [retry_after(points) for points in (9, 10, 12, 13, 17)] == [60, 120, 480, 600, 600]


def test_a_solution_is_good_for_its_time_at_its_level_and_below(friction: Friction) -> None:
    friction.solved(PERSON, 2, 1_800.0, 3_600.0)
    assert [friction.passed(PERSON, level, 5_399.0) for level in (1, 2, 3)] == [True, True, False]
    assert not friction.passed(PERSON, 1, 5_400.0)
    assert not friction.passed(8, 1, 3_600.0)


def test_identities_made_up_at_will_hold_a_bounded_memory_and_push_nobody_out_who_has_points() -> None:
    friction = Friction(
        persons=500, networks=500
    )  # two hundred times as many come: as forty million would to the real tables
    friction.opener(PERSON, 0.0)
    friction.barred("203.0.113.1", CASE, 0.0)
    for number in range(1, 100_000):
        friction.opened(number << 8, f"10.{number & 1023}", number * 1e-2)
        if number % 100 == 0:
            friction.ended(number << 8, True, number * 1e-2)
    assert len(friction) <= 2_000
    assert friction.points(PERSON, 0, "203.0.113.1", 1_000.0) == 1 + 3 + 2


def test_a_million_identities_made_up_clear_no_debtor_and_make_nobody_lasting() -> None:
    friction = Friction(persons=20_000, networks=20_000)
    friction.opener(PERSON, 0.0)
    friction.barred("203.0.113.1", CASE, 0.0)
    for number in range(1, 1_000_001):
        friction.opened(number << 8, f"10.{number % 60_000}", number * 1e-4)
    assert len(friction) <= 80_000
    assert friction.points(PERSON, 0, "203.0.113.1", 100.0) == 1 + 3 + 2
    assert not friction.lasting(1_000_000 << 8, 100.0)


def test_a_cookie_lasts_from_a_day_on_and_no_longer_where_it_is_away_for_one() -> None:
    friction = Friction()
    friction.opened(99, HOME, 0.0)  # who comes first may have been here before the process was
    for second in (1_000.0, 1_000.0 + DAY - 1, 1_000.0 + DAY - 0.5):
        friction.opened(PERSON, HOME, second)
        assert not friction.lasting(PERSON, second)
    assert friction.lasting(PERSON, 1_000.0 + DAY)
    assert not friction.lasting(8, 1_000.0 + DAY)
    friction.opened(8, HOME, 3 * DAY)
    assert not friction.lasting(PERSON, 3 * DAY)


def test_cookies_that_were_seen_are_so_in_the_process_that_follows(friction: Friction) -> None:
    friction.opened(8, HOME, 3_600.0 + DAY - 60.0)
    friction.opened(PERSON, HOME, 3_600.0 + DAY - 60.0)
    there = Friction()
    there.opened(PERSON, HOME, 50.0)  # before the rest came
    there.take_rest(friction.rest(3_600.0 + DAY), 60.0)
    assert there.lasting(PERSON, 60.0)
    assert not there.lasting(8, 60.0)
    assert there.lasting(8, 60.0 + DAY)
    assert points(there, 61.0, person=8, identity=8) == 1, "seen for the first time a minute ago"
    full = Friction(persons=1)
    full.take_rest(friction.rest(3_600.0 + DAY), 60.0)
    assert [full.lasting(identity, 60.0) for identity in (PERSON, 8)] == [True, False]


def test_where_everybody_has_points_newcomers_are_not_remembered() -> None:
    friction = Friction(persons=100, networks=100)
    for number in range(200):
        friction.opener(number, 0.0)
        friction.barred(f"10.0.0.{number}", CASE, 0.0)
    assert [friction.points(number, 0, f"10.0.0.{number}", 1.0) for number in range(200)] == [6] * 100 + [1] * 100
    friction.opener(777, 4_000.0)
    assert friction.points(777, 0, "10.0.1.1", 4_000.0) == 4, "those whose facts are over go first"


def test_what_was_counted_goes_along_to_another_process(friction: Friction) -> None:
    friction.reported(PERSON, 1, 3_600.0)
    friction.opener(PERSON, 3_000.0)
    friction.solved(PERSON, 3, 1_800.0, 3_600.0)
    for _ in range(ENDED):
        friction.ended(PERSON, True, 3_590.0)
    assert points(friction) == 2 + 3 + 2
    record = friction.leave(PERSON, 3_600.0, keep=False)
    assert record is not None
    assert points(friction) == 0
    assert friction.leave(PERSON, 3_600.0, keep=True) is None
    there = Friction()
    there.opened(PERSON, HOME, 10.0)
    there.enter(PERSON, record, 10.0)
    assert points(there, 10.0) == 2 + 3 + 2
    assert there.passed(PERSON, 3, 1_800.0)
    assert points(there, 3_011.0) == 2, "the ages went along"
