"""Users who both chose to meet again find each other by exact look-up; who declines, blocked or left is not found."""

import pytest

from engine.matching.lobby import Lobby
from engine.matching.tickets import Match, Pool, Ticket
from engine.rooms.local_waiting_room import WaitingRoom

HALF, OTHER = 0x2468, 0x2469
PEOPLE = {1: 11, 2: 22, 3: 33}


def ticket(client: int, halves: tuple[int, ...] = (), calls: int = 0, **more: object) -> Ticket:
    return Ticket(client, more.pop("pool", Pool()), person=PEOPLE[client], halves=halves, calls=calls, **more)  # type: ignore[arg-type]


def room() -> WaitingRoom:
    return WaitingRoom(Lobby())


def news(place: WaitingRoom) -> list[tuple[int, int, str, bool]]:
    found = [tuple(one) for one in place.news]
    place.news.clear()
    return found


def test_two_who_call_each_other_meet_and_nobody_else_does() -> None:
    place = room()
    assert place.submit(ticket(1, (HALF,), HALF), 0.0) is None
    assert place.submit(ticket(3), 1.0) is None, "a caller waits for the other half alone"
    found = place.submit(ticket(2, (OTHER,), OTHER), 2.0)
    assert isinstance(found, Match)
    assert (found.a, found.b, found.waited_b) == (2, 1, 2.0)
    assert place.clients() == [3]
    assert (place.counts["submitted"], place.counts["matched"]) == (3, 2)


def test_a_search_hears_of_a_call_whichever_came_first_and_of_its_end() -> None:
    place = room()
    place.submit(ticket(2, (0, OTHER)), 0.0)
    place.submit(ticket(1, (HALF,), HALF), 1.0)
    assert news(place) == [(2, OTHER, "text", True)]
    place.cancel(1, 2.0)
    assert news(place) == [(2, OTHER, "text", False)]
    place.submit(ticket(1, (HALF,), HALF), 3.0)
    news(place)
    place.cancel(2, 4.0)
    place.submit(ticket(2, (OTHER,)), 5.0)
    assert news(place) == [(2, OTHER, "text", True)]


def test_who_is_called_goes_on_searching_and_may_meet_somebody_else() -> None:
    place = room()
    place.submit(ticket(2, (OTHER,)), 0.0)
    place.submit(ticket(1, (HALF,), HALF), 1.0)
    found = place.submit(ticket(3), 2.0)
    assert isinstance(found, Match)
    assert {found.a, found.b} == {2, 3}
    assert place.here(3, (OTHER,), 33, 2.0) == [0], "the caller is still here"
    assert place.here(3, (HALF,), 33, 2.0) == [], "the one who was called is not"


def test_a_call_ends_when_the_search_changes_and_keeps_while_its_client_is_away() -> None:
    place = room()
    place.submit(ticket(1, (HALF,), HALF), 0.0)
    place.set_aside(1, 1.0)
    assert place.submit(ticket(2, (OTHER,), OTHER), 2.0) is None
    assert isinstance(place.restore(1, 3.0), Match)
    place.submit(ticket(1, (HALF,), HALF), 4.0)
    place.submit(ticket(1, (HALF,)), 5.0)
    assert place.submit(ticket(2, (OTHER,), OTHER), 6.0) is None
    assert not news(place) or news(place) == []


@pytest.mark.parametrize("blocked", [1, 2])
def test_neither_who_blocked_nor_who_was_blocked_is_called_or_shown(blocked: int) -> None:
    place = room()
    bars = {1: {"blocked": (22,)}, 2: {"blocked": (11,)}}[blocked]
    mine, theirs = (bars, {}) if blocked == 1 else ({}, bars)
    place.submit(ticket(2, (OTHER,), **theirs), 0.0)
    assert place.submit(ticket(1, (HALF,), HALF, **mine), 1.0) is None
    assert news(place) == []
    assert place.submit(ticket(2, (OTHER,), OTHER, **theirs), 2.0) is None
    if blocked == 2:
        assert place.here(1, (HALF,), 11, 3.0) == []


def test_one_who_asks_sees_those_who_search_or_call_by_their_place() -> None:
    place = room()
    halves = (0, HALF, 0x100)
    assert place.here(1, halves, 11, 0.0) == []
    place.submit(ticket(2, (OTHER,)), 0.0)
    assert place.here(1, halves, 11, 1.0) == [1]
    place.submit(ticket(3, (0x101,), 0x101), 1.0)
    assert place.here(1, halves, 11, 1.0) == [1, 2]
    place.set_aside(2, 2.0)
    assert place.here(1, halves, 11, 2.0) == [2]


def test_a_call_by_text_and_one_by_video_do_not_meet() -> None:
    place = room()
    place.submit(ticket(1, (HALF,), HALF, pool=Pool("video")), 0.0)
    assert place.submit(ticket(2, (OTHER,), OTHER), 1.0) is None


def test_a_call_migrates_with_its_client() -> None:
    place, there = room(), room()
    place.submit(ticket(1, (HALF,), HALF), 0.0)
    left = place.leave(1, 1.0)
    assert left is not None
    there.submit(ticket(2, (OTHER,), OTHER), 1.0)
    assert isinstance(there.enter(left[0], left[1], 2.0), Match)
    assert place.clients() == []
