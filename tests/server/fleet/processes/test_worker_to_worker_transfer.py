"""People go to another worker: whoever dies, refuses or is not there, each person is in one place, and the hub knows what became of it."""

import os
from collections import Counter

import pytest

from engine.rooms import hub_messages as rows
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import HUB
from server.fleet.processes import worker_to_worker_transfer as module
from server.ops.process import fault_points
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Told, Visitor, Working, answers, sent_to, talk
from tests.support.descriptors import more_than, opened


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
    assert (came.links.tally.people["meet", "taken"], more_than(before)) == (1, Counter())


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
    meeting = [rows.MEET, 1, [[id, ticket[2], 1], [77, 1, 2]], [0.0, 0.0], ["sailing"], 1.0, "common", False, None]
    visitor.ask("leave")
    await hub.rows(rows.CANCEL)
    one.links.across.go(id, 2, meeting, ticket[2])
    one.worker.act(lambda _: None)
    await hub.rows(rows.FAILED)
    await answers(visitor)
    assert two.came == []


class Stuck:
    """A reactor that lets nobody go for so many times."""

    def __init__(self, reactor: object, times: int) -> None:
        self._reactor = reactor
        self.left = times

    def __getattr__(self, name: str) -> object:
        return getattr(self._reactor, name)

    def release(self, number: int) -> object:
        self.left -= 1
        return None if self.left >= 0 else self._reactor.release(number)  # type: ignore[attr-defined]


async def test_who_cannot_go_yet_is_asked_again(made: Host) -> None:
    hub, one, visitor, id = await played(made)
    two = made.play("worker 2")
    await made.joined()
    one.worker.reactor = Stuck(one.worker.reactor, 2)  # type: ignore[assignment]
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
    one.worker.reactor = Stuck(one.worker.reactor, 1 << 30)  # type: ignore[assignment]
    await sent_to(hub, visitor, id, 2)
    await hub.rows(rows.FAILED)
    await answers(visitor)
    assert two.came == []


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
    assert (one.sessions, one.links.tally.people["meet", "back"], more_than(before)) == ({id}, 1, Counter())


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
    assert (three.sessions, three.links.tally.people["meet", "taken"], more_than(before)) == (set(), 0, Counter())
    two.peers.send("worker 3", Kind.COME, record, id, None, 0.0, pieces=came.pieces, descriptors=came.descriptors)
    await two.next(Kind.TOOK)
    for descriptor in came.descriptors:
        os.close(descriptor)
    await hub.rows(rows.LEAVE, rows.TICKET)
    await answers(visitor)
    assert three.sessions == {id}


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
