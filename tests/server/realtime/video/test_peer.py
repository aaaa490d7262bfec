"""Two programs with generated pictures call each other: directly, and through a real coturn with nobody's address in a signal."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from serendip_client import Client
from serendip_client.peer import Call, CallError, Peer
from serendip_client.stills import Stills
from tests.server.realtime.video.metrics import scrape
from tests.server.site.web.servers import Server
from tests.support.services import free_port

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # aiortc's dependencies


@asynccontextmanager
async def called(server: Server, word: str, relay: bool) -> AsyncIterator[tuple[Call, Call]]:
    """Two peers in one call."""
    url = f"ws://127.0.0.1:{server.port}/ws"
    async with Client(url) as one, Client(url) as two:
        made = await asyncio.gather(Peer(one).call(interests=(word,), relay=relay), Peer(two).call(interests=(word,)))
        try:
            yield made[0], made[1]
        finally:
            for call in made:
                await call.close()


@pytest.mark.blocking  # aiortc loads OpenSSL and codecs inside the loop
@pytest.mark.parametrize("relay", [False, True])
async def test_two_peers_see_and_hear_each_other(calls: Server, relay: bool) -> None:
    async with called(calls, f"peers {relay}", relay) as pair:
        for call in pair:
            counts = await call.picture(20)
            assert counts.first_frame >= counts.connected > 0
            print(f"first frame {counts.first_frame - counts.matched:.2f} s after matched, relay {relay}")
        while not all(call.counts.pictures >= 5 and call.counts.sounds >= 5 for call in pair):  # noqa: ASYNC110 - a number of frames has no event
            await asyncio.sleep(0.05)
        assert [call.hidden for call in pair] == [relay, relay]
        if relay:
            for call in pair:
                told = json.dumps(call.heard)
                assert "typ relay" in told
                assert not any(kind in told for kind in ("typ host", "typ srflx", "typ prflx", ".local"))


@pytest.mark.blocking  # as above
async def test_a_call_that_cannot_be_is_told_by_its_step(calls: Server) -> None:
    async with Client(f"ws://127.0.0.1:{calls.port}/ws") as alone:
        with pytest.raises(CallError, match="no partner"):
            await Peer(alone).call(interests=("nobody at all",), within=0.5)


@pytest.mark.blocking  # as above
@pytest.mark.timeout(120)  # a server that loads a model
async def test_peers_with_stills_answer_looks_and_those_without_say_that_they_have_none(tmp_path: Path) -> None:
    port = free_port()
    on = {
        "SERENDIP_SAFETY__MODERATED": "true",
        "SERENDIP_METRICS__ENABLED": "true",
        "SERENDIP_METRICS__PORT": str(port),
    }
    server = Server(tmp_path, **on)

    def counted(what: str) -> float:
        return scrape(port).get(("serendip_snaps_total", what), 0.0)

    async def comes(what: str, count: int) -> None:
        async with asyncio.timeout(60):
            while await asyncio.to_thread(counted, what) < count:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)

    try:
        async with aiohttp.ClientSession(server.url) as web, asyncio.timeout(60):
            while not (await (await web.get("/api/config")).json()).get("pictures"):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.1)
        url = f"ws://127.0.0.1:{server.port}/ws"
        stills = Stills(), Stills()
        async with Client(url, pictures=stills[0]) as one, Client(url, pictures=stills[1]) as two:
            peers = Peer(one, stills=stills[0]), Peer(two, stills=stills[1])
            calls = await asyncio.gather(*[peer.call(interests=("seen",)) for peer in peers])
            await comes("answered", 2)
            for call in calls:
                await call.close()
        assert (counted("nosnap"), counted("missed")) == (0, 0)
        async with called(server, "unseen", relay=False):
            await comes("nosnap", 2)
    finally:
        server.stop()
    assert "nudity" not in server.said
