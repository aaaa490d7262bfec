"""Test the moderation API as a program meets it: tokens and scopes, the console's rules, and the stream of new cases."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema_rs
import pytest
from sqlalchemy import select

from examples import moderation_bot
from server.data.database.key_fingerprints import KeyFingerprints
from server.data.errors import StoreAway
from server.data.schema.moderation_schema import case as case_table
from server.data.schema.record_schema import audit
from server.data.store.store_runner import Parts
from server.ops.config import settings
from server.ops.health.background_tasks import Tasks
from server.ops.process.listening_sockets import Sockets
from server.site.front.api_documents import DOCUMENTS
from server.site.front.moderation_openapi import ROUTES
from server.trust.console import console_server, moderation_api
from server.trust.console.moderation_api import STREAMS
from server.trust.moderators.api_tokens import ApiTokens
from tests.server.data.conftest import Kit
from tests.server.trust.console.conftest import Console
from tests.server.trust.console.work import case
from tests.server.trust.moderation.people import acted, cases, text

ALL = ("read", "act", "stream")
LIST = "/api/moderation/cases"
EVENTS = "/api/moderation/events"
DOCUMENT = DOCUMENTS["openapi.json"]()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """What is asked of the database here, the desk's own tests ask of both kinds."""
    return f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}"


@dataclass
class Program:
    """A program of a moderator."""

    console: Console
    token: str

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send one request. Return its status and JSON; the answer fits its description."""
        sent = {"Host": "localhost:9466", "Authorization": f"Bearer {self.token}"} | headers
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        async with self.console.client.request(method, path, data=data, headers=sent, allow_redirects=False) as answer:
            found = await answer.json() if answer.status != 204 else None
            described(method, path, answer.status, found)
            return answer.status, found

    @asynccontextmanager
    async def stream(self, last: str = "") -> AsyncIterator[AsyncIterator[tuple[str, str, Any]]]:
        """Open the stream of new cases: an iterator of (event, id, data)."""
        sent = {"Host": "localhost:9466", "Authorization": f"Bearer {self.token}"}
        sent |= {"Last-Event-ID": last} if last else {}
        async with self.console.client.get(EVENTS, headers=sent) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/event-stream"
            yield events(answer)


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, str, Any]]:
    """Read events, until the stream ends."""
    fields: dict[str, str] = {}
    async for raw in answer.content:
        name, _, value = raw.decode().rstrip("\n").partition(": ")
        if name:
            fields[name] = value
        elif "data" in fields:
            yield fields["event"], fields["id"], json.loads(fields["data"])
            fields = {}


def described(method: str, path: str, status: int, body: Any) -> None:
    """Check an answer against the OpenAPI document."""
    known = path.partition("?")[0]
    parts = known.split("/")
    if len(parts) > 4:
        known = "/".join([*parts[:4], "{case}", *parts[5:]])
    operation = DOCUMENT["paths"].get(known, {}).get(method.lower())
    if operation is None:
        return
    answer = operation["responses"][str(status)]
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    if schema is not None:
        jsonschema_rs.validate({**schema, "components": DOCUMENT["components"]}, body)


async def program(console: Console, name: str, *scopes: str, roles: tuple[str, ...] = ("moderator",)) -> Program:
    """Return a program of a new moderator."""
    await console.enrolled(name, *roles)
    tokens = ApiTokens(console.kit.database, console.kit.pseudonyms, lambda: console.kit.now)
    return Program(console, await tokens.make(name, f"{name}'s bot", scopes or ALL, 30))


async def audited(kit: Kit) -> list[tuple[str, str, str]]:
    """Return (operator, action, reason) of the audit log."""
    async with kit.database.read() as connection:
        rows = (
            await connection.execute(select(audit.c.operator, audit.c.action, audit.c.why).order_by(audit.c.id))
        ).all()
    return [tuple(row) for row in rows]


async def test_without_a_token_or_its_scope_nothing_is_told(console: Console, kit: Kit) -> None:
    ident = await case(kit)
    nobody = Program(console, "serendip_mod_" + "A" * 22)
    every = [("GET", LIST), ("GET", EVENTS), ("GET", f"{LIST}/{ident}")] + [
        ("POST", f"{LIST}/{ident}/{verb}") for verb in ("claim", "release", "decide", "undo")
    ]
    for method, path in every:
        assert (await nobody.ask(method, path))[0] == 401
        assert await Program(console, "").ask(method, path) == (401, {"error": "token"})
    reader, doer = await program(console, "ada", "read"), await program(console, "bob", "act")
    assert (await reader.ask("GET", f"{LIST}/{ident}"))[0] == 200
    assert await reader.ask("POST", f"{LIST}/{ident}/claim") == (403, {"error": "scope", "needs": "act"})
    assert await reader.ask("GET", EVENTS) == (403, {"error": "scope", "needs": "stream"})
    assert await doer.ask("GET", LIST) == (403, {"error": "scope", "needs": "read"})
    clerk = await program(console, "zoe", *ALL, roles=("clerk",))
    assert (await clerk.ask("GET", LIST))[0] == 403
    assert await nobody.ask("GET", "/api/moderation/nothing") == (401, {"error": "token"})
    assert await reader.ask("GET", "/api/moderation/nothing") == (404, {"error": "missing"})


async def test_a_program_reads_a_case_and_decides_it_as_its_moderator(console: Console, kit: Kit) -> None:
    ident, bot = await case(kit, note="again"), await program(console, "ada")
    status, found = await bot.ask("GET", f"{LIST}?queue=spam")
    assert status == 200
    assert [one["id"] for one in found["cases"]] == [ident]
    assert found["queues"]["spam"]["open"] == 1
    status, found = await bot.ask("GET", f"{LIST}/{ident}")
    assert status == 200
    assert [line["text"] for line in found["chats"][0]["lines"]] == ["hello", "buy <b>this</b>"]
    assert [note["note"] for note in found["notes"]] == ["again"]
    assert (found["claimed_by"], found["outcome"], found["country"]) == ("", None, "")
    status, decided = await bot.ask(
        "POST", f"{LIST}/{ident}/decide", {"measure": "ban", "rule": "R5", "words": "No adverts."}
    )
    assert status == 200
    assert (decided["measure"], decided["seconds"]) == ("ban", 86_400), "the first step of the ladder"
    assert (await bot.ask("GET", f"{LIST}/{ident}"))[1]["outcome"]["decided_by"] == "ada"
    assert await bot.ask("POST", f"{LIST}/{ident}/claim") == (
        409, {"error": "decided", "message": "This case is decided already."}
    )  # fmt: skip
    assert (await bot.ask("POST", f"{LIST}/{ident}/undo"))[0] == 204
    assert (await bot.ask("POST", f"{LIST}/{ident}/release"))[0] == 204
    why = "by a program: ada's bot"
    assert {("ada", "safety show", why), ("ada", "safety decide", why)} <= set(await audited(kit))


async def test_what_needs_a_passkey_or_two_moderators_stays_in_the_console(console: Console, kit: Kit) -> None:
    ident = await case(kit)
    lead = await program(console, "ada", roles=("lead",))
    day = 86_400
    for seconds, needs in ((60 * day, "lead"), (200 * day, "pair")):
        status, told = await lead.ask(
            "POST", f"{LIST}/{ident}/decide", {"measure": "ban", "rule": "R5", "seconds": seconds}
        )
        assert (status, told["error"], told["needs"]) == (403, "beyond", needs)
    status, told = await lead.ask("POST", f"{LIST}/{ident}/decide", {"measure": "age", "rule": "R1"})
    assert (status, told["error"]) == (422, "age")
    async with kit.database.read() as connection:
        assert (await connection.execute(select(case_table.c.state))).scalars().all() == ["open"]


async def test_a_case_of_another_is_left_and_one_of_child_protection_is_not_there(console: Console, kit: Kit) -> None:
    ident, urgent = await case(kit), (await cases(kit).take(acted("known", about=23))).hex()
    ada, bob = await program(console, "ada"), await program(console, "bob")
    eva = await program(console, "eva", roles=("child",))
    assert (await ada.ask("POST", f"{LIST}/{ident}/claim"))[0] == 204
    status, told = await bot_decides(bob, ident)
    assert (status, told["error"]) == (409, "taken")
    assert await bob.ask("GET", f"{LIST}?queue=urgent") == (404, {"error": "missing"})
    for method, path in (
        ("GET", f"{LIST}/{urgent}"),
        ("POST", f"{LIST}/{urgent}/decide"),
        ("GET", f"{LIST}/{'0' * 32}"),
    ):
        assert await bob.ask(method, path) == (404, {"error": "missing"})
    assert (await eva.ask("GET", f"{LIST}/{urgent}"))[0] == 200
    assert "urgent" in (await eva.ask("GET", LIST))[1]["queues"]
    assert "urgent" not in (await bob.ask("GET", LIST))[1]["queues"]


async def bot_decides(bot: Program, ident: str) -> tuple[int, Any]:
    """Decide that nothing was wrong."""
    return await bot.ask("POST", f"{LIST}/{ident}/decide", {"measure": "none"})


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, {"error": "bad_field", "field": ""}),
        (b"\xff", 400, {"error": "bad_field", "field": ""}),
        ([], 400, {"error": "bad_field", "field": ""}),
        ({}, 400, {"error": "bad_field", "field": "measure"}),
        ({"measure": 1}, 400, {"error": "bad_field", "field": "measure"}),
        ({"measure": "none", "seconds": True}, 400, {"error": "bad_field", "field": "seconds"}),
        ({"measure": "none", "days": 3}, 400, {"error": "bad_field", "field": "days"}),
        ({"measure": "hang"}, 422, {"error": "measure"}),
        ({"measure": "ban", "rule": "R9"}, 422, {"error": "rule"}),
        ({"measure": "pause", "rule": "R5", "seconds": 1}, 422, {"error": "lasts.pause"}),
        ({"measure": "warning", "rule": "R5", "words": "x" * 301}, 422, {"error": "words"}),
    ],
)
async def test_a_body_that_cannot_be_read_names_its_field(
    console: Console, kit: Kit, body: Any, status: int, told: dict[str, str]
) -> None:
    ident, bot = await case(kit), await program(console, "ada", "act")
    found = await bot.ask("POST", f"{LIST}/{ident}/decide", body)
    assert found[0] == status
    assert told.items() <= found[1].items()


async def test_a_stream_tells_new_cases_once_and_goes_on_behind_the_last_one(console: Console, kit: Kit) -> None:
    await case(kit, about=21)
    bot, child = await program(console, "ada"), await program(console, "eva", roles=("child",))
    async with bot.stream() as told, child.stream() as told_child:
        assert (await anext(told))[0] == (await anext(told_child))[0] == "ready"
        urgent = (await cases(kit).take(acted("known", about=23))).hex()
        one = await case(kit, about=22)
        kind, last, data = await anext(told)
        assert (kind, data["id"], data["queue"]) == ("case", one, "spam"), "not the one of child protection"
        assert {(await anext(told_child))[2]["id"] for _ in range(2)} == {urgent, one}
    two = await case(kit, about=24)
    async with bot.stream(last) as told:
        assert (await anext(told))[0] == "ready"
        assert (await anext(told))[2]["id"] == two
    async with bot.stream("00000000-5") as told:
        assert (await anext(told))[0] == "reset"


async def test_a_stream_ends_with_its_token_and_beats_meanwhile(
    console: Console, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moderation_api, "HEARTBEAT", 0.0)
    bot = await program(console, "ada", "stream")
    tokens = ApiTokens(kit.database, kit.pseudonyms, lambda: kit.now)
    sent = {"Host": "localhost:9466", "Authorization": f"Bearer {bot.token}"}
    async with console.client.get(EVENTS, headers=sent) as answer:
        while await answer.content.readline() != b":\n":
            pass
        (mine,) = await tokens.listed("ada")
        await tokens.revoke("ada", mine.id)
        rest = await answer.content.read()
        assert b"event:" not in rest


async def test_the_streams_of_a_token_are_few_and_a_store_that_is_away_is_said(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await program(console, "ada", "stream", "read")
    async with bot.stream() as one, bot.stream() as two, bot.stream() as three, bot.stream() as four:
        for told in (one, two, three, four):
            assert (await anext(told))[0] == "ready"
        assert await bot.ask("GET", EVENTS) == (429, {"error": "streams", "most": STREAMS})

    def away() -> None:
        raise StoreAway("gone")

    monkeypatch.setattr(console.kit.database, "read", away)
    assert await bot.ask("GET", LIST) == (503, {"error": "away"})


async def test_what_is_served_is_what_is_described(console: Console) -> None:
    served = {
        (route.method, route.resource.canonical)
        for route in console.client.app.router.routes()
        if route.resource is not None
        and route.resource.canonical.startswith("/api/moderation/")
        and route.method not in "*HEAD"
    }
    assert served == {(route.method, route.path) for route in ROUTES}


@pytest.mark.blocking  # the console is started here
async def test_the_example_bans_who_advertises_a_known_site_and_nobody_else(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    kit.now = time.time()
    parts = Parts(kit.database, kit.objects, kit.pseudonyms, kit.logs, KeyFingerprints.__new__(KeyFingerprints))
    whole, sockets = settings.Settings(data=kit.data, console=settings.Console(port=0)), Sockets()
    made = console_server.Console(parts, whole, lambda request: request.remote or "", Tasks(), sockets)
    await made.start()
    accounts, tokens = Console(kit).accounts, ApiTokens(kit.database, kit.pseudonyms)
    await accounts.invite("ada", ["moderator"], "test")
    advert = text("hello", "Look at WIN-BIG.example now")
    waiting = await case(kit, about=21, said=advert)
    port = sockets.all()["console"].getsockname()[1]
    token = await tokens.make("ada", "adverts", ALL, 7)
    bot = asyncio.create_task(moderation_bot.main(f"http://localhost:{port}", token))
    await until_decided(kit, waiting)
    harmless, new = await case(kit, about=22), await case(kit, about=23, said=advert)
    await until_decided(kit, new)
    bot.cancel()
    await asyncio.gather(bot, return_exceptions=True)
    await made.stop()
    async with kit.database.read() as connection:
        rows = (await connection.execute(select(case_table.c.id, case_table.c.measure, case_table.c.decided_by))).all()
    assert {row.id.hex(): (row.measure, row.decided_by) for row in rows} == {
        waiting: ("ban", "ada"), new: ("ban", "ada"), harmless: (None, None),
    }  # fmt: skip
    assert f"{waiting} 200" in capsys.readouterr().out


async def until_decided(kit: Kit, ident: str) -> None:
    """Wait until a case is decided."""
    wanted = select(case_table.c.state).where(case_table.c.id == bytes.fromhex(ident))
    async with asyncio.timeout(20):
        while True:
            async with kit.database.read() as connection:
                if (await connection.execute(wanted)).scalar_one() == "decided":
                    return
            await asyncio.sleep(0.05)


def test_the_example_is_40_lines() -> None:
    source = Path(moderation_bot.__file__).read_text().splitlines()
    assert len([line for line in source if line.strip()]) <= 40
