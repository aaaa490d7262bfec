"""Script the users of the canary test: every kind of chat, every HTTP route, every kind of error, with markers in everything that they send."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.server.data.privacy.drive import PATIENCE, Person
from tests.server.site.college.conftest import Box, code_of
from tests.support import scenes


async def chat(a: Person, b: Person) -> None:
    """Meet by a shared interest, talk, be wrong in every way, report, save, come back, leave."""
    await asyncio.gather(a.connect(), b.connect())
    shared = a.mark("shared")
    await a.say(type="find", interests=[shared, a.mark("private")], pictures=True)
    await b.say(type="find", interests=[shared, b.mark("private")], pictures=True)
    await asyncio.gather(a.hear("matched"), b.hear("matched"))
    await photo(b, a)
    for one, other in ((a, b), (b, a)):
        await one.say(type="typing", typing=True)
        await one.say(type="message", text=one.mark("talk"), id="x")
        await other.hear("message")
        await one.hear("sent")
        for wrong in (
            f'{{"type":"{one.mark("bad")}"}}',
            f'{{"type":"message","text":"{one.mark("bad")}',
            f"{one.mark('bad')}",
            '{"type":"message","text":"\\u0001"}',
        ):
            await one.raw(wrong)
            await one.hear("error")
        await one.say(type="report", reason="spam", note=one.mark("note"))
        one.receipt = (await one.hear("reported"))["receipt"]
    await a.drop()
    await b.hear("partner")
    old = a.token
    a._socket = await a.http.ws_connect(a.base + "/ws")
    await a.say(type="resume", token=old, last=1)
    await a.hear("resumed")
    await a.say(type="save")
    saved = await a.hear("saved")
    a.url, a.delete = saved["url"], saved["delete"]
    await b.say(type="leave")
    await a.hear("left")


async def photo(sender: Person, other: Person) -> None:
    """A picture, which the report stores: its marker stands in the data of the scan."""
    for one, partner in ((sender, other), (other, sender)):
        await one.say(type="pictures", allow=True)
        await partner.hear("pictures")
    await sender.say(type="picture", id="photo")
    url = f"{sender.base}/api/picture/{(await sender.hear('upload'))['key']}"
    body = scenes.jpeg(scenes.scene(0))[:-2] + sender.mark("photo").encode() + b"\xff\xd9"
    async with sender.http.post(url, data=body, headers={"Content-Type": "image/jpeg"}) as answer:
        assert answer.status == 204
    key = (await other.hear("picture"))["key"]
    status, _ = await other.get(f"/api/picture/{key}", f"user:{other.name}")
    assert status == 200


async def spy(asker: Person, one: Person, two: Person) -> None:
    """A question is discussed."""
    for who in (asker, one, two):
        await who.connect()
    await asker.say(type="find", role="spy", question=f"What about {asker.mark('question')}?")
    await one.say(type="find", role="discuss")
    await two.say(type="find", role="discuss")
    await asyncio.gather(*(who.hear("matched") for who in (asker, one, two)))
    await one.say(type="message", text=one.mark("talk"))
    await asyncio.gather(two.hear("message"), asker.hear("message"))
    await two.say(type="leave")
    await asyncio.gather(one.hear("left"), asker.hear("left"))


async def omegle(a: Person, b: Person) -> None:
    """Two programs by long polling, their markers in the query string."""
    ids = []
    for who in (a, b):
        query = {
            "randid": who.mark("randid"),
            "topics": json.dumps([a.mark("shared"), who.mark("private")]),
            "lang": "en",
            "firstevents": "1",
        }
        async with who.http.post(who.base + "/start", params=query) as answer:
            body = await answer.text()
            who.sinks.put(f"user:{who.name}", body)
            ids.append(json.loads(body)["clientID"])

    async def until(who: Person, ident: str, word: str) -> None:
        while True:
            async with who.http.post(who.base + "/events", data={"id": ident}) as answer:
                body = await answer.text()
            who.sinks.put(f"user:{who.name}", body)
            if word in body:
                return

    async with a.http.post(a.base + "/send", data={"id": ids[0], "msg": a.mark("talk")}):
        pass
    await asyncio.wait_for(until(b, ids[1], "gotMessage"), PATIENCE)
    async with a.http.post(a.base + "/disconnect", data={"id": ids[0]}):
        pass
    await asyncio.wait_for(until(b, ids[1], "strangerDisconnected"), PATIENCE)


async def pages(a: Person, reader: Person) -> None:
    """Everything that answers by HTTP, and every way to be wrong there."""
    for accept in ("text/html", "text/plain", "application/json"):
        status, _ = await reader.get(a.url, "link", Accept=accept)
        assert status == 200
    await reader.get(a.url.replace("/log/", "/log/remove/"), "link")
    async with reader.http.post(reader.base + a.url.replace("/log/", "/log/remove/")) as answer:
        reader.sinks.put("link", await answer.read())
        assert answer.status == 404
    for path in ("/api/status", "/api/config", "/api/privacy", "/privacy", "/healthz", "/readyz", "/rules"):
        status, _ = await reader.get(path, "anyone")
        assert status == 200
    for path in (
        f"/{reader.mark('path')}",
        f"/log/{reader.mark('path')}",
        f"/api/x?q={reader.mark('path')}",
        f"/s/{reader.mark('path')}",
    ):
        status, body = await reader.get(path, "self")
        assert status == 404
        assert reader.mark("path").encode() not in body


def _signals(who: Person) -> list[dict[str, Any]]:
    """An offer and a candidate that name an address of this person's."""
    sdp = f"v=0\r\no=- 1 1 IN IP4 {who.host}\r\ns=-\r\nt=0 0\r\na=ice-ufrag:{who.mark('ufrag')}\r\n"
    candidate = f"candidate:1 1 udp 1 {who.host} 5000 typ host"
    return [{"description": {"type": "offer", "sdp": sdp}}, {"candidate": {"candidate": candidate, "sdpMid": "0"}}]


async def video(a: Person, b: Person, *, hidden: bool) -> None:
    """A call; `hidden`: one of them wants no address to be told, and then none is."""
    await asyncio.gather(a.connect(), b.connect())
    await a.say(type="find", mode="video", relay=hidden)
    await b.say(type="find", mode="video")
    await asyncio.gather(a.hear("matched"), b.hear("matched"))
    for one, other in ((a, b), (b, a)):
        for part in _signals(one):
            await one.say(type="signal", **part)
        await one.say(type="message", text=one.mark("talk"))
        await other.hear("message")
        for wrong in ({"description": {"type": one.mark("bad"), "sdp": one.host}}, {"candidate": one.mark("bad")}):
            await one.say(type="signal", **wrong)
            await one.hear("error")
    await a.say(type="leave")
    await b.hear("left")


async def college(a: Person, b: Person, box: Box) -> None:
    """Two prove their colleges by mail, meet, and one saves the chat."""
    for who in (a, b):
        address = f"{who.mark('mail')}@{who.domain}"
        async with who.http.post(who.base + "/api/college/mail", json={"address": address}) as answer:
            assert answer.status == 202, await answer.text()
        mail = await asyncio.to_thread(box.of, address)
        code = {"code": code_of(mail)}
        async with who.http.post(who.base + "/api/college/code", json=code) as answer:
            who.proof = (await answer.json())["proof"]
        async with who.http.post(who.base + "/api/college/code", json={"code": who.mark("bad")[:16]}) as answer:
            assert answer.status == 410
        await who.connect()
        await who.say(type="find", college="any", proof=who.proof)
    await asyncio.gather(a.hear("matched"), b.hear("matched"))
    await a.say(type="message", text=a.mark("talk"))
    await b.hear("message")
    for who in (a, b):
        await who.say(type="again")
    for who in (a, b):
        who.pair = (await who.hear("pair"))["token"]
    await a.say(type="save")
    saved = await a.hear("saved")
    a.url, a.delete = saved["url"], saved["delete"]
    await b.say(type="leave")
    await a.hear("left")
    await a.say(type="here", pairs=[a.pair])
    await a.hear("here")
    await a.say(type="find", pairs=[a.pair], call=0)  # it could meet b alone, and b has left
    await a.hear("waiting")
