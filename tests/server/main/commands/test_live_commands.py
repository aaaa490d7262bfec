"""`serendip sessions`, `announce`, `maintenance` and `log level` against real servers: what is done, and what people are told."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from server.ops.security import secret_keys
from tests.server.fleet.migrate.upgrades import Deployed, Person, deployed, meet, people
from tests.server.main.processes.test_process_group import several, talk
from tests.server.site.web.servers import ROOT
from tests.support.forkserver import START

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # runs servers and commands, and waits for them
STORED = {"SERENDIP_STORE__ENABLED": "true"}


async def run(server: Deployed, *words: str) -> tuple[int, str]:
    """Return the status and the output of a command."""
    command = [sys.executable, "-c", START, *words, "--data", str(server.data)]
    ran = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"COLUMNS": "200", "PATH": "/usr/bin"}
    )
    out, _ = await asyncio.wait_for(ran.communicate(), 60)
    return ran.returncode or 0, out.decode()


async def told(server: Deployed, *words: str) -> dict[str, Any]:
    """Return what a command prints as JSON; it succeeds."""
    status, out = await run(server, *words, "--json")
    assert status == 0, out
    found = orjson.loads(out)
    assert isinstance(found, dict)
    return found


async def sessions(server: Deployed, **wanted: str) -> list[dict[str, Any]]:
    """Return the listed sessions."""
    options = [word for name, value in wanted.items() for word in (f"--{name}", value)]
    rows = (await told(server, "sessions", "list", "--why", "a test", *options))["rows"]
    assert isinstance(rows, list)
    return rows


async def hears_service(person: Person) -> dict[str, Any]:
    """Return the next frame `service` of a person."""
    return await person.hear("service")


async def acts(server: Deployed, http: aiohttp.ClientSession) -> None:
    """An operator's day: sees who is here, ends one, tells all, begins maintenance and ends it. Chats go on."""
    one, two = await meet(http, server.port, "day")
    three, four = await meet(http, server.port, "other")
    counts = await told(server, "sessions")
    assert (counts["sessions"], counts["states"], counts["silent"]) == (4, {"chatting": 4}, [])
    rows = await sessions(server, state="chatting")
    assert len(rows) == 4
    assert len(await sessions(server, address="127.0.0.1")) == 4
    assert await sessions(server, address="192.0.2.7") == []
    status, out = await run(server, "sessions", "end", rows[0]["session"], "--why", "a test")
    assert status == 0, out
    status, out = await run(server, "sessions", "end", rows[0]["session"], "--why", "a test")
    assert (status, "no such session" in out) == (1, True)
    left = await those_who_go_on(one, two, three, four)
    await talk(*left)

    assert (await run(server, "announce", "We move tonight.", "de=Wir ziehen um: heute.", "--minutes", "5"))[0] == 0
    for person in left:
        said = (await hears_service(person))["announcement"]
        assert said["texts"] == {"en": "We move tonight.", "de": "Wir ziehen um: heute."}
    assert (await run(server, "maintenance", "on", "--minutes", "30"))[0] == 0
    for person in left:
        assert (await hears_service(person))["maintenance"]["until"] > 0
    await talk(*left)
    (late,) = await people(http, server.port, 1)
    assert "maintenance" in await hears_service(late)
    await late.say("find")
    assert (await late.hear("error"))["code"] == "maintenance"
    async with http.get(f"http://127.0.0.1:{server.port}/readyz") as ready:
        assert (ready.status, (await ready.json())["status"]) == (200, "maintenance")
    async with http.get(f"http://127.0.0.1:{server.port}/api/status") as said:
        assert set((await said.json())["service"]) == {"announcement", "maintenance"}
    assert (await run(server, "maintenance", "off"))[0] == 0
    assert "maintenance" not in await hears_service(late)
    await late.say("find")
    await late.hear("waiting")

    status, out = await run(server, "log", "level", "nobody", "debug")
    assert (status, "no such group" in out) == (1, True)
    assert (await run(server, "log", "level", "operator", "error"))[0] == 0
    before = len(server.events("operator.ordered"))
    assert (await run(server, "announce", "--off"))[0] == 0
    assert "announcement" not in await hears_service(late)
    assert len(server.events("operator.ordered")) == before, "the level holds"
    assert (await run(server, "log", "level", "operator", "default"))[0] == 0


async def those_who_go_on(*persons: Person) -> list[Person]:
    """Wait until a session and its chat are over; return the others."""
    waiting = {asyncio.create_task(person.hear("left", "error")): person for person in persons}
    over: set[asyncio.Task[dict[str, Any]]] = set()
    while len(over) < 2:
        done, _ = await asyncio.wait(waiting.keys() - over, return_when=asyncio.FIRST_COMPLETED)
        over |= done
    assert sorted(task.result().get("code") or task.result()["by"] for task in over) == ["moderation", "removed"]
    rest = [(task, person) for task, person in waiting.items() if task not in over]
    for task, _ in rest:
        task.cancel()
    return [person for _, person in rest]


async def test_an_operator_sees_and_acts_on_a_server_of_one_process(tmp_path: Path) -> None:
    async with deployed(tmp_path, **STORED) as server, aiohttp.ClientSession() as http:
        await acts(server, http)


@pytest.mark.thorough
async def test_an_operator_sees_and_acts_on_two_workers(tmp_path: Path) -> None:
    async with several(tmp_path, **STORED) as server, aiohttp.ClientSession() as http:
        await acts(server, http)
        await told(server, "maintenance", "on")
        await server.kill("worker 1")
        await server.kill("frontend")
        for person in await people(http, server.port, 8):  # of both workers
            assert "maintenance" in await hears_service(person)
        assert not server.events("loop.fault")


async def test_without_a_server_the_command_says_so(tmp_path: Path) -> None:
    await asyncio.to_thread(secret_keys.load, tmp_path)
    command = [sys.executable, "-c", START, "sessions", "--data", str(tmp_path)]
    ran = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out, _ = await asyncio.wait_for(ran.communicate(), 60)
    assert (ran.returncode, b"no server runs" in out) == (1, True)
