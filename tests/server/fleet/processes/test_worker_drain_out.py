"""Workers of a real host are restarted and drained while people talk, wait and come back: nobody notices."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.fleet.ipc.ipc_link import Kind
from server.fleet.migrate import migration_order as batches
from server.fleet.processes.worker_drain_out import WorkerDrain
from server.ops.process import control_socket
from tests.ext.net.rig import head
from tests.server.fleet.migrate.rig import until
from tests.server.fleet.migrate.test_upgrade import States, ask_whether_ready
from tests.server.fleet.migrate.upgrades import Person, Talk, meet, people
from tests.server.fleet.processes.rig import Host, Visitor, Working, talk
from tests.server.main.processes.test_process_group import Several, is_here, several
from tests.server.site.web.servers import ROOT
from tests.support.forkserver import START

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(240)]  # runs servers and commands, and waits for them
PAIRS = 12
# who is away when the first worker is restarted comes back after the second was, however long a command takes to start
PATIENT = {"SERENDIP_STORE__ENABLED": "true", "SERENDIP_SESSION__GRACE": "600"}


async def ask(server: Several, *words: str) -> tuple[int, dict[str, Any]]:
    """An operator's command: (status, what it says)."""
    command = [sys.executable, "-c", START, *words, "--json", "--data", str(server.data)]
    ran = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE)
    out, _ = await asyncio.wait_for(ran.communicate(), 90)
    return ran.returncode or 0, json.loads(out)


async def stands(server: Several) -> dict[str, dict[str, Any]]:
    """Its processes by name."""
    _, said = await ask(server, "status")
    return {one["process"]: one for one in said["processes"]}


async def test_a_rolling_restart_of_all_workers_costs_nobody_anything(tmp_path: Path) -> None:
    async with several(tmp_path, **PATIENT) as server, aiohttp.ClientSession() as http:
        port = server.port
        talks = [Talk(*await meet(http, port, f"pair {number}")) for number in range(PAIRS)]
        states = await States(http, port).begin()
        answers: set[int] = set()
        asking = asyncio.create_task(ask_whether_ready(http, port, answers))
        before = {name: one["pid"] for name, one in (await stands(server)).items()}
        for number in (1, 2):
            status, said = await ask(server, "restart", "--worker", str(number))
            assert (status, said["done"]) == (0, True), said
        await states.go_on()
        for number in (1, 2):
            status, said = await ask(server, "restart", "--worker", str(number))
            assert (status, said["done"]) == (0, True), said
        after = await stands(server)
        assert {name for name, pid in before.items() if after[name]["pid"] != pid} == {"worker 1", "worker 2"}
        assert [one["deaths"] for one in after.values()] == [0] * 4
        assert not asking.done()
        asking.cancel()
        assert answers == {200}
        for talk in talks:
            heard, wrong = await talk.end()
            assert wrong == []
            assert heard > 0
        await states.all_here()
        assert {line["stayed"] for line in server.events("process.left")} == {0}
        for fault in (
            "worker.fault",
            "loop.fault",
            "task.failed",
            "migration.fault",
            "migration.refused",
            "process.died",
        ):
            assert server.events(fault) == []
        assert await server.status() == 0


async def test_a_drained_worker_is_off_until_it_is_restarted_and_takes_newcomers_then(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        crowd = await people(http, server.port, 20)
        status, said = await ask(server, "drain", "--worker", "2")
        assert (status, said["done"]) == (0, True), said
        assert (await stands(server))["worker 2"]["phase"] == "off"
        assert (await ask(server, "status"))[0] == 0, "it serves as it was told to"
        assert all([await is_here(person) for person in crowd])
        status, said = await ask(server, "drain", "--worker", "1")
        assert (status, said["said"]) == (1, "there is no other worker that could take its people")
        status, said = await ask(server, "drain", "--worker", "2")
        assert (status, said["said"]) == (1, "worker 2 is not running")
        assert (await ask(server, "restart", "--worker", "2"))[0] == 0
        await server.kill("worker 1")
        assert not any([await is_here(person) for person in crowd])
        newcomers = await people(http, server.port, 10)
        assert all([await is_here(person) for person in newcomers])
        assert (await ask(server, "drain", "--worker", "1"))[0] == 0
        assert all([await is_here(person) for person in newcomers])
        assert await server.status() == 0


async def test_who_comes_back_while_a_worker_is_emptied_finds_their_session(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        pairs = [await meet(http, server.port, f"word {n}") for n in range(20)]
        restarting = asyncio.create_task(ask(server, "restart", "--worker", "1"))
        await server.told("process.leaving")
        backs = await asyncio.gather(*[come_back(http, server.port, one) for one, _ in pairs])
        assert (await restarting)[0] == 0
        for back, (_, two) in zip(backs, pairs, strict=True):
            await two.say("message", text="still there?")
            assert (await back.hear("message"))["text"] == "still there?"


async def test_a_restarted_hub_costs_nobody_their_place(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        pair = await meet(http, server.port, "jazz")
        one, two = await people(http, server.port, 2)
        await one.say("find", interests=["sailing"], strict=True)
        await one.hear("waiting")
        assert (await ask(server, "restart", "--hub"))[0] == 0
        assert (await stands(server))["hub"]["deaths"] == 0
        await two.say("find", interests=["sailing"], strict=True)
        for person in (one, two):
            await person.hear("matched")
        await pair[0].say("message", text="still there?")
        assert (await pair[1].hear("message"))["text"] == "still there?"


async def come_back(http: aiohttp.ClientSession, port: int, person: Person) -> Person:
    """Cut the connection, and resume by another."""
    person.cut()
    back = await Person(http, port).open()
    await back.say("resume", token=person.token, last=0)
    assert (await back.hear("resumed", "error"))["type"] == "resumed"
    return back


async def test_one_that_is_killed_while_it_is_emptied_is_said_and_started_anew(tmp_path: Path) -> None:
    async with several(tmp_path) as server, aiohttp.ClientSession() as http:
        await people(http, server.port, 10)
        os.kill(server.pid_of("worker 1"), signal.SIGSTOP)
        # at once, not by a command that has to start: who says nothing is killed soon
        said = (await asyncio.to_thread(lambda: list(control_socket.ask(server.data, {"do": "restart", "worker": 1}))))[
            -1
        ]
        assert said["done"] is False
        assert "died (signal 9) before all sessions had migrated" in said["said"]
        await server.told("process.ready", 5)
        async with asyncio.timeout(30):  # the others learn of it after it has said so
            while (await ask(server, "status"))[0] != 0:
                pass


class Ends:
    """A worker with people, and what empties it into others."""

    def __init__(self, one: Working, to: str = "", **people: int) -> None:
        there = {f"worker {name[1:]}": count for name, count in people.items()}
        self.emptying = WorkerDrain("worker 1", one.worker, one.peers, one.links.across, there, to)
        self.task = asyncio.create_task(self.emptying.run())


async def crowd_of(made: Host, one: Working, pairs: int) -> list[Visitor]:
    """So many who chat, two by two."""
    crowd = []
    for number in range(pairs):
        for _ in range(2):
            visitor, _, _ = await made.visitor(one)
            visitor.find(f"word {number}")
            crowd.append(visitor)
    for visitor in crowd:
        await visitor.hears("matched")
    return crowd


async def test_people_go_where_the_fewest_are_and_chats_stay_together(
    made: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    hub, one, two, three = made.hub(), made.worker(1), made.worker(2), made.worker(3)
    await made.joined()
    crowd = await crowd_of(made, one, 6)
    ends = Ends(one, w2=0, w3=4)
    await asyncio.wait_for(ends.task, 20)
    assert (one.sessions, len(two.sessions), len(three.sessions)) == (set(), 8, 4)
    assert hub.process.hub.leaving == {1}
    for first, second in zip(crowd[::2], crowd[1::2], strict=True):
        await talk(first, second)


async def test_where_one_follows_all_go_there_and_where_it_dies_all_are_here_again(made: Host) -> None:
    hub = made.hub()
    one = made.worker(1)
    made.worker(2)
    await made.joined()
    crowd = await crowd_of(made, one, 2)
    following = made.play("next worker 1")
    await until(lambda: "next worker 1" in one.peers)
    ends = Ends(one, "next worker 1", w2=0)
    pace = await following.next(Kind.BEGIN)
    assert "salt" in pace.records[0]
    message = await following.next(Kind.PEOPLE)
    assert (message.records[3], one.sessions) == (0, set())
    for descriptor in message.descriptors:
        os.close(descriptor)
    made.kill("next worker 1")
    await until(lambda: len(one.sessions) == 4)
    assert not ends.task.done(), "a sibling is not where they are to go"
    ends.task.cancel()
    ends.emptying.stay()
    await until(lambda: hub.process.hub.leaving == set())
    for first, second in zip(crowd[::2], crowd[1::2], strict=True):
        await talk(first, second)


@pytest.mark.parametrize("how", ["dies", "refuses"])
async def test_whom_one_worker_does_not_take_go_to_the_next_or_stay(made: Host, how: str) -> None:
    made.hub()
    one, two, three = made.worker(1), made.play("worker 2"), made.worker(3)
    await made.joined()
    crowd = await crowd_of(made, one, 2)
    ends = Ends(one, w2=0, w3=9)
    message = await two.next(Kind.PEOPLE)
    assert one.sessions == set()
    for descriptor in message.descriptors:
        os.close(descriptor)
    if how == "dies":
        made.kill("worker 2")
    else:
        two.peers.send("worker 1", Kind.NO, message.number)
        for _ in range(2):  # each chat alone
            message = await two.next(Kind.PEOPLE)
            assert len(message.records[0]["people"]) == 2
            for descriptor in message.descriptors:
                os.close(descriptor)
            two.peers.send("worker 1", Kind.NO, message.number)
    await asyncio.wait_for(ends.task, 20)
    stay, gone = (one, three) if how == "refuses" else (three, one)
    assert (len(stay.sessions), gone.sessions) == (4, set())
    for first, second in zip(crowd[::2], crowd[1::2], strict=True):
        await talk(first, second)


async def test_where_no_other_worker_is_they_wait_for_one(made: Host) -> None:
    made.hub()
    one = made.worker(1)
    await made.joined()
    crowd = await crowd_of(made, one, 1)
    ends = Ends(one)
    await talk(*crowd)
    assert not ends.task.done()
    two = made.worker(2)
    await asyncio.wait_for(ends.task, 20)
    assert len(two.sessions) == 2
    await talk(*crowd)


async def test_who_has_just_knocked_is_greeted_where_they_go(made: Host) -> None:
    made.hub()
    one, two = made.worker(1), made.worker(2)
    await made.joined()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours:
        one.worker.reactor.adopt_socket(theirs.detach(), "192.0.2.1", head()[:20], True)
        assert one.worker.reactor.newcomers == 1
        ends = Ends(one, w2=0)
        await until(lambda: two.worker.reactor.newcomers == 1)
        assert one.worker.reactor.newcomers == 0
        ours.send(head()[20:])
        await until(lambda: two.sessions)
        await asyncio.wait_for(ends.task, 20)
