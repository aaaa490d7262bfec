"""One room over hosts: who meets whom, and what the loss of an owner, of messages and of hosts costs. In memory; `test_one_room` has a real NATS."""

from __future__ import annotations

from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.matching.tickets import Pool, Ticket
from engine.rooms.hub_records import unpack
from engine.rooms.meeting_placement import CUT_FOR, FAILS
from engine.rooms.remote_waiting_room import AT_ONCE, HeldTicket
from server.fleet.cluster import waiting_room_messages
from server.fleet.cluster.membership import MOST
from server.fleet.cluster.shared_room import SharedRoom
from server.fleet.cluster.waiting_room_messages import ROOM
from tests.engine.rooms.test_hub_message_checks import DOWN, TICKET, UP, anything
from tests.engine.world import Wire
from tests.server.fleet.cluster.rooms import Cell, Site


def people(cell: Cell, *places: int, identities: tuple[int, ...] = ()) -> list[Wire]:
    """One person at each of these workers, greeted."""
    who = identities or (0,) * len(places)
    wires = [cell.workers[cell.number(place)].open(identity) for place, identity in zip(places, who, strict=True)]
    for wire in wires:
        wire.take()
    return wires


def other(cell: Cell) -> Site:
    """A host that has not the room."""
    return next(site for site in cell.sites.values() if site is not cell.owner_site)


def place_of(cell: Cell, site: Site) -> int:
    return list(cell.sites).index(site.node)


def met(wire: Wire) -> int:
    """How often its person did."""
    return sum(frame["type"] == "matched" for frame in wire.log)


@pytest.mark.parametrize("places", [(0, 1), (1, 2), (2, 0), (1, 1)])
def test_two_meet_at_whatever_hosts_they_are(places: tuple[int, int]) -> None:
    cell = Cell(3)
    a, b = people(cell, *places)
    assert [frame["type"] for frame in cell.send(a, type="find", interests=["Sailing"])] == ["waiting"]
    cell.send(b, type="find", interests=["sailing"])
    assert met(a)
    assert met(b)
    assert cell.world(a) is cell.world(b)
    assert cell.world(a).number in [cell.number(place) for place in places]
    cell.wait(1.0)
    assert (len(cell.hub), cell.hub.pending, cell.hub.tally["done"]) == (0, 0, 1)


def test_three_of_a_question_meet_over_three_hosts() -> None:
    cell = Cell(3)
    spy, a, b = people(cell, 0, 1, 2)
    cell.send(spy, type="find", role="spy", question="Why is it so at all?")
    cell.wait(1.0)
    assert {worker.room.spy_sizes() for worker in cell.workers.values()} == {(0, 0)}  # of HubProcess, which is not here
    assert {tuple(site.room.there(cell.now)["spy_sizes"]) for site in cell.sites.values()} == {(1, 0)}
    cell.send(a, type="find", role="discuss")
    cell.send(b, type="find", role="discuss")
    assert cell.world(spy) is cell.world(a) is cell.world(b)


def test_whom_they_met_and_reported_is_known_wherever_they_come_back_while_one_owns() -> None:
    cell = Cell(3)
    a, b = people(cell, 0, 1, identities=(7, 8))
    cell.send(a, type="find")
    cell.send(b, type="find")
    cell.send(a, type="report", reason="spam")
    cell.pump()
    again = [cell.workers[cell.number(place)].open(identity=who) for place, who in ((2, 7), (0, 8))]
    for wire in again:
        cell.send(wire, type="find")
    cell.wait(600.0)
    assert not any(map(met, again))


def test_what_sessions_know_themselves_is_not_lost_with_the_owner() -> None:
    cell = Cell(2)
    a, b = people(cell, 0, 1)
    cell.send(a, type="find")
    cell.send(b, type="find")
    cell.send(a, type="leave")
    cell.owner_site.start_hub()  # it knows nothing of them
    cell.wait(2.0)
    for wire in (a, b):
        cell.send(wire, type="find")
    cell.wait(5.0)
    assert (met(a), met(b)) == (1, 1)


def test_networks_leave_a_host_as_words() -> None:
    cell = Cell(2)
    heard: list[Any] = []
    cell.hub._recents.on_report = lambda *said: heard.append(said)
    for site in cell.sites.values():
        site.room.rows(site.workers[0], [["bar", 1, 2, ["192.0.2.1", "192.0.2.0/24"]]], cell.now)
    cell.pump()
    assert [said[2] for said in heard] == [("hidden 192.0.2.1", "hidden 192.0.2.0/24")] * len(heard)
    assert len(heard) >= 2


def waits(cell: Cell, *places: int) -> list[Wire]:
    """Each for something that nobody else likes."""
    crowd = people(cell, *places)
    for number, wire in enumerate(crowd):
        cell.send(wire, type="find", interests=[f"word {number}"], strict=True)
    return crowd


def test_a_new_owner_is_handed_all_who_wait_with_their_ages() -> None:
    cell = Cell(3)
    waits(cell, 0, 1, 2, 0)
    cell.wait(3.0)
    assert len(cell.hub) == 4
    ages = {client: held.ticket.since for worker in cell.workers.values() for client, held in worker.room._held.items()}
    gone = [wire.session.id for wire in cell.end_site(cell.owner_site.node)]
    cell.settle()
    assert len(cell.hub) == 4 - len(gone)
    for client, ticket in cell.lobby._tickets.items():
        assert ticket.since == pytest.approx(ages[client])


def test_a_host_that_is_unplugged_is_forgotten_in_two_seconds_and_its_people_with_it() -> None:
    cell = Cell(3)
    waits(cell, 0, 1, 2)
    gone = other(cell)
    cell.end_site(gone.node)
    cell.wait(1.5)
    assert len(cell.hub) == 3
    cell.wait(1.0)
    assert len(cell.hub) == 2
    assert all(gone.node not in site.room._ins and gone.node not in site.room._outs for site in cell.sites.values())


def test_a_host_without_nats_is_an_island_and_then_of_the_room_again() -> None:
    cell = Cell(2)
    alone = other(cell)
    place = place_of(cell, alone)
    alone.cut = True
    cell.wait(3.0)
    a, b, c = people(cell, place, place, 1 - place)
    for wire in (a, b):
        cell.send(wire, type="find")
    assert met(b), "its own people meet"
    (d,) = people(cell, place)
    cell.send(c, type="find")
    cell.send(d, type="find")
    cell.wait(1.0)
    assert not met(c)
    alone.cut = False
    cell.wait(3.0)
    assert met(c)


@pytest.mark.parametrize("mishap", ["lost", "doubled", "late"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_whatever_a_bus_does_to_messages_nobody_is_forgotten(mishap: str, count: int) -> None:
    cell = Cell(2)
    place = place_of(cell, other(cell))
    cell.mishaps.extend([mishap] * count)
    crowd = waits(cell, place, place, place)
    cell.wait(1.0)
    assert len(cell.hub) == 3
    cell.mishaps.extend([mishap] * count)
    cell.send(crowd[0], type="leave")
    cell.wait(1.0)
    assert len(cell.hub) == 2


def test_a_worker_that_dies_is_forgotten_by_the_owner_at_once() -> None:
    cell = Cell(2)
    site = other(cell)
    waits(cell, place_of(cell, site))
    assert len(cell.hub) == 1
    cell.kill(site.workers[0])
    cell.pump()
    assert len(cell.hub) == 0


def test_nobody_is_sent_to_a_worker_that_leaves_at_another_host() -> None:
    cell = Cell(2)
    site = other(cell)
    number = site.workers[0]
    crowd = people(cell, *[place_of(cell, cell.owner_site)] * 3)
    site.room.leaves(number, True)
    cell.wait(0.3)
    assert cell.hub.leaving == {number}
    (one,) = people(cell, place_of(cell, site))
    cell.send(crowd[0], type="find")
    cell.send(one, type="find")
    assert cell.world(one).number != number
    site.room.leaves(number, False)
    cell.wait(0.3)
    assert cell.hub.leaving == set()


def test_where_all_workers_leave_another_host_has_the_room() -> None:
    """As when a host is upgraded: both generations are there for a moment."""
    cell = Cell(3)
    owner = cell.owner_site
    waits(cell, 0, 1, 2)
    owner.room.leaves(owner.workers[0], True)
    cell.wait(0.5)
    assert cell.owner_site is not owner
    assert len(cell.hub) == 3
    assert len(owner.room.hub) == 0


def test_many_who_wait_are_handed_in_by_and_by() -> None:
    cell = Cell(2)
    site = other(cell)
    worker = cell.workers[site.workers[0]]
    crowd = 4 * AT_ONCE
    for client in range(crowd):
        worker.room._held[client] = HeldTicket(Ticket(client, Pool(), person=client, since=cell.now), client + 1, True)
    site.room._again()
    longest = 0
    while cell._flushed() | cell._up() | cell._down() | cell._bus():
        longest = max(longest, len(worker.room.rows))
    assert longest == AT_ONCE + 1
    assert len(cell.hub) == crowd


def test_what_nats_does_not_take_waits_then_nobody_else_may_and_then_it_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting_room_messages, "WAITING_MAX", 3)
    monkeypatch.setattr(waiting_room_messages, "DROPPED_AT", 6)
    cell = Cell(2)
    site = other(cell)
    number = site.workers[0]
    site.cut = True
    for client in range(4):
        assert not site.room.there(cell.now)["away"]
        site.room.rows(number, [["leave", client]], cell.now)
        site.room.flush(cell.now)
    assert site.room.there(cell.now)["away"]
    for client in range(4):
        site.room.rows(number, [["leave", client]], cell.now)
    site.room.flush(cell.now + 1)
    assert not site.room.there(cell.now)["away"]
    assert list(site.down[number]) == [[["again"]]]


def test_of_another_version_of_rows_nothing_is_heard() -> None:
    cell = Cell(2)
    site, owner = other(cell), cell.owner_site
    body = orjson.dumps([ROOM + 1, site.node, 99, 1, 0, False, [[1, [TICKET]]], []])
    owner.room.came(body, cell.now)
    assert owner.room.tally["apart"] == 1
    assert len(cell.hub) == 0


def bodies(cell: Cell, node: str, up: Any, down: Any, number: int = 0) -> bytes:
    return orjson.dumps([ROOM, node, 12345, 1, number, False, up, down])


@given(st.lists(st.sampled_from([*UP, *DOWN]) | anything, max_size=6), st.booleans(), st.data())
def test_a_host_that_says_anything_at_all_costs_nobody_anything(
    rows: list[Any], owner: bool, data: st.DataObject
) -> None:
    cell = Cell(2)
    a, b = people(cell, 0, 0)
    cell.send(a, type="find", interests=["tea"], strict=True)
    sender, hearer = (cell.owner_site, other(cell)) if owner else (other(cell), cell.owner_site)
    parts = [[data.draw(st.integers(0, 3)), rows]]
    try:
        body = bodies(cell, sender.node, parts, parts)
    except TypeError:  # a number that JSON has not
        return
    hearer.room.came(body, cell.now)
    cell.wait(6.0)
    assert a.closed is None
    assert b.closed is None
    assert cell.owner(a.session.key) is not None


def test_a_host_has_so_many_others_at_most() -> None:
    cell = Cell(2)
    room = cell.owner_site.room
    for number in range(MOST + 20):
        room.came(bodies(cell, f"{number + 1000:010x}", [[1, [TICKET]]], []), cell.now)
    assert len(room._ins) == MOST
    assert room.tally["unreadable"] > 0
    room.sign(cell.now)
    assert len(room._ins) <= 2, "who says nothing of itself is no member"
    assert len(room.hub) == 0
    assert len(room._outs) <= 2


def test_a_malformed_row_is_counted_and_the_others_are_heard() -> None:
    cell = Cell(2)
    site, room = other(cell), cell.owner_site.room
    wrong = [
        [*TICKET[:place], what, *TICKET[place + 1 :]] for place in range(1, len(TICKET)) for what in ("x" * 1000, {})
    ]
    room.came(bodies(cell, site.node, [[1, [*wrong, TICKET]]], []), cell.now)
    assert len(room.hub) == 1
    assert room.tally["unreadable"] == len(wrong)


def test_alone_it_is_the_hub_and_nothing_else() -> None:
    told: list[Any] = []
    cell = Cell(1)
    hub = cell.hub.anew(cell.owner_site.room._thresholds)
    room = SharedRoom("", hub, cell.owner_site.room._thresholds, 1, lambda *_: None, lambda *said: told.append(said))
    room.joined(1, False, False)
    room.rows(1, [TICKET], 10.0)
    assert room.flush(10.0) is None
    assert [(number, row[0]) for number, messages in told for row in unpack(messages[0])] == [(1, "step")]
    assert room.owns
    assert set(room.reading()) >= {"serendip_hub_owner", "serendip_cluster_gaps"}


def test_two_hosts_between_which_nobody_comes_over_are_tried_now_and_then_and_cost_nobody_else_anything() -> None:
    cell = Cell(3)
    cut = {cell.number(0), cell.number(1)}
    went = {number: worker.room.go for number, worker in cell.workers.items()}

    def goes(number: int, client: int, to: int, meeting: Any, ticket: int) -> None:
        if {number, to} == cut:
            cell.workers[number].room.came_back(meeting, cell.now)
        else:
            went[number](client, to, meeting, ticket)

    for number, worker in cell.workers.items():
        worker.room.go = partial(goes, number)
    a, b = people(cell, 0, 1)
    cell.send(a, type="find")
    cell.send(b, type="find")
    cell.wait(5.0)
    assert cell.hub.tally["made"] == FAILS
    cell.wait(2 * CUT_FOR)
    assert FAILS < cell.hub.tally["made"] <= FAILS + 2 * 3, "a few more at each try"
    (c,) = people(cell, 2)
    cell.send(c, type="find")
    assert met(c) == 1
    (d,) = people(cell, 0 if cell.world(c).number == cell.number(1) or met(b) else 1)
    cell.send(d, type="find")
    cell.wait(1.0)
    cut.clear()
    cell.wait(CUT_FOR + 1.0)
    assert [met(wire) for wire in (a, b, d)] == [1, 1, 1]


def test_whoever_was_reported_is_kept_apart_by_the_next_owner_too() -> None:
    cell = Cell(3)
    a, b = people(cell, 0, 1, identities=(7, 8))
    cell.send(a, type="find")
    cell.send(b, type="find")
    cell.send(a, type="report", reason="spam")
    cell.wait(1.0)
    cell.end_site(cell.owner_site.node)
    cell.settle()
    places = [cell.workers[number] for number in sorted(cell.workers)]
    again = [worker.open(identity=who) for worker, who in zip(places, (7, 8), strict=True)]
    for wire in again:
        cell.send(wire, type="find")
    cell.wait(600.0)
    assert not any(map(met, again))


def test_what_is_no_report_is_counted() -> None:
    room = Cell(1).owner_site.room
    for body in (b"", b"{", b"[]", b'["bar",1]', b'["leave",1]', b'["bar",1,2,[1]]'):
        room.bars(body, 1.0)
    assert room.tally["unreadable"] == 6
