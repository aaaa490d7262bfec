"""What an operator asks of a supervisor, with real processes of a few lines: what is refused, and what becomes of who was to end."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, Peers
from server.fleet.supervisor import supervisor as module
from server.ops.process.control_socket import ask
from tests.server.fleet.processes.forked import Forked, Life, Say, forked, told, until

NAMES = (HUB, FRONTEND, "worker 1", "worker 2")
FILE = "status"  # with what status a worker that was told to leave ends; none: it does not end


def life(folder: Path) -> Life:
    """Says that it lives, has three people and a chat, and leaves as the file says."""

    async def live(up: socket.socket, say: Say) -> int:
        term, leave = told(signal.SIGTERM), asyncio.Event()
        status = folder / FILE

        def leaves(_: str, message: Any) -> None:
            say("leaves", message.records[0])
            if status.exists():
                leave.set()

        peers = Peers(
            up,
            {Kind.LEAVE: leaves},
            lambda _: None,
            lambda _: None,
            asyncio.Event().set,
            find_state=lambda: {"people": 3, "chats": 1},
        )
        peers.ready()
        say("lives")
        waits = [asyncio.create_task(one.wait()) for one in (term, leave)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        peers.close()
        return int(status.read_text()) if leave.is_set() else 0

    return live


class Asked:
    """A host that is asked in threads."""

    def __init__(self, host: Forked, data: Path) -> None:
        self.host, self._data = host, data
        self.pids = {name: host.hear(name, None, "lives")[1] for name in NAMES}

    def ask(self, do: str, **more: Any) -> list[dict[str, Any]]:
        """All lines of the answer."""
        return list(ask(self._data, {"do": do, **more}))

    def begin(self, do: str, **more: Any) -> "Asking":
        """Ask, and go on."""
        return Asking(lambda: self.ask(do, **more))

    def ends_with(self, status: int) -> None:
        """A worker that is told to leave does."""
        (self._data / FILE).write_text(str(status))

    def stands(self) -> dict[str, dict[str, Any]]:
        """The processes by name."""
        (last,) = self.ask("status")
        return {one["process"]: one for one in last["processes"]}


class Asking(threading.Thread):
    """A question, and its answer."""

    def __init__(self, work: Any) -> None:
        super().__init__()
        self._work = work
        self.lines: list[dict[str, Any]] = []
        self.start()

    def run(self) -> None:
        self.lines = self._work()

    def last(self) -> dict[str, Any]:
        """Wait for it."""
        self.join(20)
        return self.lines[-1]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    monkeypatch.setattr(module, "AGAIN_AFTER", 0.0)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with forked(dict.fromkeys(NAMES, life(tmp_path)), data=tmp_path) as host:
        host.hear("supervisor", None, "ready")
        yield Asked(host, tmp_path)


def test_it_says_of_each_process_how_it_stands(asked: Asked) -> None:
    until(lambda: all(len(one["links"]) == 3 for one in asked.stands().values()))
    (last,) = asked.ask("status")
    assert (last["done"], last["phase"], last["pid"]) == (True, "ready", asked.host.pid)
    for one in last["processes"]:
        assert one["pid"] == asked.pids[one["process"]]
        assert (one["phase"], one["people"], one["chats"], one["deaths"]) == ("ready", 3, 1, 0)
        assert set(one["links"]) == set(NAMES) - {one["process"]}
        assert 0 <= one["age"] < 60
    assert [one["process"] for one in last["processes"]] == list(NAMES)


def test_a_death_is_counted_where_it_is_looked_at(asked: Asked) -> None:
    asked.host.kill(asked.pids["worker 1"])
    asked.host.hear("worker 1", None, "lives")
    assert {name: one["deaths"] for name, one in asked.stands().items()} == {**dict.fromkeys(NAMES, 0), "worker 1": 1}


@pytest.mark.parametrize("worker", [0, 3, -1, "hub", "1", None, True, 1.0])
def test_what_is_no_worker_is_not_drained(asked: Asked, worker: object) -> None:
    (last,) = asked.ask("drain", worker=worker)
    assert last["done"] is False
    assert "no such worker: they are 1 to 2" in last["said"]
    assert {one["phase"] for one in asked.stands().values()} == {"ready"}


@pytest.mark.parametrize("do", ["upgrade", "dance", None, 7])
def test_what_it_cannot_is_said(asked: Asked, do: Any) -> None:
    (last,) = asked.ask(do)
    assert last["done"] is False
    assert last["said"]


def test_who_is_drained_is_told_who_is_there_and_is_off_until_it_is_restarted(asked: Asked) -> None:
    asked.ends_with(0)
    until(lambda: asked.stands()["worker 2"]["people"] == 3)
    last = asked.ask("drain", worker=1)[-1]
    assert (last["done"], last["people"]) == (True, 3)
    assert asked.host.hear("worker 1", None, "leaves")[3] == {"worker 2": 3}
    for other in (HUB, FRONTEND, "worker 2"):
        assert asked.stands()[other]["pid"] == asked.pids[other]
    off = asked.stands()["worker 1"]
    assert (off["phase"], off["pid"], off["deaths"]) == ("off", None, 0)
    assert asked.ask("drain", worker=1)[-1]["said"] == "worker 1 is not running"
    assert asked.ask("drain", worker=2)[-1]["said"] == "there is no other worker that could take its people"
    assert asked.ask("restart", worker=1)[-1]["done"]
    again = asked.stands()["worker 1"]
    assert (again["phase"], again["deaths"]) == ("ready", 0)
    assert again["pid"] not in (None, asked.pids["worker 1"])


def test_who_is_restarted_is_another_process_and_is_counted_as_no_death(asked: Asked) -> None:
    asked.ends_with(0)
    lines = asked.ask("restart", worker=2)
    assert [line.get("step") for line in lines if line.get("step") != "moving"] == ["starting", None]
    assert lines[-1]["done"]
    new = asked.stands()["worker 2"]
    assert (new["phase"], new["deaths"]) == ("ready", 0)
    assert new["pid"] != asked.pids["worker 2"]


def test_the_hub_is_restarted_by_a_signal_and_not_drained(asked: Asked) -> None:
    assert asked.ask("restart", worker="hub")[-1]["done"]
    new = asked.stands()[HUB]
    assert (new["phase"], new["deaths"]) == ("ready", 0)
    assert new["pid"] != asked.pids[HUB]


@pytest.mark.parametrize(("do", "then"), [("drain", "off"), ("restart", "ready")])
def test_one_that_dies_before_everybody_went_is_a_death_and_said(asked: Asked, do: str, then: str) -> None:
    asked.ends_with(3)
    last = asked.ask(do, worker=1)[-1]
    assert (last["done"], last["said"].startswith("worker 1 died (status 3)")) == (False, True)
    until(lambda: asked.stands()["worker 1"]["phase"] == then)
    assert asked.stands()["worker 1"]["deaths"] == 1


def test_there_is_one_order_at_a_time_and_everybody_is_told_how_it_stands_meanwhile(asked: Asked) -> None:
    first = asked.begin("drain", worker=1)
    asked.host.hear("worker 1", None, "leaves")
    assert asked.stands()["worker 1"]["phase"] == "draining"
    said = asked.ask("restart", worker=2)[-1]["said"]
    assert said == "another worker is drained or restarted at the moment"
    os.kill(asked.pids["worker 1"], signal.SIGTERM)  # it ends in order
    assert first.last()["done"]
    assert {"step": "moving", "left": 3} in first.lines


def test_who_asked_may_go_away_and_it_is_done_all_the_same(asked: Asked, tmp_path: Path) -> None:
    answer = ask(tmp_path, {"do": "drain", "worker": 1})
    assert next(answer)["step"] == "moving"
    answer.close()  # type: ignore[attr-defined]  # it is a generator
    os.kill(asked.pids["worker 1"], signal.SIGTERM)
    until(lambda: asked.stands()["worker 1"]["phase"] == "off")


def test_a_host_that_is_told_to_stop_says_so_and_ends(asked: Asked) -> None:
    first = asked.begin("drain", worker=1)
    asked.host.hear("worker 1", None, "leaves")
    asked.host.kill(asked.host.pid, signal.SIGTERM)
    assert first.last()["said"] == "this server was told to stop"
    assert asked.host.status() == 0


def leaving(folder: Path) -> Life:
    """As `life`, and ends by the word that its host ends, too; says in how many seconds."""

    async def live(up: socket.socket, say: Say) -> int:
        term, end = told(signal.SIGTERM), asyncio.Event()

        def evacuate(_: str, message: Any) -> None:
            say("evacuates", message.records[0])
            if not (folder / "stays").exists():
                end.set()

        row = ["b", "x:1", "1.0", "serving", 5, 0.0]

        def stands() -> dict[str, Any]:
            cluster = {"others": [row] * (folder / "others").exists()}
            return {"people": 3, "chats": 1, "moved": [3, 1, 0], "cluster": cluster}

        peers = Peers(
            up, {Kind.EVACUATE: evacuate}, lambda _: None, lambda _: None, asyncio.Event().set, find_state=stands
        )
        peers.ready()
        say("lives")
        waits = [asyncio.create_task(one.wait()) for one in (term, end)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        peers.say()
        peers.close()
        return 0

    return live


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """A host that can leave."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with forked(dict.fromkeys(NAMES, leaving(tmp_path)), data=tmp_path) as host:
        host.hear("supervisor", None, "ready")
        yield Asked(host, tmp_path)


def hears_another(several: Asked, folder: Path) -> None:
    """There is another host, and all processes said how they stand."""
    (folder / "others").touch()
    until(lambda: all(one["people"] == 3 for one in several.stands().values()))
    until(lambda: several.ask("status")[-1].get("cluster", {}).get("others"))


def test_a_host_that_leaves_gives_its_people_time_and_ends_with_nought(several: Asked, tmp_path: Path) -> None:
    hears_another(several, tmp_path)
    lines = several.ask("drain")
    assert lines[0] == {"step": "hosts", "hosts": 1, "said": ""}
    last = lines[-1]
    assert (last["done"], last["said"], last["people"], last["chats"], last["stayed"]) == (
        True,
        "",
        3 * len(NAMES),
        len(NAMES),
        0,
    )
    for name in NAMES:
        assert several.host.hear(name, None, "evacuates")[3] == 300.0
    assert several.host.status() == 0


def test_alone_it_ends_as_by_a_signal_and_says_so(several: Asked) -> None:
    lines = several.ask("drain")
    assert "clients are asked to reconnect" in lines[0]["said"]
    assert lines[-1]["done"] is True
    assert several.host.status() == 0


def test_a_signal_takes_the_time_back_that_an_operator_gave(several: Asked, tmp_path: Path) -> None:
    hears_another(several, tmp_path)
    (tmp_path / "stays").touch()
    asking = several.begin("drain")
    for name in NAMES:
        several.host.hear(name, None, "evacuates")
    assert several.stands()["worker 1"]["phase"] != "off"
    assert several.ask("drain")[-1]["said"] == "this server starts, or stops"
    several.host.kill(several.host.pid, signal.SIGTERM)
    for name in NAMES:
        assert several.host.hear(name, None, "evacuates")[3] == 0.0
    assert asking.last()["done"] is True
    assert several.host.status() == 0
