"""The hub as its workers see it: rows in, rows out, a timer for what time brings, and what a death takes along."""

import asyncio
import os
import signal
from collections import Counter
from typing import Any

import pytest

from engine.rooms import hub as engine_hub
from engine.rooms import hub_messages as rows
from engine.rooms.hub_messages import Row
from server.fleet.cluster.known_nodes import Place
from server.fleet.cluster.membership import Membership
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND
from server.fleet.supervisor.child_process import ChildStart
from server.main.processes.hub_process import serve
from server.ops.config.settings import Settings
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.processes.rig import Host, Served, Told


def ticket(client: int, word: str = "sailing") -> Row:
    """A ticket that is handed in."""
    return [rows.TICKET, client, 1, ["text", "en"], [word], True, client, [], [], [], 0.0, 0, None, False, rows.NEW]


async def rows_of(worker: Told, kind: str) -> Row:
    """The next row of a kind; others are forgotten."""
    while True:
        for row in (await worker.next(Kind.ROWS)).records:
            if row[0] == kind:
                found: Row = row
                return found


async def test_two_who_fit_meet_where_the_fewer_are_and_who_is_elsewhere_is_told_to_go(made: Host) -> None:
    hub, one, two = made.hub(), made.play("worker 1"), made.play("worker 2")
    await made.joined()
    one.peers.send("hub", Kind.LOAD, 5, 5, [], {})
    two.peers.send("hub", Kind.LOAD, 1, 1, [7], {})
    await until(lambda: hub.process.hub._placing.people == {1: 5, 2: 1})
    one.peers.send("hub", Kind.ROWS, ticket(11))
    assert (await rows_of(one, rows.STEP))[1] == 11
    two.peers.send("hub", Kind.ROWS, ticket(22))
    _, client, to, meeting = await rows_of(one, rows.GO)
    assert (client, to) == (11, 2)
    assert sorted(member[0] for member in meeting[2]) == [11, 22]
    two.peers.send("hub", Kind.ROWS, [rows.DONE, meeting[1], [11, 11], [22, 22]])
    await until(lambda: hub.process.hub.tally["done"] == 1)
    assert hub.process.hub.pending == 0
    found = hub.process._reading()
    assert (found["serendip_hub_tickets"], found["serendip_hub_pending"]) == (0, 0)
    results = {"made": 1, "moved": 1, "done": 1, "failed": 0, "lost": 0}
    assert found["serendip_hub_matches"] == {(result,): count for result, count in results.items()}


async def test_a_user_with_windows_in_two_workers_is_counted_once(made: Host) -> None:
    hub, one, two = made.hub(), made.play("worker 1"), made.play("worker 2")
    await made.joined()
    one.peers.send("hub", Kind.LOAD, 3, 2, [8, 9], {})
    two.peers.send("hub", Kind.LOAD, 70, 68, [], {})
    await until(lambda: hub.process.people == 70)
    two.peers.send("hub", Kind.LOAD, 2, 2, [9, 10], {})
    await until(lambda: hub.process.people == 3)
    while (await one.next(Kind.THERE)).records[:2] != [0, [9, 10]]:
        pass
    while (people := (await two.next(Kind.THERE)).records)[0]:
        pass
    assert sorted(people[1]) == [8, 9]


async def test_who_is_at_the_frontend_is_come_to(made: Host) -> None:
    hub, frontend, one = made.hub(), made.play(FRONTEND), made.play("worker 1")
    await made.joined()
    frontend.peers.send("hub", Kind.LOAD, 50, 50, [], {})
    await until(lambda: hub.process.hub._placing.people[0] == 50)
    frontend.peers.send("hub", Kind.ROWS, ticket(1))
    one.peers.send("hub", Kind.ROWS, ticket(11))
    assert (await rows_of(one, rows.GO))[1:3] == [11, 0]


async def test_the_tickets_of_a_worker_that_dies_go_with_it_and_it_is_told_nothing_more(made: Host) -> None:
    hub, one, two = made.hub(), made.play("worker 1"), made.play("worker 2")
    await made.joined()
    one.peers.send("hub", Kind.ROWS, ticket(11))
    await rows_of(one, rows.STEP)
    made.kill("worker 1")
    two.peers.send("hub", Kind.ROWS, ticket(22))
    assert (await rows_of(two, rows.STEP))[1] == 22
    assert (len(hub.process.hub), set(hub.process.hub.out), hub.process._names) == (1, {2}, {2: "worker 2"})


async def test_a_match_of_which_nobody_says_anything_is_asked_after_when_its_time_has_come(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_hub, "PENDING_FOR", 0.01)
    hub, one = made.hub(), made.play("worker 1")
    await made.joined()
    one.peers.send("hub", Kind.ROWS, ticket(11), ticket(12))
    await rows_of(one, rows.ASK)
    assert hub.process.hub.tally["lost"] == 1


async def test_what_a_later_release_says_is_skipped_and_the_rest_is_heard(made: Host) -> None:
    hub, one = made.hub(), made.play("worker 1")
    await made.joined()
    one.peers.send("hub", Kind.ROWS, ["later", 1], ticket(11))
    assert (await rows_of(one, rows.STEP))[1] == 11
    assert hub.process.hub.tally["unknown"] == 1


async def test_nobody_is_sent_to_a_worker_that_does_not_serve_yet(made: Host) -> None:
    hub = made.hub()
    made.play("worker 1")
    made.start("worker 2", Told, serves=False)
    await made.joined()
    assert hub.process.hub.leaving == {2}
    made.tell("hub", Kind.UP, "worker 2")
    await until(lambda: not hub.process.hub.leaving)


def served() -> Served:
    return Served(lambda up: serve(ChildStart(up), Settings(), Settings, ""))


async def test_it_serves_until_it_is_told_to_end_which_a_terminal_does_not_say() -> None:
    hub = served()
    await hub.ready()
    os.kill(os.getpid(), signal.SIGINT)  # a terminal tells all at once; the supervisor says when it is the hub's turn
    seen = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, seen.set)
    await seen.wait()
    assert not hub.task.done()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await hub.status() == 0


async def test_without_a_supervisor_it_ends() -> None:
    hub = served()
    await hub.ready()
    hub.up.close()
    assert await hub.status() == 0


class Played:
    """The connection to NATS, of which only what is said is looked at."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []
        self.dropped: Counter[str] = Counter()
        self.trouble = None

    def say(self, subject: str, body: bytes) -> None:
        """To all hosts."""
        self.said.append((subject, body))


class Several:
    """A cell that the hub is told of; one other host, which serves."""

    def __init__(self) -> None:
        self.bus = Played()
        self.members = Membership("a" * 10)
        self.drains = False
        self.people_elsewhere = 0

    def standing(self) -> dict[str, Any]:
        """As the supervisor is told it with each sign of life."""
        return {}

    def drain(self) -> None:
        """This host is about to end."""
        self.drains = True

    def places(self) -> list[Place]:
        """Where people may go."""
        return [Place("@00000000bb 1", 7)]


async def test_a_hub_asks_tells_and_answers_other_hosts_for_its_processes(made: Host) -> None:
    hub, frontend, one = made.hub(), made.play(FRONTEND), made.play("worker 1")
    await made.joined()
    process, cell = hub.process, Several()
    process.cluster = cell  # type: ignore[assignment]  # it is played
    one.peers.send("hub", Kind.WHO, 7)
    frontend.peers.send("hub", Kind.ALL, ["changed"])
    await until(lambda: {subject for subject, _ in cell.bus.said} == {"who", "told"})
    process.seeking.handlers["who"](b'{"node":"00000000bb","keys":[7]}')
    assert (await one.next(Kind.WHO)).records == [7]
    one.peers.send("hub", Kind.MINE, 7, "")
    await until(lambda: "mine-00000000bb" in {subject for subject, _ in cell.bus.said})
    process.seeking.handlers["who"](b'{"node":"00000000bb","keys":[8]}')
    one.peers.send("hub", Kind.MOVING, 8)
    await until(lambda: "moving-00000000bb" in {subject for subject, _ in cell.bus.said})
    process.telling.handlers["told"](b'{"node":"00000000bb","rows":[["changed"]]}')
    assert (await frontend.next(Kind.ALL)).records == [["changed"]]
    for handler in (*process.seeking.handlers.values(), *process.telling.handlers.values()):
        handler(b"?")
    assert cell.bus.dropped["unreadable"] == 4


async def test_a_hub_of_a_host_that_ends_says_where_people_may_go_and_ends_when_they_have_gone(made: Host) -> None:
    hub, one = made.hub(), made.play("worker 1")
    await made.joined()
    process, cell = hub.process, Several()
    made.tell("hub", Kind.EVACUATE, 7.0)
    made.tell("hub", Kind.UP, "worker 1")  # it is read behind the other
    await until(lambda: process.peers.takes("worker 1"))
    assert not process.stopped.is_set(), "alone it ends when it is told to, the last"
    process.cluster = cell  # type: ignore[assignment]  # it is played
    made.tell("hub", Kind.EVACUATE, 7.0)
    for _ in range(2):  # at once, and then as often as all are told who is there
        assert (await one.next(Kind.PLACES)).records == [["@00000000bb 1", 7]]
    assert cell.drains
    assert not process.stopped.is_set()
    made.kill("worker 1")
    await until(process.stopped.is_set)


async def test_a_hub_that_is_to_be_started_anew_ends_whoever_is_there(made: Host) -> None:
    hub = made.hub()
    made.play("worker 1")
    await made.joined()
    hub.process.cluster = Several()  # type: ignore[assignment]  # it is played
    made.tell("hub", Kind.LEAVE, {})
    await until(hub.process.stopped.is_set)
    hub.process.cluster = None
