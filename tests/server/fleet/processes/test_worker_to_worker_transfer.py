"""People go to another worker: whoever dies, refuses or is not there, each person is in one place, and the hub knows what became of it."""

import os
from collections import Counter
from collections.abc import Container, Sequence
from typing import Any

import orjson
import pytest

from engine.rooms import hub_messages as rows
from engine.rooms.hub_messages import Meeting, Member
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.processes import worker_to_worker_transfer as module
from server.ops.process import fault_points
from tests.engine.meetings import row_of
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Told, Visitor, Working, answers, sent_to, talk
from tests.support.descriptors import more_than, opened


def left_open(before: Counter[str]) -> Counter[str]:
    """What is open since then, but for the memory in which workers acknowledge for as long as both live."""
    return Counter({file: count for file, count in more_than(before).items() if "serendip ring" not in file})


async def played(made: Host) -> tuple[Told, Working, Visitor, int]:
    """A hub that is played, worker 1, and somebody there."""
    hub, one = made.play(HUB), made.worker(1)
    await made.joined()
    visitor, id, _ = await made.visitor(one)
    return hub, one, visitor, id


async def test_who_goes_to_meet_somebody_talks_there_and_is_here_no_more(made: Host) -> None:
    made.hub()
    one, two = made.worker(1), made.worker(2)
    await made.joined()
    (first, a), (second, b) = await made.waiting(one, "sailing"), await made.waiting(two, "chess")
    before = opened()
    second.ask("leave")
    second.find("sailing")
    for visitor in (first, second):
        assert (await visitor.hears("matched"))["common"] == ["sailing"]
    await talk(first, second)
    came, went = (one, two) if one.sessions else (two, one)
    assert (came.sessions, went.sessions) == ({a, b}, set())
    await until(lambda: went.links.tally.people["meet", "given"])
    assert (came.links.tally.people["meet", "taken"], left_open(before)) == (1, Counter())


async def test_where_there_is_no_such_worker_they_stay_and_the_match_has_failed(made: Host) -> None:
    hub, one, visitor, id = await played(made)
    await sent_to(hub, visitor, id, 9)
    await hub.rows(rows.FAILED)
    await answers(visitor)
    assert one.sessions == {id}


async def test_who_looks_no_more_stays_and_the_match_has_failed(made: Host) -> None:
    hub, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    visitor.find("sailing")
    (ticket,) = await hub.rows(rows.TICKET)
    meeting = [rows.MEET, 1, [[id, ticket[2], 1], [77, 1, 2]], [0.0, 0.0], ["sailing"], 1.0, "any", False, None]
    visitor.ask("leave")
    await hub.rows(rows.CANCEL)
    one.links.across.go(id, 2, meeting, ticket[2])
    one.worker.act(lambda _: None)
    await hub.rows(rows.FAILED)
    await answers(visitor)
    assert two.came == []


class Stuck:
    """A reactor that lets nobody go at these calls, counted from 1."""

    def __init__(self, reactor: object, calls: Container[int]) -> None:
        self._reactor = reactor
        self._stuck = calls
        self.calls = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._reactor, name)

    def release(self, number: int) -> object:
        self.calls += 1
        return None if self.calls in self._stuck else self._reactor.release(number)  # type: ignore[attr-defined]


async def test_who_cannot_go_yet_is_asked_again(made: Host) -> None:
    hub, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    one.worker.reactor = Stuck(one.worker.reactor, {1, 2})  # type: ignore[assignment]
    await sent_to(hub, visitor, id, 2)
    assert (await two.next(Kind.COME)).records[1] == id
    assert one.sessions == set()


async def test_who_cannot_go_for_too_long_stays_and_the_match_has_failed(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    hub, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    one.worker.reactor = Stuck(one.worker.reactor, range(1 << 30))  # type: ignore[assignment]
    await sent_to(hub, visitor, id, 2)
    await hub.rows(rows.FAILED)
    await answers(visitor)
    assert two.of(Kind.COME) == []


async def test_however_many_cannot_go_yet_there_is_one_next_try(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN", 3_600.0)
    monkeypatch.setattr(module, "PATIENCE", 3_600.0)
    _, one, _, first = await played(made)
    _, second, _ = await made.visitor(one)
    made.play("worker 2")
    await made.joined()
    across, one.worker.reactor = one.links.across, Stuck(one.worker.reactor, range(1 << 30))  # type: ignore[assignment]
    across.request_move(first, "worker 2", lambda: None)
    before = across._going._again
    across.request_move(second, "worker 2", lambda: None)
    assert before is not None
    assert before.cancelled()
    assert across._going._again is not None
    assert not across._going._again.cancelled()


async def test_a_receiver_that_dies_before_it_took_them_gives_them_back_with_their_ticket(made: Host) -> None:
    hub, one, visitor, id = await played(made)
    before = opened()
    two = made.play("worker 2")
    await made.joined()
    await sent_to(hub, visitor, id, 2)
    await until(lambda: two.of(Kind.COME))
    assert one.sessions == set()
    made.kill("worker 2")
    await hub.rows(rows.LEAVE, rows.TICKET, rows.FAILED)
    await answers(visitor)
    assert (one.sessions, one.links.tally.people["meet", "back"], left_open(before)) == ({id}, 1, Counter())


async def test_a_receiver_that_dies_when_it_took_them_takes_them_along(made: Host) -> None:
    hub, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    await sent_to(hub, visitor, id, 2)
    await until(lambda: two.of(Kind.COME))
    two.peers.send("worker 1", Kind.TOOK, two.of(Kind.COME)[0].number)
    made.kill("worker 2")  # what it said is read first
    await until(lambda: one.links.tally.people["meet", "given"])
    assert visitor.sock.recv(1) == b""
    assert (one.sessions, one.links.tally.people["meet", "back"]) == (set(), 0)


async def test_who_is_refused_goes_on_where_they_were(made: Host) -> None:
    hub, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    await sent_to(hub, visitor, id, 2)
    came = await two.next(Kind.COME)
    for descriptor in came.descriptors:
        os.close(descriptor)
    two.peers.send("worker 1", Kind.NO, came.number)
    await hub.rows(rows.LEAVE, rows.TICKET, rows.FAILED)
    await answers(visitor)
    assert (one.sessions, one.links.tally.people["meet", "refused"]) == ({id}, 1)


async def test_who_is_refused_goes_to_the_next_match_after_a_rest(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST", 1_000.0)
    hub, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    await sent_to(hub, visitor, id, 2)
    came = await two.next(Kind.COME)
    two.peers.send("worker 1", Kind.NO, came.number)
    ticket = next(row for row in await hub.rows(rows.LEAVE, rows.TICKET, rows.FAILED) if row[0] == rows.TICKET)
    meeting = [rows.MEET, 2, [[id, ticket[2], 1], [77, 1, 2]], [0.0, 0.0], ["sailing"], 1.0, "any", False, None]
    across = one.links.across
    across.go(id, 2, meeting, ticket[2])
    one.worker.act(lambda _: None)
    await answers(visitor)
    assert (one.sessions, two.of(Kind.COME)) == ({id}, [])
    across._going._over(id)
    came_again = await two.next(Kind.COME)
    assert (came_again.records[1], one.sessions) == (id, set())
    for descriptor in (*came.descriptors, *came_again.descriptors):
        os.close(descriptor)


async def test_a_damaged_record_is_refused_whole_and_who_comes_later_is_told_to_the_hub(made: Host) -> None:
    hub, _, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    meeting = await sent_to(hub, visitor, id, 2)
    came = await two.next(Kind.COME)
    three = made.worker(3)
    await made.joined()
    before = opened()
    record = came.records[0]
    damaged = {**record, "people": [{**record["people"][0], "state": "nowhere"}]}
    number = two.peers.send(
        "worker 3", Kind.COME, damaged, id, meeting, 0.0, pieces=came.pieces, descriptors=came.descriptors
    )
    assert (await two.next(Kind.NO)).records == [number]
    assert (three.sessions, three.links.tally.people["meet", "taken"], left_open(before)) == (set(), 0, Counter())
    two.peers.send("worker 3", Kind.COME, record, id, None, 0.0, pieces=came.pieces, descriptors=came.descriptors)
    await two.next(Kind.TOOK)
    for descriptor in came.descriptors:
        os.close(descriptor)
    await hub.rows(rows.LEAVE, rows.TICKET)
    await answers(visitor)
    assert three.sessions == {id}


async def two_waiting(made: Host) -> tuple[Told, Working, list[Visitor], list[list[Any]]]:
    """A hub that is played, worker 1, and two who wait there, with their tickets."""
    hub, one = made.play(HUB), made.worker(1)
    await made.joined()
    visitors, tickets = [], []
    for word in ("sailing", "chess"):
        visitor, _, _ = await made.visitor(one)
        visitor.find(word)
        tickets += await hub.rows(rows.TICKET)
        visitors.append(visitor)
    return hub, one, visitors, tickets


def send_both(hub: Told, tickets: Sequence[list[Any]], partners: Sequence[tuple[int, int]]) -> list[list[Any]]:
    """The hub sends the two with these tickets to worker 2 at once, to their partners there: client, number of the ticket. The meetings."""
    meetings = [
        row_of(Meeting(id, (Member(ticket[1], ticket[2], 1), Member(*partner, 2)), (0.0, 0.0), (), 1.0, "anyone"))
        for id, (ticket, partner) in enumerate(zip(tickets, partners, strict=True), 1)
    ]
    there = [[rows.GO, ticket[1], 2, meeting] for ticket, meeting in zip(tickets, meetings, strict=True)]
    hub.peers.send("worker 1", Kind.ROWS, *there)
    return meetings


STRANGERS = ((77, 1), (78, 1))


async def test_two_who_go_to_the_same_worker_go_together_and_each_meets_their_partner(made: Host) -> None:
    hub, one, visitors, tickets = await two_waiting(made)
    two = made.worker(2)
    await made.joined()
    partners = []
    for word in ("sailing", "chess"):
        partner, id, _ = await made.visitor(two)
        partner.find(word)
        (ticket,) = await hub.rows(rows.TICKET)
        partners.append((partner, (id, ticket[2])))
    before = opened()
    send_both(hub, tickets, [who for _, who in partners])
    for visitor, (partner, _) in zip(visitors, partners, strict=True):
        for each in (visitor, partner):
            await each.hears("matched")
        await talk(visitor, partner)
    await until(lambda: one.links.tally.people["meet", "given"] == 2)
    assert (one.sessions, len(two.sessions), two.links.tally.people["meet", "taken"]) == (set(), 4, 2)
    assert left_open(before) == Counter()


async def test_those_who_go_together_share_one_message(made: Host) -> None:
    hub, one, _, tickets = await two_waiting(made)
    two = made.play("worker 2")
    await made.joined()
    meetings = send_both(hub, tickets, STRANGERS)
    came = await two.next(Kind.MEET)
    record, where, _, pairs = came.records
    ids = [ticket[1] for ticket in tickets]
    assert ([person["id"] for person in record["people"]], where) == (ids, [0, 1])
    assert pairs == [list(pair) for pair in zip(ids, orjson.loads(orjson.dumps(meetings)), strict=True)]
    assert (one.sessions, two.of(Kind.COME)) == (set(), [])
    for descriptor in came.descriptors:
        os.close(descriptor)


async def test_a_receiver_that_dies_gives_all_back_who_went_together(made: Host) -> None:
    hub, one, visitors, tickets = await two_waiting(made)
    before = opened()
    two = made.play("worker 2")
    await made.joined()
    send_both(hub, tickets, STRANGERS)
    await until(lambda: two.of(Kind.MEET))
    assert one.sessions == set()
    made.kill("worker 2")
    await hub.rows(*[rows.LEAVE] * 2, *[rows.TICKET] * 2, *[rows.FAILED] * 2)
    for visitor in visitors:
        await answers(visitor)
    assert one.sessions == {ticket[1] for ticket in tickets}
    assert (one.links.tally.people["meet", "back"], left_open(before)) == (2, Counter())


async def test_after_a_refusal_each_goes_alone(made: Host) -> None:
    hub, one, visitors, tickets = await two_waiting(made)
    two = made.play("worker 2")
    await made.joined()
    send_both(hub, tickets, STRANGERS)
    came = await two.next(Kind.MEET)
    for descriptor in came.descriptors:
        os.close(descriptor)
    two.peers.send("worker 1", Kind.NO, came.number)
    heard = await hub.rows(*[rows.LEAVE] * 2, *[rows.TICKET] * 2, *[rows.FAILED] * 2)
    for visitor in visitors:
        await answers(visitor)
    assert (len(one.sessions), one.links.tally.people["meet", "refused"]) == (2, 2)
    send_both(hub, [row for row in heard if row[0] == rows.TICKET], STRANGERS)
    alone = [(await two.next(Kind.COME)).records[1] for _ in tickets]
    assert (alone, two.of(Kind.MEET)) == ([ticket[1] for ticket in tickets], [])


async def test_of_two_who_go_together_one_goes_later_who_cannot_go_yet(made: Host) -> None:
    hub, one, _, tickets = await two_waiting(made)
    two = made.play("worker 2")
    await made.joined()
    one.worker.reactor = Stuck(one.worker.reactor, {2, 4})  # type: ignore[assignment]
    send_both(hub, tickets, STRANGERS)
    came = [await two.next(Kind.COME) for _ in tickets]
    assert ([message.records[1] for message in came], one.sessions) == ([ticket[1] for ticket in tickets], set())
    for message in came:
        for descriptor in message.descriptors:
            os.close(descriptor)


async def test_those_who_cannot_go_yet_are_tried_once_together_and_once_alone(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 1_000.0)
    _, one, _, tickets = await two_waiting(made)
    two = made.play("worker 2")
    await made.joined()
    stuck = Stuck(one.worker.reactor, range(1, 4))
    one.worker.reactor = stuck  # type: ignore[assignment]
    across = one.links.across
    for id, (ticket, partner) in enumerate(zip(tickets, STRANGERS, strict=True), 1):
        who = Member(ticket[1], ticket[2], 1), Member(*partner, 2)
        across.go(ticket[1], 2, row_of(Meeting(id, who, (0.0, 0.0), (), 1.0, "anyone")), ticket[2])
    across.depart()
    assert (stuck.calls, len(one.sessions)) == (1 + len(tickets), 2)
    came = await two.next(Kind.MEET)
    assert one.sessions == set()
    for descriptor in came.descriptors:
        os.close(descriptor)


async def test_damaged_records_of_several_are_refused_whole_and_acknowledged_ones_are_all_here(made: Host) -> None:
    hub, _, visitors, tickets = await two_waiting(made)
    two = made.play("worker 2")
    await made.joined()
    send_both(hub, tickets, STRANGERS)
    came = await two.next(Kind.MEET)
    three = made.worker(3)
    await made.joined()
    record, where, since, pairs = came.records
    damaged = {**record, "people": [record["people"][0], {**record["people"][1], "state": "nowhere"}]}
    more: dict[str, Any] = {"pieces": came.pieces, "descriptors": came.descriptors}
    number = two.peers.send("worker 3", Kind.MEET, damaged, where, since, pairs, **more)
    assert (await two.next(Kind.NO)).records == [number]
    assert (three.sessions, three.links.tally.people["meet", "taken"]) == (set(), 0)
    two.peers.send("worker 3", Kind.MEET, record, where, since, pairs, **more)
    await two.next(Kind.TOOK)
    for descriptor in came.descriptors:
        os.close(descriptor)
    for visitor in visitors:
        await answers(visitor)
    assert three.sessions == {ticket[1] for ticket in tickets}


async def test_an_answer_about_nobody_is_nothing(made: Host) -> None:
    _, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    two.peers.send("worker 1", Kind.TOOK, 5)
    two.peers.send("worker 1", Kind.NO, 5)
    made.kill("worker 2")
    await answers(visitor)
    assert one.sessions == {id}


async def test_the_points_at_which_a_test_ends_a_process(made: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """What each costs is asked of real processes, in test_deaths."""
    points: list[str] = []
    monkeypatch.setattr(fault_points, "at", points.append)
    made.hub()
    one, two = made.worker(1), made.worker(2)
    await made.joined()
    for process in (one, two):
        visitor, _, _ = await made.visitor(process)
        visitor.find("sailing")
    await visitor.hears("matched")
    assert points == ["release", "sent", "took", "taken"]
    assert set(points) <= set(fault_points.POINTS)
