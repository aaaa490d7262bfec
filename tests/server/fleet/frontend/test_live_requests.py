"""Requests to all processes and hosts: who is silent is named, long lists are shortened, and statements reach every host."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.fleet.cluster.known_nodes import Hosts
from server.fleet.frontend.live_requests import LiveRequests, answer_about_log, answers, shortened
from server.fleet.ipc.ipc_link import Kind, Message
from server.realtime.worker.live_sessions import ROWS_MAX
from server.trust.moderators.live_operations import Answered
from tests.server.fleet.cluster.test_together import hears, hosts
from tests.server.fleet.migrate.upgrades import Person, meet, people
from tests.server.fleet.nats.test_nats_bus import started
from tests.server.main.commands.test_live_commands import run, told
from tests.server.main.processes.test_process_group import several


class Links:
    """The links of a frontend to processes that answer, or are silent."""

    def __init__(self, *silent: str) -> None:
        self.others = ["hub", "worker 1", "worker 2"]
        self.replaced: list[str] = []
        self.silent = silent
        self.sent: list[tuple[str, int, Any]] = []
        self.requests = LiveRequests(lambda: self, lambda: self, Hosts())  # type: ignore[arg-type, return-value]

    def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer as this process's sessions do."""
        return {"own": request["do"]}

    def __contains__(self, name: str) -> bool:
        return name in (*self.others, *self.replaced)

    def send(self, name: str, kind: int, *records: Any) -> int | None:
        """Send; whoever is not silent answers at once."""
        self.sent.append((name, kind, records))
        if name not in self.silent:
            body = {"of": name}
            self.requests.handlers[Kind.LIVED](name, Message(Kind.LIVED, 1, [records[0], body], [], []))
        return 1


async def test_all_processes_are_asked_and_who_dies_meanwhile_is_named() -> None:
    links = Links("worker 2")
    asking = asyncio.create_task(links.requests.ask_here({"do": "count"}))
    await asyncio.sleep(0)
    links.requests.dead("worker 2")
    found = await asking
    assert [(one.process, one.body) for one in found] == [
        ("frontend", {"own": "count"}), ("hub", {"of": "hub"}), ("worker 1", {"of": "worker 1"}), ("worker 2", None),
    ]  # fmt: skip
    assert found[-1].why == "it has ended"


async def test_who_does_not_answer_in_time_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.fleet.frontend.live_requests.WITHIN", 0.01)
    found = await Links("hub").requests.ask_here({"do": "count"})
    assert [(one.process, one.why) for one in found if one.body is None] == [("hub", "it does not answer")]


async def test_during_an_upgrade_the_old_processes_are_asked_too_and_one_that_ends_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    links = Links("last worker 2")
    links.replaced = ["last frontend", "last worker 1", "last worker 2"]
    monkeypatch.setattr("server.fleet.frontend.live_requests.WITHIN", 0.01)
    asking = asyncio.create_task(links.requests.ask_here({"do": "count"}))
    await asyncio.sleep(0)
    links.replaced.remove("last worker 2")  # it has no session any more
    found = {one.process: one.body or one.why for one in await asking}
    assert found == {
        "frontend": {"own": "count"}, **{name: {"of": name} for name in (*links.others, *links.replaced)},
        "last worker 2": "it has ended",
    }  # fmt: skip


async def test_an_answer_that_comes_too_late_is_no_fault() -> None:
    links = Links()
    links.requests.handlers[Kind.LIVED]("hub", Message(Kind.LIVED, 1, [99, {}], [], []))
    assert len(await links.requests.ask_here({"do": "count"})) == 4


def test_a_process_answers_a_request_that_has_a_number_alone() -> None:
    links = Links()
    handle = answers(lambda: links, lambda request: {"did": request["do"]})  # type: ignore[arg-type, return-value]
    links.silent = ("frontend",)
    handle("frontend", Message(Kind.LIVE, 1, [5, {"do": "x"}], [], []))
    handle("frontend", Message(Kind.LIVE, 2, [0, {"do": "y"}], [], []))
    assert links.sent == [("frontend", Kind.LIVED, (5, {"did": "x"}))]


def test_long_lists_are_shortened_to_those_that_are_longest_in_their_state() -> None:
    def rows(*seconds: float) -> Answered:
        return Answered("", "w", {"total": len(seconds), "rows": [{"seconds": one} for one in seconds]}, "")

    found = shortened([rows(*range(ROWS_MAX)), rows(*range(1000, 1010)), Answered("", "x", None, "silent")])
    assert [len(one.body["rows"]) for one in found if one.body] == [ROWS_MAX - 10, 10]
    assert found[0].body is not None
    assert found[0].body["rows"][0] == {"seconds": 10}
    assert found[0].body["total"] == ROWS_MAX
    assert shortened([rows(1, 2)]) == [rows(1, 2)]
    statements = Answered("", "w", {"rows": {"maintenance": [1, None]}}, "")
    assert shortened([statements]) == [statements], "these rows are no list"


def test_a_process_without_sessions_has_a_log_level_alone() -> None:
    assert answer_about_log({"do": "count"}) == {}
    assert "error" in answer_about_log({"do": "log", "group": "nobody", "level": "info"})
    assert answer_about_log({"do": "log", "group": "store", "level": "debug"}) == {"done": True}
    assert answer_about_log({"do": "log", "group": "store", "level": "default"}) == {"done": True}


async def hears_of(person: Person, what: str) -> Any:
    """Wait until a person is told this; return it. An earlier frame may be of before the host heard of it."""
    while what not in (frame := await person.hear("service")):
        pass
    return frame[what]


@pytest.mark.thorough
@pytest.mark.blocking
@pytest.mark.timeout(180)
async def test_an_order_at_one_host_holds_at_all_and_at_one_that_comes_later(tmp_path: Path) -> None:
    async with (
        started() as nats,
        hosts(tmp_path, nats, 2, SERENDIP_STORE__ENABLED="false") as (one, two),
        aiohttp.ClientSession() as http,
    ):
        await hears(one, two)
        await hears(two, one)
        pair = await meet(http, two.port, "host")
        # A process that has no core for two seconds is named as silent, and hears of a statement from another host, later.
        while (counts := await told(one, "sessions"))["silent"]:
            pass
        assert counts["sessions"] == 2
        assert sum(row["sessions"] for row in counts["processes"] if row["host"]) == 2
        while (found := await told(one, "sessions", "list", "--why", "a test"))["silent"]:
            pass
        (row, _) = found["rows"]
        assert row["host"], "it is at the other host"
        assert (await run(one, "announce", "Hello"))[0] == 0
        for person in pair:
            assert (await hears_of(person, "announcement"))["texts"] == {"en": "Hello"}
        await two.kill("frontend")
        await two.kill("worker 1")
        for person in await people(http, two.port, 4):
            await hears_of(person, "announcement")
        assert (await run(one, "maintenance", "on"))[0] == 0
        (late,) = await people(http, two.port, 1)
        await hears_of(late, "maintenance")


@pytest.mark.thorough
@pytest.mark.blocking
@pytest.mark.timeout(180)
async def test_a_frontend_that_an_upgrade_replaces_answers_until_its_last_request_is_over(tmp_path: Path) -> None:
    async with several(tmp_path, SERENDIP_SERVER__DRAIN="100") as server, aiohttp.ClientSession() as http:
        await meet(http, server.port, "upgraded")
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"POST /send HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 100 ")
        upgrading = asyncio.create_task(server.upgrade())
        async with asyncio.timeout(120):
            while not upgrading.done():
                counts = await told(server, "sessions")
                if "last frontend" in {row["process"] for row in counts["processes"]} and counts["sessions"] == 2:
                    break
        assert not upgrading.done()
        writer.write(b"id=x")
        status, done = await upgrading
        assert (status, done["done"]) == (0, True), done
        writer.close()
