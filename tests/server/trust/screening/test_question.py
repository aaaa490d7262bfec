"""The question of a spy is looked at as a line is, on a real server: both who discuss it are warned."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from serendip_client.client import Client
from serendip_client.events import Matched, Tip
from tests.server.site.web.servers import Server

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(60)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, SERENDIP_STORE__ENABLED="false")
    yield made
    made.stop()


async def test_both_who_discuss_it_are_warned_of_a_question(server: Server) -> None:
    url = f"ws://127.0.0.1:{server.port}/ws"
    async with Client(url) as spy, Client(url) as one, Client(url) as two:
        await spy.find(role="spy", question="will you write to my snap pills_4_u?")
        await asyncio.gather(one.find(role="discuss"), two.find(role="discuss"))
        await asyncio.gather(*(each.next(Matched) for each in (spy, one, two)))
        for each in (one, two):
            tip = await each.next(Tip)
            assert (tip.kind, tip.seq) == ("contact", 0)
