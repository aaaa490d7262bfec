"""Decide cases about adverts for known sites: `TOKEN=serendip_mod_… python -m examples.moderation_bot http://localhost:9466`."""

import asyncio
import json
import os
import sys

import aiohttp

SITES = ("win-big.example", "cheap-pills.example")
CASES = "/api/moderation/cases"


async def review(http: aiohttp.ClientSession, ident: str) -> None:
    async with http.get(f"{CASES}/{ident}") as answer:
        chats = (await answer.json()).get("chats", ())  # none: another moderator may see it alone
    said = [line["text"] for chat in chats for line in chat["lines"] if line["side"] == chat["reported"]]
    if any(site in text.lower() for text in said for site in SITES):  # without a length: the next step of the rule
        async with http.post(f"{CASES}/{ident}/decide", json={"measure": "ban", "rule": "R5"}) as answer:
            print(ident, answer.status, await answer.text(), flush=True)


async def main(console: str, token: str) -> None:
    last, kind, bearer = "", "", {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(console, headers=bearer, timeout=aiohttp.ClientTimeout(sock_read=60)) as http:
        while True:
            try:
                async with http.get(
                    "/api/moderation/events", headers={"Last-Event-ID": last} if last else {}
                ) as stream:
                    stream.raise_for_status()
                    async for line in stream.content:
                        name, _, value = line.decode().rstrip("\n").partition(": ")
                        last, kind = (value if name == "id" else last), (value if name == "event" else kind)
                        if name == "data" and kind == "case":
                            await review(http, json.loads(value)["id"])
                        elif name == "data":  # it begins, or missed something: what waits already
                            async with http.get(CASES, params={"queue": "spam"}) as answer:
                                for case in (await answer.json())["cases"]:
                                    await review(http, case["id"])
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
                print(f"away: {error!r}", file=sys.stderr)
            await asyncio.sleep(3)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], os.environ["TOKEN"]))
