"""Test a pause on a real server: a spreader of adverts is paused, reads why, and returns after a decision; without readers no one is."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import aiohttp
import pytest

from serendip_client.client import Client
from serendip_client.disconnects import Disconnected
from serendip_client.events import Closed, Left, Matched, Message
from tests.server.trust.moderation.test_service import Kept, client, headers, welcome
from tests.server.trust.screening.spam import TEMPLATES, variants
from tests.support.services import free_port

BAD = "z" * 22
CHATS = 30
pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # the command line is a process that is waited for


async def spread(kept: Kept, bad: Client, lines: list[str], others: str = "c") -> int:
    """They begin a chat with each of these lines, with somebody new each time, until they are closed; in how many they did."""
    for at, line in enumerate(lines):
        async with client(kept, f"{at:02}" + others * 20) as other:
            try:
                await asyncio.gather(other.find([f"ad {at}"]), bad.find([f"ad {at}"]))
                if type(await bad.next(Matched, Closed)) is Closed:
                    return at
                await other.next(Matched)
                await bad.say(line)
            except Disconnected:
                return at
            await other.next(Message, Left)
    return len(lines)


async def test_who_spreads_an_advert_is_paused_with_a_case_and_an_appeal(tmp_path: Path) -> None:
    kept = await asyncio.to_thread(Kept, tmp_path)
    try:
        async with client(kept, BAD) as bad:
            said = await spread(kept, bad, variants(TEMPLATES[0], CHATS, random.Random(1)))
            assert said >= 12
            if said == CHATS:  # they were faster than the store
                assert (await bad.next(Closed)).code == 4003
        knock = f"{kept.server.url}ws"
        async with aiohttp.ClientSession() as http, http.ws_connect(knock, headers=headers(BAD)) as socket:
            frame = await socket.receive_json()
        assert (frame["code"], frame["rule"], frame["by"]) == ("banned", "R5", "machine")
        status, page = await kept.get(frame["appeal"])
        assert status == 200
        assert "began alike, with a link or a contact" in page
        assert "No program decided it" not in page
        assert "Your appeal is here" in (await kept.post(frame["appeal"], "it was my brother"))[1]
        (case,) = json.loads(await asyncio.to_thread(kept.run, "cases", "--json"))
        assert (case["queue"], case["reasons"], case["reports"]) == ("machine", ["repeat"], 0)
        shown = await asyncio.to_thread(kept.run, "show", case["id"])
        assert "a program did at once: pause R5" in shown
        assert "repeat in 1" in shown
        await asyncio.to_thread(kept.run, "decide", case["id"], "--measure", "none")
        await welcome(kept, BAD)
    finally:
        await asyncio.to_thread(kept.server.stop)


async def test_where_nobody_reads_reports_nobody_is_paused_and_it_is_counted(tmp_path: Path) -> None:
    port = free_port()
    kept = await asyncio.to_thread(
        lambda: Kept(
            tmp_path,
            SERENDIP_SAFETY__MODERATED="false",
            SERENDIP_METRICS__ENABLED="true",
            SERENDIP_METRICS__PORT=str(port),
        )
    )
    try:
        async with client(kept, BAD) as bad, aiohttp.ClientSession() as http, asyncio.timeout(60):
            assert await spread(kept, bad, [TEMPLATES[0]] * 14) == 14
            left_out = 0.0
            while not left_out:
                async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    lines = (await answer.text()).split("\n")
                left_out = sum(
                    float(line.split()[-1]) for line in lines if line.startswith("serendip_measures_unattended_total")
                )
            assert await spread(kept, bad, ["hello"], "e") == 1
        assert json.loads(await asyncio.to_thread(kept.run, "cases", "--json")) == []
    finally:
        await asyncio.to_thread(kept.server.stop)


async def test_who_asks_somebody_of_14_for_secrecy_is_out_for_a_day_with_an_urgent_case(tmp_path: Path) -> None:
    kept = await asyncio.to_thread(lambda: Kept(tmp_path))
    try:
        async with client(kept, BAD) as bad, client(kept, "d" * 22) as young:
            await asyncio.gather(young.find(["school"]), bad.find(["school"]))
            await asyncio.gather(young.next(Matched), bad.next(Matched))
            await bad.say("dont tell your parents about us")
            await young.next(Message)
            await young.say("im 14")
            await bad.next(Closed)
        knock = f"{kept.server.url}ws"
        async with aiohttp.ClientSession() as http, http.ws_connect(knock, headers=headers(BAD)) as socket:
            frame = await socket.receive_json()
        assert (frame["code"], frame["rule"], frame["by"]) == ("banned", "R7", "machine")
        (case,) = json.loads(await asyncio.to_thread(kept.run, "cases", "--json"))
        assert (case["queue"], case["reasons"]) == ("urgent", ["groom"])
        assert "dont tell your parents" in await asyncio.to_thread(kept.run, "show", case["id"])
    finally:
        await asyncio.to_thread(kept.server.stop)
