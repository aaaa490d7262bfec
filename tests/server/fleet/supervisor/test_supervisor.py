"""Real processes, each a few lines: who dies is started anew, all have links to all, and the end has its order."""

import asyncio
import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, Peers
from server.fleet.supervisor import supervisor as module
from server.fleet.supervisor.child_process import ChildStart
from tests.server.fleet.processes.forked import Life, Say, forked, told, until

WORKER = "worker 1"


async def live(up: socket.socket, say: Say) -> int:
    """Says who is there and who died, and what others say; ends when it is told to, with the status 0."""

    def joined(name: str) -> None:
        say("joined", name)
        peers.send(name, Kind.LOAD, os.getpid())

    def hear(name: str, message: Message) -> None:
        say("heard", name, *message.records)

    orphaned = asyncio.Event()
    peers = Peers(up, {Kind.LOAD: hear}, joined, lambda name: say("dead", name), orphaned.set)
    term = told(signal.SIGTERM)
    reload = ChildStart(up).told_to_reload()
    hears = asyncio.create_task(reload.wait())
    hears.add_done_callback(lambda task: None if task.cancelled() else say("hup"))
    peers.ready()
    say("lives")
    ended, orphan = asyncio.create_task(term.wait()), asyncio.create_task(orphaned.wait())
    await asyncio.wait((ended, orphan), return_when=asyncio.FIRST_COMPLETED)
    say("orphaned" if orphan.done() else "ends")
    for task in (ended, orphan, hears):
        task.cancel()
    peers.close()
    return 0


ALL: dict[str, Life] = {HUB: live, FRONTEND: live, WORKER: live}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that dies young is started anew at once, too."""
    monkeypatch.setattr(module, "AGAIN_AFTER", 0.0)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)


def test_all_get_links_to_all_and_it_is_said_once_that_all_serve() -> None:
    with forked(ALL) as host:
        pids = {name: host.hear(name, None, "lives")[1] for name in ALL}
        for one in ALL:
            for other in ALL:
                if one != other:
                    assert host.hear(one, None, "heard", other)[4] == pids[other]
        host.hear("supervisor", None, "ready")
        host.kill(host.pid, signal.SIGTERM)
        assert ["ready"] not in [line[2:] for line in host.rest()]
        assert host.status() == 0


def test_one_that_dies_is_started_anew_and_the_others_are_told() -> None:
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        first = host.hear(WORKER, None, "lives")[1]
        host.kill(first)
        for other in (HUB, FRONTEND):
            host.hear(other, None, "dead", WORKER)
        second = host.hear(WORKER, None, "lives")[1]
        assert second != first
        for other in (HUB, FRONTEND):
            assert host.hear(WORKER, second, "heard", other)
            assert host.hear(other, None, "heard", WORKER, second)


def test_one_that_ends_by_itself_is_started_anew_too() -> None:
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        first = host.hear(WORKER, None, "lives")[1]
        host.kill(first, signal.SIGTERM)
        host.hear(HUB, None, "dead", WORKER)
        assert host.hear(WORKER, None, "lives")[1] != first


def test_each_process_is_named_by_its_role() -> None:
    with forked(ALL) as host:
        pids = {name: host.hear(name, None, "lives")[1] for name in ALL}
        names = {name: Path(f"/proc/{pid}/comm").read_text().strip() for name, pid in pids.items()}
        assert names == {HUB: "serendip hub", FRONTEND: "serendip front", WORKER: "serendip w1"}


def test_no_descriptor_of_who_died_stays_open() -> None:
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        before = host.descriptors()
        pid = host.hear(WORKER, None, "lives")[1]
        for _ in range(3):
            host.kill(pid)
            pid = host.hear(WORKER, None, "lives")[1]
            host.hear(WORKER, pid, "heard", HUB)
        until(lambda: host.descriptors() == before)


def test_a_process_has_nothing_of_the_others() -> None:
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        first = host.hear(HUB, None, "lives")[1]
        last = host.hear(WORKER, None, "lives")[1]
        for name in (HUB, WORKER):
            host.hear(name, None, "heard", FRONTEND)

        def sockets(pid: int) -> int:
            return sum(str(one.readlink()).startswith("socket") for one in Path(f"/proc/{pid}/fd").iterdir())

        assert sockets(first) == sockets(last)
        assert not [one for one in Path(f"/proc/{last}/fd").iterdir() if "pidfd" in str(one.readlink())]


async def fail(up: socket.socket, say: Say) -> int:
    """Cannot serve."""
    say("fails")
    return 3


def test_one_that_dies_before_all_serve_ends_all_with_status_one() -> None:
    with forked({HUB: live, FRONTEND: fail, WORKER: live}) as host:
        host.hear(FRONTEND, None, "fails")
        said = [(name, what) for name, _, what, *_ in host.rest()]
        assert host.status() == 1
        assert ("supervisor", "ready") not in said
        assert (FRONTEND, "fails") not in said, "it is not tried again"


def test_a_hub_that_dies_before_all_serve_ends_all_too() -> None:
    with forked({HUB: fail, WORKER: live}) as host:
        host.rest()
        assert host.status() == 1


class Slow:
    """`os`, of which whoever is forked is told to end before it has done anything."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def fork(self) -> int:
        if pid := os.fork():
            os.kill(pid, signal.SIGTERM)
        else:
            while signal.SIGTERM not in signal.sigpending():
                os.sched_yield()
        return pid


def test_who_is_told_to_end_as_it_begins_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.fleet.supervisor.supervisor.os", Slow())
    with forked({HUB: live, WORKER: live}) as host:
        said = [what for _, _, what, *_ in host.rest()]
        assert "lives" not in said
        assert host.status() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_at_the_end_all_are_told_and_the_hub_last(number: signal.Signals) -> None:
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        host.kill(host.pid, number)
        said = [name for name, _, what, *_ in host.rest() if what == "ends"]
        assert host.status() == 0
        assert said[-1] == HUB
        assert sorted(said) == sorted(ALL)


def test_all_are_told_to_read_their_settings_anew() -> None:
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        host.kill(host.pid, signal.SIGHUP)
        for name in ALL:
            host.hear(name, None, "hup")


async def stuck(up: socket.socket, say: Say) -> int:
    """Serves, and does not end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    peers = Peers(up, {}, lambda _: None, lambda _: None, lambda: None)
    peers.ready()
    say("lives")
    await asyncio.Event().wait()
    return 0


@pytest.mark.parametrize("name", [HUB, WORKER])
def test_one_that_does_not_end_is_killed_after_the_drain_and_not_started_anew(name: str) -> None:
    with forked({**ALL, name: stuck}, drain=0.2) as host:
        host.hear("supervisor", None, "ready")
        host.hear(name, None, "lives")
        host.kill(host.pid, signal.SIGTERM)
        said = [(one, what) for one, _, what, *_ in host.rest()]
        assert host.status() == 0
        assert (name, "lives") not in said


def test_who_is_told_to_end_twice_ends_as_who_is_told_once() -> None:
    with forked({**ALL, WORKER: stuck}, drain=0.2) as host:
        host.hear("supervisor", None, "ready")
        host.kill(host.pid, signal.SIGTERM)
        host.hear(FRONTEND, None, "ends")
        host.kill(host.pid, signal.SIGTERM)
        assert [what for _, _, what, *_ in host.rest() if what == "ends"] == []
        assert host.status() == 0


def test_who_stops_while_one_is_to_be_started_anew_does_not_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_AFTER", 1e6)
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        host.kill(host.hear(WORKER, None, "lives")[1])
        host.hear(HUB, None, "dead", WORKER)
        host.kill(host.pid, signal.SIGTERM)
        assert WORKER not in [name for name, _, what, *_ in host.rest() if what == "lives"]
        assert host.status() == 0


def test_without_a_supervisor_each_knows_that_it_is_alone() -> None:
    with forked(ALL) as host:
        host.hear("supervisor", None, "ready")
        host.kill(host.pid)
        assert sorted(name for name, _, what, *_ in host.rest() if what == "orphaned") == sorted(ALL)
        assert host.status() == -signal.SIGKILL
