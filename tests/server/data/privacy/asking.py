"""Make requests about one's own data in the canary test.

**Invariant:** markers are in the keys, codes, secrets and words of every request, and no one but their person sees them. Operators read the text of a
request with a reason, which is in the audit log; its person alone reads the answer.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from html import unescape

from tests.server.data.privacy import rest
from tests.server.data.privacy.drive import Person, Sinks

PAGE = "/privacy/request"


async def ask(environment: dict[str, str], known: Person, stranger: Person, sinks: Sinks) -> None:
    """One with a cookie makes keys and a code, which another uses for them; the other writes, is answered, and proves nothing."""

    async def run(*words: str) -> None:
        done = await asyncio.to_thread(rest.printed, environment, "privacy", "request", *words, "--operator", "ada")
        sinks.put("printed by privacy request", done)

    (known.key,) = once(await send(known, "key"))
    assert "part-chats" in await send(stranger, "see", proof=known.key, as_whom=known)
    (known.key,) = once(await send(known, "key", revoke="1"))
    (known.code,) = once(await send(known, "agent", know="1"))
    agent = {"Authorization": f"Bearer {known.code}"}
    async with stranger.http.post(stranger.base + "/api/rights", json={"kind": "know"}, headers=agent) as answer:
        known.sinks.put(f"user:{known.name}", await answer.read())
        assert answer.status == 200
    number, stranger.ticket = once(
        await send(stranger, "ticket", kind="other", text=stranger.mark("asked"), contact=stranger.mark("reach"))
    )
    for wrong in (stranger.mark("bad"), known.code):
        assert once(await send(stranger, "see", status=403, proof=wrong)) == []
    await run("list", "--json")
    await run("show", number, "--why", "the canary")
    await run("answer", number, "--answer", stranger.mark("reply"), "--why", "the canary")
    said = await send(stranger, "state", number=number, proof=stranger.ticket)
    assert stranger.mark("reply") in said
    other = await send(known, "state", status=403, number=number)
    assert stranger.mark("reply") not in other
    await write(environment, stranger)
    for path in (number, f"{number}?proof={stranger.ticket}", stranger.mark("path")):
        assert (await known.get(f"{PAGE}/{path}", "anyone"))[0] in (403, 404)


async def write(environment: dict[str, str], writer: Person) -> None:
    """A mail to the operator, as the mail server pipes it: its address goes to the relay alone, and its words to no other program."""
    address = f"{writer.mark('writer')}@example.org"
    raw = f"Return-Path: <{address}>\nFrom: {address}\nSubject: Serendip-Privacy {writer.mark('letter')}\n\n{writer.mark('letter')}\n"
    command = (sys.executable, "-c", "from server.main.cli import main; main()", "privacy", "mail")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env=os.environ | environment
    )
    printed, _ = await process.communicate(raw.encode())
    writer.sinks.put("printed by privacy mail", printed)
    assert process.returncode == 0, printed


async def send(person: Person, act: str, *, status: int = 200, as_whom: Person | None = None, **fields: str) -> str:
    """A form of a fresh page. What comes back is for its person alone, who may be another one, by whose proof it came."""
    whose = as_whom or person
    async with person.http.get(person.base + PAGE) as answer:
        token = re.findall(r'name="token" value="([^"]+)"', await answer.text())[0]
    wanted = {"token": token, **fields}
    headers = {"Origin": person.base}
    async with person.http.post(f"{person.base}{PAGE}/{act}", data=wanted, headers=headers) as answer:
        body = await answer.text()
        person.sinks.put(f"user:{whose.name}", body + repr(sorted(answer.headers.items())))
        assert answer.status == status, body
        return body


def once(page: str) -> list[str]:
    """What a page shows this once."""
    return [unescape(text).strip() for text in re.findall(r'class="once">([^<]+)<', page)]
