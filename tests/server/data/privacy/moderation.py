"""Report, decide, appeal and send notices in the canary test, with markers in everything that is written.

**Invariant:** operators see some of it, with a reason that is in the audit log; everyone else reads only that a moderator looked, and whether the
service acted.
"""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
from sqlalchemy import select

from server.data.objects.sealed_objects import Sealed
from server.data.schema.moderation_schema import case
from server.data.store.store_runner import Parts
from server.trust.cases.report_cases import Cases
from server.trust.evidence.reported_picture import OWN, STRIP, Picture
from tests.server.data.privacy import rest
from tests.server.data.privacy.drive import PATIENCE, Person, Sinks


async def moderate(environment: dict[str, str], bad: Person, other: Person, reader: Person, sinks: Sinks) -> None:
    """The two reported each other before: `bad` is banned, appeals, and is let in again; `reader` tells us something."""

    async def run(*words: str, operator: str = "") -> str:
        words = (*words, "--operator", operator, "--why", "the canary") if operator else words
        body = await asyncio.to_thread(rest.printed, environment, *words)
        sinks.put(f"printed by {words[0]} {words[1]}", body)
        return body.decode()

    found = json.loads(await run("safety", "cases", "--json"))
    shown = {case["id"]: await run("safety", "show", case["id"], operator="ada") for case in found}
    assert len(shown) == 2
    about = {whose(text, bad): ident for ident, text in shown.items()}
    await run("safety", "decide", about[False], "--measure", "none", operator="ada")
    await run("safety", "decide", about[True], "--measure", "ban", "--rule", "R5", operator="ada")
    path = await refused(bad)
    await reader.get(path, "link")
    await post(bad, path, words=bad.mark("plea"))
    await run("safety", "appeals")
    await run("safety", "answer", about[True], "reverse", "--words", "We were wrong.", operator="bob")
    for place in (path, bad.receipt, other.receipt):
        status, _ = await reader.get(place, "link")
        assert status == 200
    await tell(reader, sinks)
    ident = json.loads(await run("safety", "notices", "list", "--json"))[0]["id"]
    await run("safety", "notices", "show", ident, operator="ada")
    await run("safety", "notices", "answer", ident, "passed", "--words", "Thank you.", operator="ada")
    await reader.get(reader.notice, "link")
    await run("safety", "report", "--json")
    for page in ("/notice", "/parents", "/transparency", "/api/transparency"):
        status, _ = await reader.get(page, "anyone")
        assert status == 200


def whose(shown: str, person: Person) -> bool:
    """Whether a case is about this person: by their own line, marked."""
    return any("REPORTED" in line and person.mark("talk") in line for line in shown.splitlines())


async def refused(person: Person) -> str:
    """Somebody who is banned knocks until the server knows it; the address of their appeal."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with person.http.ws_connect(person.base + "/ws") as socket:
                said = await socket.receive_str()
                person.sinks.put(f"user:{person.name}", said)
                if "appeal" in (frame := json.loads(said)):
                    return str(frame["appeal"])
            await asyncio.sleep(0.05)  # a poll, for it tells nobody; faster than that is a flood


async def post(person: Person, path: str, **fields: str) -> tuple[int, str]:
    """A form, sent as our own page sends it: (status, where it leads). What comes back is the person's own."""
    headers = {"Origin": person.base}
    async with person.http.post(person.base + path, data=fields, headers=headers, allow_redirects=False) as answer:
        person.sinks.put("self", await answer.read())
        return answer.status, answer.headers.get("Location", "")


async def tell(person: Person, sinks: Sinks) -> None:
    """A notice with markers in each field: refused first, then taken; others may have its receipt."""
    fields = {name: person.mark(name) for name in ("about", "words", "contact")}
    assert (await post(person, "/notice", kind="nothing", **fields))[0] == 400
    status, person.notice = await post(person, "/notice", kind="chat", **fields)
    assert status == 303
    async with aiohttp.ClientSession() as http, http.get(person.base + person.notice) as answer:
        sinks.put("link", await answer.read())


async def pictured(parts: Parts, person: Person) -> None:
    """Pictures come to each case that there is: a marker stands in their bytes, as a camera might see it."""
    cases = Cases(
        parts.database, Sealed(parts.database, parts.objects, parts.pseudonyms), parts.pseudonyms, lambda _: None
    )
    async with parts.database.read() as connection:
        idents = (await connection.execute(select(case.c.id))).scalars().all()
    body = b"\xff\xd8" + person.mark("talk").encode()
    for ident in idents:
        shown = (Picture(STRIP, 1, int(time.time()), body), Picture(OWN, 0, int(time.time()), body))
        assert await cases.add_pictures(ident, 1, shown) == 2
