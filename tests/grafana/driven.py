"""People who do one of each thing that boards show, and the count of what they did. Rule: whatever is counted here was seen to happen."""

import asyncio
from collections import Counter
from typing import Any

import aiohttp
import pytest

from tests.grafana.service import PATIENCE, Person
from tests.support import scenes


class Driven:
    """What was done to the server, to be compared with what Prometheus says."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.looked_at = False  # people in video chats are asked for pictures


async def two(http: aiohttp.ClientSession, port: int, driven: Driven, **wish: Any) -> tuple[Person, Person]:
    """Two who find each other."""
    one, _ = await Person.comes(http, port)
    other, _ = await Person.comes(http, port)
    await one.says(type="find", **wish)
    await other.says(type="find", **wish)
    common = (await one.hears("matched"))["common"]
    await other.hears("matched")
    driven.count["matches"] += 1
    driven.count["common"] += len(common)
    driven.count["opened"] += 2
    return one, other


async def talk(http: aiohttp.ClientSession, port: int, driven: Driven) -> None:
    """One of each kind of chat."""
    one, other = await two(http, port, driven, interests=["chess", "tea"], language="en")
    for number in range(5):
        await one.says(type="typing", typing=True)
        await one.says(type="message", text=f"number {number}")
        assert (await other.hears("message"))["text"] == f"number {number}"
        driven.count["messages"] += 1
        driven.count["typing"] += 1
    if not driven.count["reports"]:  # one: more would be a surge, and its alert would fire
        await other.says(type="report", reason="spam")
        await other.hears("reported")
        driven.count["reports"] += 1
    await one.says(type="save")
    await one.hears("saved")
    driven.count["saved"] += 1
    await one.says(type="leave")
    await other.hears("left")
    driven.count["ended"] += 1
    async with http.get(f"http://127.0.0.1:{port}/rules") as answer:
        assert answer.status == 200
        driven.count["2xx"] += 1
        driven.count["rules"] += 1
    await one.says(type="nonsense")
    assert (await one.hears("error"))["code"] == "bad_type"
    driven.count["bad_type"] += 1
    await one.leaves()
    await other.leaves()
    driven.count["left 1000"] += 2

    one, other = await two(http, port, driven, mode="video", interests=["film"], snaps=driven.looked_at)
    for part in ({"candidate": None}, {"description": {"type": "answer", "sdp": "v=0\r\n"}}):
        await one.says(type="signal", **part)
        await other.hears("signal")
        driven.count["signals"] += 1
    for person in (one, other) if driven.looked_at else ():
        await shows(http, port, driven, (await person.hears("snap"))["nonce"])
    await one.leaves()
    await other.hears("left")
    await other.leaves()
    driven.count["ended"] += 1
    driven.count["left 1000"] += 2


async def looked_at(http: aiohttp.ClientSession, port: int, driven: Driven) -> None:
    """Wait until pictures are looked at."""
    async with asyncio.timeout(PATIENCE):
        while not driven.looked_at:
            async with http.get(f"http://127.0.0.1:{port}/api/config") as answer:
                driven.looked_at = "pictures" in await answer.json()
            driven.count["2xx"] += 1
            await asyncio.sleep(0.1)


async def shows(http: aiohttp.ClientSession, port: int, driven: Driven, nonce: str) -> None:
    """Give the pictures that were asked for."""
    for kind, picture in (("theirs", scenes.strip(scenes.scene(0))), ("mine", scenes.scene(0))):
        url, body = f"http://127.0.0.1:{port}/api/snap/{nonce}/{kind}", scenes.jpeg(picture)
        async with http.post(url, data=body, headers={"Content-Type": "image/jpeg"}) as answer:
            assert answer.status == 204
        driven.count["2xx"] += 1
    driven.count["pictures"] += 1


async def spy(http: aiohttp.ClientSession, port: int, driven: Driven) -> None:
    """A question and its three."""
    people = [(await Person.comes(http, port))[0] for _ in range(3)]
    driven.count["opened"] += 3
    await people[0].says(type="find", role="spy", question="Is tea better than coffee?")
    for discusser in people[1:]:
        await discusser.says(type="find", role="discuss")
    for person in people:
        await person.hears("matched")
    driven.count["spy matches"] += 1
    await people[1].leaves()
    await people[2].hears("left")
    await people[0].hears("left")
    driven.count["ended"] += 1
    for person in (people[0], people[2]):
        await person.leaves()
    driven.count["left 1000"] += 3


async def trouble(http: aiohttp.ClientSession, port: int, driven: Driven) -> None:
    """What clients and strangers do wrong."""
    one, hello = await Person.comes(http, port)
    one.socket._writer.transport.abort()  # the network goes, without a close
    back, _ = await Person.comes(http, port)
    await back.says(type="resume", token=hello["token"], last=0)
    await back.hears("resumed")
    await back.says(type="ping")
    await back.hears("pong")
    await back.leaves()
    driven.count["opened"] += 2
    driven.count["resumes"] += 1
    driven.count["left 1000"] += 1
    bad, _ = await Person.comes(http, port)
    await bad.socket.send_bytes(b"\0")
    with pytest.raises(ConnectionError):
        await bad.hears("pong")
    driven.count["opened"] += 1
    driven.count["closed 1003"] += 1
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(f"http://127.0.0.1:{port}/ws", headers={"Host": "evil.example"})
    driven.count["host"] += 1
    for path, status in (("/api/status", 200), ("/nowhere", 404)):
        async with http.get(f"http://127.0.0.1:{port}{path}") as answer:
            assert answer.status == status
            driven.count[f"{status // 100}xx"] += 1
