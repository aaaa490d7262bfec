"""The rooms of one process as one: which of them a ticket or a wish goes into, and what comes out."""

import pytest

from engine.matching.lobby import Lobby, MatcherFull
from engine.matching.spy_queue import SpyMatch, Wish
from engine.matching.tickets import Match, Pool, Ticket
from engine.rooms.local_waiting_room import WaitingRoom
from engine.wire.protocol import ACCEPTS, ANYONE


def ticket(client: int, since: float = 0.0, pool: Pool | None = None, also: tuple[Pool, ...] = ()) -> Ticket:
    return Ticket(client, pool or Pool(), (), False, client, since=since, also=also)


def wish(client: int, asks: bool = False, since: float = 0.0) -> Wish:
    return Wish(client, asks, "en", client, (), since)


def test_two_meet_by_tickets_and_three_by_wishes() -> None:
    room = WaitingRoom(Lobby())
    assert [room.submit(one, 0.0) for one in (ticket(1), wish(2, True), wish(3))] == [None] * 3
    assert room.clients() == [1, 2, 3]
    two, three = room.submit(ticket(4), 1.0), room.submit(wish(5), 1.0)
    assert isinstance(two, Match)
    assert (two.a, two.b) == (4, 1)
    assert isinstance(three, SpyMatch)
    assert (three.spy, three.first, three.second) == (2, 3, 5)
    assert room.clients() == []


@pytest.mark.parametrize("asks", [None, True, False])
def test_who_is_away_meets_nobody_and_waits_on_as_old(asks: bool | None) -> None:
    room = WaitingRoom(Lobby())
    room.submit(ticket(1) if asks is None else wish(1, asks), 0.0)
    room.set_aside(1, 1.0)
    assert room.status(1, 1.0) is None
    assert room.restore(1, 2.0) is None
    step = room.status(1, 2.0)
    assert step is not None
    assert step.accepts == ACCEPTS[ANYONE]
    found = room.leave(1, 2.0)
    assert found is not None
    assert (found[0].since, found[1]) == (0.0, False)
    assert (room.clients(), room.leave(1, 2.0)) == ([], None)


@pytest.mark.parametrize("aside", [False, True])
def test_what_left_goes_on_in_another_room(aside: bool) -> None:
    one, other = WaitingRoom(Lobby()), WaitingRoom(Lobby())
    one.submit(ticket(1), 0.0)
    one.submit(wish(2, True), 0.0)
    for client in (1, 2):
        if aside:
            one.set_aside(client, 1.0)
        found = one.leave(client, 1.0)
        assert found is not None
        assert found[1] == aside
        assert other.enter(*found, 1.0) is None
    assert (one.clients(), other.clients()) == ([], [1, 2])
    assert (other.submit(ticket(3), 1.0) is None) == aside


def test_a_student_of_any_college_is_met_by_one_who_wants_theirs() -> None:
    room, own = WaitingRoom(Lobby()), Pool(college="uio.no")
    assert room.submit(ticket(1, pool=own._replace(college="any"), also=(own,)), 0.0) is None
    met = room.submit(ticket(2, pool=own), 0.0)
    assert isinstance(met, Match)
    assert {met.a, met.b} == {1, 2}


def test_it_is_due_when_the_first_of_its_rooms_is() -> None:
    room = WaitingRoom(Lobby())
    assert room.due() is None
    room.asked("Why?", "en", 0.0)
    room.submit(wish(1), 0.0)
    room.submit(wish(2), 0.0)
    spies = room.due()
    assert spies is not None
    room.submit(ticket(3), 0.0)
    assert room.due() == min(spies, room.lobby.due() or spies)
    matches, _ = room.advance(spies)
    assert [(match.spy, match.question) for match in matches if isinstance(match, SpyMatch)] == [(None, "Why?")]


def test_what_the_rooms_know_goes_on_elsewhere() -> None:
    one, other = WaitingRoom(Lobby()), WaitingRoom(Lobby())
    one.submit(ticket(1), 0.0)
    one.asked("Why?", "en", 0.0)
    other.take_pace(one.pace(1.0), 1.0)
    assert other.lobby.pace(1.0) == one.lobby.pace(1.0)
    assert other.spy_queue.questions.take("en", 1.0) == "Why?"


def test_its_sizes_are_by_mode_and_language() -> None:
    room = WaitingRoom(Lobby())
    for one in (ticket(1), ticket(2, pool=Pool("video", "de")), ticket(3, pool=Pool(college="uio.no")), wish(4, True)):
        room.submit(one, 0.0)
    assert room.sizes() == {("spy", "*"): 1, ("text", "en"): 2, ("video", "de"): 1}
    assert (room.spy_sizes(), room.spy_waits(2.0)) == ((1, 0), (2.0, 0.0))
    assert (room.counts["submitted"], room.figures()["pools"]) == (3, 3)


def test_a_full_room_says_so() -> None:
    room = WaitingRoom(Lobby(most_tickets=8))
    for client in range(8):
        room.submit(ticket(client, pool=Pool(language=f"l{client}")), 0.0)
    with pytest.raises(MatcherFull):
        room.submit(ticket(9, pool=Pool(language="x")), 0.0)
