"""Test pictures over HTTP on a real server that judges them: the answers, and the effect on the WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import orjson
import pytest

from server.trust.pictures.picture_process_codec import BODY_MAX
from tests.server.site.web.servers import Server
from tests.server.trust.pictures.running import harmless, own
from tests.support import scenes

pytestmark = [pytest.mark.timeout(300)]  # a server that loads a model
ON = {
    "SERENDIP_SAFETY__MODERATED": "true",
    "SERENDIP_PICTURES__MEAN": "20",
    "SERENDIP_METRICS__ENABLED": "true",
    "SERENDIP_METRICS__PORT": "0",
}
OFFER = {"type": "offer", "sdp": "v=0\r\n"}
ANSWER = {"type": "answer", "sdp": "v=0\r\n"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"), **ON)
    yield server
    server.stop()


class Person:
    """Somebody with a camera, who answers by hand."""

    def __init__(self, web: aiohttp.ClientSession) -> None:
        self.web = web
        self.socket: aiohttp.ClientWebSocketResponse

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(orjson.dumps({"type": kind, **fields}).decode())

    async def hear(self, *kinds: str) -> dict[str, Any]:
        others: list[str] = []
        try:
            async with asyncio.timeout(120):  # all frames together: others keep coming
                while True:
                    frame: dict[str, Any] = orjson.loads(await self.socket.receive_str())
                    if frame["type"] in kinds:
                        return frame
                    others.append(frame["type"])
        except TimeoutError:
            raise AssertionError(f"none of {kinds} came, but {others}") from None

    async def give(self, nonce: str, kind: str, body: bytes, media: str = "image/jpeg") -> int:
        async with self.web.post(f"/api/snap/{nonce}/{kind}", data=body, headers={"Content-Type": media}) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status


Pair = tuple[Person, Person]


@pytest.fixture
async def pair(server: Server) -> AsyncIterator[Pair]:
    """Two in a video chat, once pictures are looked at there."""
    async with aiohttp.ClientSession(server.url) as one, aiohttp.ClientSession(server.url) as two:
        await looked_at(one)
        people = Person(one), Person(two)
        for person in people:
            person.socket = await person.web.ws_connect("/ws")
            await person.say("find", mode="video", snaps=True, language="gv")
        offers = [(await person.hear("matched"))["offer"] for person in people]
        calls, answers = people if offers[0] else people[::-1]
        await calls.say("signal", description=OFFER)
        await answers.hear("signal")
        await answers.say("signal", description=ANSWER)
        yield people
        for person in people:
            await person.socket.close()


async def looked_at(web: aiohttp.ClientSession) -> None:
    """Wait until the program that looks is there."""
    async with asyncio.timeout(60):
        while True:
            async with web.get("/api/config") as answer:
                if (await answer.json()).get("pictures"):
                    return
            await asyncio.sleep(0.05)


async def test_pictures_of_nudity_veil_and_harmless_ones_take_the_veil_away(pair: Pair) -> None:
    looks = [await person.hear("snap") for person in pair]
    assert [(look["tiles"], look["mine"]) for look in looks] == [(3, True), (3, True)]
    blobs, tile = scenes.jpeg(scenes.strip(scenes.blobs())), scenes.jpeg(scenes.blobs())
    assert await pair[0].give(looks[0]["nonce"], "theirs", blobs) == 204
    assert await pair[1].give(looks[1]["nonce"], "mine", tile) == 204
    assert await pair[1].give(looks[1]["nonce"], "theirs", harmless()) == 204
    assert await pair[0].give(looks[0]["nonce"], "mine", own()) == 204
    assert await pair[0].hear("veil") == {"type": "veil", "on": True, "why": "nudity"}
    for number in range(3):  # the first comes soon, by what was seen; the others at once, by reports
        again = await asyncio.gather(*[person.hear("snap") for person in pair])
        for person, look in zip(pair, again, strict=True):
            assert await person.give(look["nonce"], "theirs", harmless()) == 204
            assert await person.give(look["nonce"], "mine", own()) == 204
        if number < 2:
            await pair[number].say("report", reason="other")
    assert (await pair[0].hear("veil"))["on"] is False


async def test_what_is_no_picture_that_was_asked_for_is_answered_so(pair: Pair) -> None:
    look = (await pair[0].hear("snap"))["nonce"]
    person = pair[0]
    assert await person.give("A" * 22, "theirs", harmless()) == 404
    assert await person.give("%00", "theirs", harmless()) == 404
    assert await person.give(look, "theirs", b"\xff\xd8" + b"\x00" * BODY_MAX) == 413
    assert await person.give(look, "theirs", harmless()) == 404, "it was used"
    assert await person.give(look, "mine", own(), "image/png") == 415
    other = (await pair[1].hear("snap"))["nonce"]
    assert await pair[1].give(other, "mine", harmless()) == 415, "of another size"
    assert await pair[1].give(other, "theirs", harmless()[:200]) == 415
    async with person.web.get(f"/api/snap/{look}/theirs") as answer:
        assert answer.status == 405
    async with person.web.post(f"/api/snap/{look}/else") as answer:
        assert answer.status == 404
