"""Run client/scenarios.json, the contract of resumes, searches and ends, with both clients: this one and the JavaScript one (in Node)."""

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from serendip_client import Backoff, Client, NotSent, Sent
from serendip_client.testing import FakeServer

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "client" / "scenarios.json"
SCENARIOS: dict[str, dict[str, Any]] = {one["it"]: one for one in json.loads(FILE.read_text())}
CHAT: list[dict[str, Any]] = [
    {"open": 1},
    {"server": {"type": "hello", "session": "s", "token": "t1", "online": 2, "grace": 15}},
    {"event": {"type": "hello"}},
    {"do": "find"},
    {"client": {"type": "find"}},
    {"server": {"type": "matched", "chat": "c", "role": "stranger", "common": [], "language": "en", "side": 1}},
    {"event": {"type": "matched"}},
]
WITHIN = 10.0  # seconds: a bound, not a measure


def shown(event: Any) -> dict[str, Any]:
    """The fields of an event, as a frame has them."""
    told = {field.name: getattr(event, field.name) for field in fields(event)}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}
    return {"type": type(event).__name__.lower(), **plain}


def meets(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(value == "*" or found.get(name) == value for name, value in wanted.items())


class Play:
    """One scenario: its server, its client, and the fates of its lines."""

    def __init__(self, server: FakeServer, me: Client) -> None:
        self.server = server
        self.me = me
        self.ids: dict[str, str] = {}
        self.fates: dict[str, Sent | NotSent] = {}
        self.doing: list[asyncio.Future[Any]] = []
        self.actions: dict[str, Callable[..., Awaitable[Any]]] = {
            "find": lambda wishes: me.find(**(wishes or {})), "leave": lambda _: me.leave(), "ping": lambda _: me.ping(),
            "allow": me.allow_pictures,
        }  # fmt: skip

    async def event(self) -> Any:
        """The next event that is no fate of a line."""
        async for event in self.me:
            if not isinstance(event, Sent | NotSent):
                return event
            self.fates[event.id] = event
        raise AssertionError("the client has ended")

    async def step(self, step: dict[str, Any]) -> None:
        """Carry out one step."""
        (name, value), *_ = step.items()
        if name == "open":
            await self.server.connected()
        elif name == "server":
            await self.server.tell(value)
        elif name == "client":
            frame = await self.server.next()
            assert frame.keys() == value.keys(), (frame, value)
            assert meets(frame, value), (frame, value)
        elif name == "do" and value == "say":
            self.ids[step["as"]] = await self.me.say(step["with"])
        elif name == "do":
            # without a session these wait for one
            self.doing.append(asyncio.ensure_future(self.actions[value](step.get("with"))))
            await asyncio.sleep(0)
        elif name == "event":
            event = shown(await self.event())
            assert meets(event, value), (event, value)
            assert step.get("least", 0.0) <= event.get("after", 0.0) <= step.get("most", 60.0)
        elif name == "fate":
            await self.fate(self.ids[value], step)
        elif name in ("drop", "close"):
            await self.server.drop(1006 if name == "drop" else value)
        else:
            assert name == "pass"  # the client waits in real time, for moments

    async def fate(self, id: str, step: dict[str, Any]) -> None:
        """Wait for the fate of a line."""
        while id not in self.fates:
            event = await anext(self.me)
            assert isinstance(event, Sent | NotSent), event
            self.fates[event.id] = event
        told = self.fates[id]
        if isinstance(told, Sent):
            assert (told.seq, None) == (step.get("seq"), step.get("code"))
        else:
            assert (told.code, told.retry_after) == (step.get("code"), step.get("after"))


@pytest.mark.parametrize("it", SCENARIOS)
async def test_in_python(it: str) -> None:
    scenario = SCENARIOS[it]
    async with (
        FakeServer(raw=True, blocks=scenario.get("blocked", False)) as server,
        asyncio.timeout(WITHIN),
        Client(server.url, backoff=Backoff(first=20.0 if scenario.get("longest") else 0.02)) as me,
    ):
        play = Play(server, me)
        for step in [*(CHAT if scenario.get("chat") else []), *scenario["steps"]]:
            await play.step(step)
        assert server.frames.empty()
        for done in play.doing:
            await done


@pytest.fixture(scope="module")
def javascript() -> dict[str, str | None]:
    """The fault of each scenario, played in Node, or None."""
    command = [
        "node",
        str(Path(__file__).with_suffix(".mjs").with_stem("scenarios")),
        str(ROOT / "client/js"),
        str(FILE),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return {told["it"]: told["wrong"] for told in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("it", SCENARIOS)
def test_in_javascript(javascript: dict[str, str | None], it: str) -> None:
    assert javascript[it] is None
