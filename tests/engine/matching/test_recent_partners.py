"""Rule 7: not the same two again."""

from itertools import count

import pytest

from engine.matching.recent_partners import RecentPartners
from engine.wire.rule_constants import REPORTS_MAX
from tests.engine.world import World

HERE = ("192.0.2.1",)


def test_two_who_just_met_are_not_matched_again_until_both_stood_at_anyone_for_twenty_seconds() -> None:
    world = World()
    a, b = world.pair()
    world.send(a, type="leave")
    world.send(a, type="find")
    world.send(b, type="find")
    world.wait(19)
    assert a.session.seat is None
    world.wait(2)
    assert a.session.seat is not None


def test_two_who_just_met_meet_others_at_once() -> None:
    world = World()
    a, b = world.pair()
    world.send(a, type="leave")
    world.send(a, type="find")
    world.send(b, type="find")
    c = world.open()
    world.send(c, type="find")
    assert a.session.seat is not None


def test_after_ten_minutes_the_two_may_meet_again() -> None:
    world = World()
    a, b = world.pair()
    world.send(a, type="leave")
    world.now += 601
    world.send(a, type="find")
    world.send(b, type="find")
    assert a.session.seat is not None


def test_the_fifth_partner_lets_the_first_be_met_again() -> None:
    recents = RecentPartners(count(1).__next__)
    for partner in range(1, 6):
        recents.met(100, partner, 0.0)
    assert recents.recent(100, 1.0) == (2, 3, 4, 5)


def test_meeting_somebody_again_counts_from_then() -> None:
    recents = RecentPartners(count(1).__next__)
    recents.met(100, 1, 0.0)
    recents.met(100, 2, 1.0)
    recents.met(100, 1, 500.0)
    assert recents.recent(100, 650.0) == (1,)


def test_an_identity_is_known_again_over_sessions_and_a_session_without_one_is_forgotten() -> None:
    world = World()
    a, b = world.open(identity=7), world.open()
    world.send(a, type="find")
    world.send(b, type="find")
    world.lose(a, 0)
    world.send(b, type="find")
    again = world.open(identity=7)
    world.send(again, type="find")
    assert again.session.seat is None
    world.lose(b, 0)
    assert world.engine._core.recents.recent(b.session.id, world.now) == ()


def test_the_memory_of_persons_is_bounded_and_shrinks_with_time() -> None:
    recents = RecentPartners(count(1).__next__, persons=100)
    for person in range(1000):
        recents.met(person, 1, 0.0)
    assert len(recents._met) <= 101
    for person in range(2000, 2060):
        recents.met(person, 1, 10_000.0)
    assert len(recents._met) <= 60


def test_a_report_bars_both_for_a_day_and_no_partner_pushes_it_out() -> None:
    recents = RecentPartners(count(1).__next__)
    recents.report(1, 2, HERE, 0.0)
    for partner in range(10, 20):
        recents.met(1, partner, 0.0)
    assert recents.barred(1, 86_399.0) == (2,)
    assert recents.barred(2, 86_399.0) == (1,)
    assert recents.barred(1, 86_401.0) == ()


@pytest.mark.parametrize("there", [("192.0.2.9", "192.0.2.0/24"), ("2001:db8:1:2::/64", "2001:db8:1::/48")])
def test_made_up_identities_of_one_network_push_out_nobodys_bar_but_their_own(there: tuple[str, ...]) -> None:
    recents = RecentPartners(count(1).__next__, persons=1_000)
    recents.report(1, 2, HERE, 0.0)
    for person in range(10_000, 20_000, 2):
        recents.report(person, person + 1, there, 1.0)
    assert recents.barred(1, 2.0) == (2,)
    assert recents.barred(2, 2.0) == (1,)
    assert recents.barred(10_000, 2.0) == ()
    assert recents.barred(19_998, 2.0) == (19_999,)
    assert recents.barred(19_999, 2.0) == (19_998,)


@pytest.mark.parametrize(
    ("narrow", "wide", "share"), [("2001:db8:1:{:x}::/64", "2001:db8:1::/48", 4), ("192.0.2.{}", "192.0.2.0/24", 8)]
)
def test_many_addresses_of_one_network_have_a_few_times_the_reports_of_one(narrow: str, wide: str, share: int) -> None:
    recents = RecentPartners(count(1).__next__, persons=1_000)
    recents.report(1, 2, HERE, 0.0)
    for person in range(10_000, 20_000, 2):
        recents.report(person, person + 1, (narrow.format(person), wide), 1.0)
    assert recents.barred(1, 2.0) == (2,)
    barring = sum(bool(recents.barred(person, 2.0)) for person in range(10_000, 20_000, 2))
    assert barring == share * REPORTS_MAX


def test_who_was_reported_cannot_lift_that_by_reporting_back_and_then_many_others() -> None:
    recents = RecentPartners(count(1).__next__)
    recents.report(1, 2, HERE, 0.0)
    recents.report(2, 1, ("192.0.2.9",), 1.0)
    for person in range(10_000, 11_000):
        recents.report(person, person + 1, ("192.0.2.9",), 2.0)
    assert recents.barred(1, 3.0) == (2,)
    assert recents.barred(2, 3.0) == (1,)


def test_sixteen_places_go_to_whom_they_reported_then_to_whom_they_blocked_last() -> None:
    recents = RecentPartners(count(1).__next__)
    for other in range(100, 104):
        recents.report(other, 1, (), 0.0)  # who reported them: a ticket of theirs bars it too
    for other in (200, 201):
        recents.report(1, other, (), 0.0)
    barred = recents.barred(1, 0.0, (*range(300, 315), 201))
    assert barred[-2:] == (200, 201)
    assert barred[-16:-2] == tuple(range(301, 315)), "the newest, and nobody twice"
    assert recents.barred(2, 0.0, (5,)) == (5,)
