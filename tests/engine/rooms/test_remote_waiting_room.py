"""The room that is the hub's, as its worker sees it: what is said, what is heard, and who came to meet somebody."""

from collections.abc import Callable
from itertools import count

import pytest

from engine.core.ports import Seats
from engine.matching.tickets import Pool, Step, Ticket
from engine.rooms.hub_messages import AWAY, BACK, CANCEL, LEAVE, NEW, TICKET, WAITS, Meeting, Member
from engine.rooms.remote_waiting_room import AT_ONCE, GATHER_FOR, HeldTicket, RemoteRoom
from tests.engine.meetings import row_of
from tests.engine.rooms.test_hub import people, types
from tests.engine.workers import Host
from tests.engine.world import Wire


def room(tell: Callable[[Step], None] = lambda _: None) -> RemoteRoom:
    """One whose engine seats everybody."""
    return RemoteRoom(0, Seats(lambda _, __: True, lambda _: True, tell, lambda _, __: None))


def kinds(of: RemoteRoom) -> list[tuple[str, int]]:
    """What it would tell the hub: rows, and how tickets stand."""
    rows, of.rows = of.rows, []
    return [(row[0], row[-1] if row[0] == TICKET else row[1]) for row in rows]


def test_what_the_engine_asks_becomes_rows() -> None:
    one, now = room(), 10.0
    assert one.submit(Ticket(1, Pool(), since=now), now) is None
    one.set_aside(1, now)
    assert one.clients() == [1]
    assert one.restore(1, now) is None
    one.cancel(1, now)
    one.cancel(1, now)
    assert kinds(one) == [(TICKET, NEW), ("aside", 1), (BACK, 1), (CANCEL, 1)]


def test_a_second_search_has_the_age_of_the_first() -> None:
    one = room()
    one.submit(Ticket(1, Pool(), since=10.0), 10.0)
    one.submit(Ticket(1, Pool(), since=15.0), 15.0)
    assert one.rows[-1][10] == 5.0
    found = one.leave(1, 15.0)
    assert found is not None
    assert (found[0].since, found[1], kinds(one)[-1]) == (10.0, False, (LEAVE, 1))


def test_a_hub_made_anew_is_told_who_waits_and_what_happened_and_nothing_stale() -> None:
    one, now = room(), 10.0
    for client in (1, 2, 3):
        one.submit(Ticket(client, Pool(), since=now), now)
    one.set_aside(2, now)
    one.cancel(3, now)
    one.bar(7, 8, ())
    one.asked("Why?", "en", now)
    one.found(now + 1.0)
    assert [row[0] for row in one.rows] == ["bar", "asked", TICKET, TICKET]
    assert [row[-1] for row in one.rows[2:]] == [WAITS, AWAY]
    assert one.rows[-1][10] == 1.0


def test_a_step_of_a_search_that_was_replaced_is_nobodys() -> None:
    told = list[Step]()
    one = room(told.append)
    one.submit(Ticket(1, Pool(), since=10.0), 10.0)
    one.told([["step", 1, 1, 1, 5.0, 0, "any", 5.0, False]], 11.0)
    one.submit(Ticket(1, Pool(), since=12.0), 12.0)
    one.told([["step", 1, 1, 2, None, 0, "anyone", None, False]], 12.0)
    assert [step.accepts for step in told] == ["any"]


def test_the_first_word_of_a_ticket_is_timed_and_no_other() -> None:
    one = room()

    def step(client: int, number: int) -> list[object]:
        return ["step", client, number, 1, 5.0, 0, "any", 5.0, False]

    one.submit(Ticket(1, Pool(), since=10.0), 10.0)
    one.told([step(1, 1)], 10.25)
    one.told([step(1, 1)], 17.0)
    one.found(18.0)  # told again to a new hub: it waits already
    one.told([step(1, 1)], 19.0)
    assert (sum(one.answers.counts), one.answers.total) == (1, 0.25)
    one.submit(Ticket(1, Pool(), since=20.0), 20.0)
    one.told([step(1, 1)], 20.5)  # of the one before
    one.told([step(1, 2)], 21.0)
    assert (sum(one.answers.counts), one.answers.total) == (2, 1.25)


@pytest.mark.parametrize("how", ["meet", "go", "full", "arrived"])
def test_whatever_the_first_word_is_it_is_timed(how: str) -> None:
    one, now = room(), 10.0
    for client in (1, 2):
        one.submit(Ticket(client, Pool(), (), False, client + 100, since=now), now)
    here = Meeting(5, (Member(1, 1, 0), Member(2, 2, 0)), (0.0, 0.0), rule="anyone")
    there = Meeting(5, (Member(1, 1, 0), Member(7, 1, 3)), (0.0, 0.0), rule="anyone")
    if how == "arrived":
        one.expect((7,))
        one.enter(Ticket(7, Pool(), (), False, 107, since=now), False, now)
        one.arrived(row_of(there), now + 0.5)
    else:
        row = {"meet": row_of(here), "go": ["go", 1, 3, row_of(there)], "full": ["full", 1, 1]}[how]
        one.told([row], now + 0.5)
    assert one.answers.total == 0.5 * (2 if how == "meet" else 1)


def test_two_who_are_here_meet_once() -> None:
    one, now = room(), 10.0
    for client in (1, 2):
        one.submit(Ticket(client, Pool(), (), False, client + 100, since=now), now)
    one.rows.clear()
    meeting = Meeting(5, (Member(1, 1, 0), Member(2, 2, 0)), (0.0, 0.0), rule="anyone")
    one.told([row_of(meeting), row_of(meeting)], now)
    assert one.rows == [["done", 5, [1, 101], [2, 102]], ["failed", 5]]
    assert one.clients() == []


def test_a_row_cut_short_changes_nothing() -> None:
    one, now = room(), 10.0
    for client in (1, 2):
        one.submit(Ticket(client, Pool(), since=now), now)
    one.rows.clear()
    meeting = row_of(Meeting(5, (Member(1, 1, 0), Member(2, 2, 0)), (0.0, 0.0), rule="anyone"))
    for whole in (
        meeting,
        ["step", 1, 1, 1, 5.0, 0, "any", 5.0, False],
        ["go", 1, 1, meeting],
        ["full", 1, 1],
        ["ask", 1],
    ):
        for size in range(1, len(whole)):
            with pytest.raises((TypeError, ValueError)):
                one.told([whole[:size]], now)
    assert (one.clients(), one.rows, one.due()) == ([1, 2], [], None)


def test_three_of_whom_one_does_not_come_wait_on() -> None:
    one, now, numbers = room(), 10.0, count(1)
    three = tuple(Member(client, next(numbers), worker) for client, worker in ((1, 0), (2, 1), (3, 2)))
    one.submit(Ticket(1, Pool(), since=now), now)
    one.rows.clear()
    meeting = row_of(Meeting(5, three, (0.0, 0.0), spies=True))
    one.expect([2])
    one.enter(Ticket(2, Pool(), since=now), False, now)
    assert one.rows == []  # nobody is told of a ticket that is about to be used
    one.arrived(meeting, now)
    assert one.due() == now + GATHER_FOR
    assert one.advance(now + GATHER_FOR) == ([], [])
    assert kinds(one) == [(TICKET, WAITS), ("failed", 5)]
    assert (one.due(), one.clients()) == (None, [1, 2])


def coming(one: RemoteRoom, now: float) -> list[Meeting]:
    """Users 11 and 12 arrive together, to meet 1 and 2, who wait here; the two meetings."""
    for client in (1, 2):
        one.submit(Ticket(client, Pool(), (), False, client + 100, since=now), now)
    one.rows.clear()
    one.expect((11, 12))
    for client in (11, 12):
        one.enter(Ticket(client, Pool(), (), False, client + 100, since=now), False, now)
    assert one.rows == []  # nobody is told of tickets that are about to be used
    return [Meeting(at, (Member(at, at, 0), Member(10 + at, 1, 3)), (0.0, 0.0), rule="anyone") for at in (1, 2)]


def test_several_who_come_together_meet_each_their_own_partner() -> None:
    one, now = room(), 10.0
    meetings = coming(one, now)
    one.arrived_together([row_of(meeting) for meeting in meetings], now)
    assert one.rows == [["done", 1, [1, 101], [11, 111]], ["done", 2, [2, 102], [12, 112]]]
    assert (one.clients(), one.due(), one.meets(11), one.meets(12)) == ([], None, False, False)


def test_a_meeting_that_fails_costs_no_other_that_came_with_it() -> None:
    one, now = room(), 10.0
    meetings = [row_of(meeting) for meeting in coming(one, now)]
    with pytest.raises(ExceptionGroup) as raised:
        one.arrived_together([meetings[0][:3], meetings[1]], now)
    assert raised.group_contains(ValueError)
    assert one.rows == [["done", 2, [2, 102], [12, 112]]]


def test_two_of_one_meeting_who_come_together_meet_once() -> None:
    one, now = room(), 10.0
    one.expect((11, 12))
    for client in (11, 12):
        one.enter(Ticket(client, Pool(), (), False, client + 100, since=now), False, now)
    row = row_of(Meeting(1, (Member(11, 1, 3), Member(12, 1, 3)), (0.0, 0.0), rule="anyone"))
    one.arrived_together([row, row], now)
    assert one.rows == [["done", 1, [11, 111], [12, 112]]]
    assert (one.clients(), one.due()) == ([], None)


def full_room() -> tuple[Host, list[Wire]]:
    """A room with eight places, all taken, and a ninth person who looks for nobody yet."""
    host = Host(2, tickets=8)
    crowd = people(host, *[0, 1] * 4, 0)
    for at, wire in enumerate(crowd[:8]):
        host.send(wire, type="find", language=f"a{chr(97 + at)}")
    return host, crowd


def test_that_there_was_no_room_says_nothing_of_a_later_search() -> None:
    host, crowd = full_room()
    last = crowd[8]
    host.held = lambda what: what == "workers"
    host.send(last, type="find", language="zy")
    host.send(crowd[0], type="leave")
    host.send(last, type="find", language="zz")
    host.held = lambda what: False
    host.pump()
    assert last.closed is None
    assert last.session.id in host.lobby.clients()
    assert types(last) == ["waiting"]


def test_who_is_away_while_there_is_no_room_is_gone() -> None:
    host, crowd = full_room()
    last, world = crowd[8], host.world(crowd[8])
    host.held = lambda what: what == "workers"
    host.send(last, type="find", language="zz")
    world.lose(last)
    host.held = lambda what: False
    host.pump()
    assert last.session.id not in world.engine.sessions
    assert (world.engine.online, len(host.hub)) == (4, 8)


def test_who_comes_back_to_a_room_that_is_full_by_now_is_told_so() -> None:
    host, crowd = full_room()
    world = host.world(crowd[0])
    world.lose(crowd[0])
    host.pump()
    host.send(crowd[8], type="find", language="zz")
    back = world.resume(crowd[0])
    host.pump()
    assert back.log[-1]["code"] == "busy"
    assert len(host.hub) == 8


def gathered() -> tuple[Host, list[Wire], Wire]:
    """Three of a question of whom one has come to meet the others, one is there and one is on the way; and who has come."""
    host = Host(3)
    three = people(host, 0, 1, 2)
    host.send(three[0], type="find", role="spy", question="Why is it so at all?")
    host.send(three[1], type="find", role="discuss")
    host.held = lambda what: what == "moves"
    host.send(three[2], type="find", role="discuss")
    came = host.wire(host.session_records[0][2])
    host.across()
    return host, three, came


def test_who_came_to_a_question_and_thought_better_of_it_is_not_seated_by_what_they_wanted_before() -> None:
    host, three, came = gathered()
    host.send(came, type="find", language="de")
    host.held = lambda what: False
    host.wait(3.0)
    assert "matched" not in [frame["type"] for wire in three for frame in wire.log]
    assert (len(host.hub), host.hub.pending) == (3, 0)
    assert host.lobby.clients() == [came.session.id]


def test_matches_of_a_hub_that_died_are_not_taken_for_those_of_the_next() -> None:
    host, three, _ = gathered()
    before = set(host.hub._pending)
    host.start_hub()
    two = people(host, 0, 1)
    for wire in two:
        host.send(wire, type="find")
    assert before.isdisjoint(host.hub._pending)
    assert host.hub.pending
    host.held = lambda what: False
    host.wait(3.0)
    assert [types(wire)[-1] for wire in (*three, *two)] == ["matched"] * 5


def test_what_was_said_to_a_hub_that_died_of_reports_is_said_to_the_next() -> None:
    host = Host(2)
    a, b = host.workers[0].open(identity=7), host.workers[1].open(identity=8)
    host.send(a, type="find")
    host.send(b, type="find")
    there = host.world(a).number
    host.held = lambda what: what == "hub"
    host.send(a, type="report", reason="spam")
    host.start_hub()
    host.held = lambda what: False
    host.pump()
    again = [host.workers[1 - there].open(identity=who) for who in (7, 8)]
    for wire in again:
        host.send(wire, type="find")
    host.wait(600.0)
    assert "matched" not in [frame["type"] for wire in again for frame in wire.log]


def test_who_goes_to_meet_somebody_and_drops_on_the_way_is_away_there() -> None:
    host = Host(2)
    a, b = people(host, 0, 1)
    host.send(a, type="find")
    host.held = lambda what: what == "moves"
    host.send(b, type="find")
    gone = host.wire(host.session_records[0][2])
    other = b if gone is a else a
    gone.closed = 1006
    host.held = lambda what: False
    host.pump()
    assert "matched" not in types(other)
    owner = host.owner(gone.session.key)
    assert owner is not None
    back = owner.resume(gone)
    host.pump()
    assert types(back)[-1] == types(other)[-1] == "matched"


def test_many_who_wait_are_told_again_in_pieces_as_the_hub_takes_them() -> None:
    one, now = room(), 10.0
    for client in range(2 * AT_ONCE + 5):
        one.submit(Ticket(client, Pool(), since=now), now)
    one.told([["again"]], now)
    said: list[int] = []
    for length in (AT_ONCE, AT_ONCE, 4):
        rows, one.rows = one.rows, []
        assert [row[0] for row in rows] == [TICKET] * length + ["more"] * (length == AT_ONCE)
        said += [row[1] for row in rows if row[0] == TICKET]
        one.cancel(2 * AT_ONCE, now)  # whoever went meanwhile is left out
        one.rows.clear()
        one.told([["on"]], now)
    assert said == sorted(said), "the longest waiting first"
    assert len(said) == 2 * AT_ONCE + 4


def test_a_hub_that_hears_more_says_go_on_until_all_are_there() -> None:
    host = Host(1)
    worker = host.workers[0]
    crowd = 2 * AT_ONCE + 5
    for client in range(crowd):
        worker.room._held[client] = HeldTicket(Ticket(client, Pool(), person=1, since=host.now), client + 1, True)
    worker.room.found(host.now)
    host.pump()
    assert len(host.hub) == crowd


def test_where_too_much_waits_on_the_way_nobody_else_begins_to() -> None:
    one = room()
    assert not one.away
    one.there({"away": True})
    assert one.away
