"""Programs, pictures and college checks whose requests come to any of several hosts, as behind a balancer that knows nothing of them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from serendip_client import Client, Matched, Shown
from server.fleet.frontend.remote_pictures import unpacked
from server.fleet.rpc.rpc_client import RpcClient
from server.fleet.rpc.rpc_envelope import Kind
from server.fleet.rpc.rpc_seal import Seal
from server.http.request.forms import BODY_MAX as BODY
from server.ops.security import secret_keys
from server.trust.pictures.picture_process_codec import BODY_MAX
from tests.server.fleet.cluster.test_together import hears, hosts, server_address, stands
from tests.server.fleet.nats.test_nats_bus import started
from tests.server.main.processes.test_process_group import Several
from tests.server.site.college.conftest import Box, Browser, Post, code_of, link_of
from tests.server.site.omegle.conftest import Caller
from tests.server.site.omegle.reading import Read, python_omegle, read
from tests.server.site.omegle.test_picture_uploads import still, upload
from tests.server.trust.pictures.running import harmless, own
from tests.server.trust.pictures.test_routes import ANSWER, OFFER, Person, looked_at
from tests.support import scenes, services

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs servers and waits for them
__all__ = ["read"]
PATIENCE = 120  # seconds: a bound, not a measure; the program that judges is served after all others
OPEN = {"SERENDIP_LIMITS__ENABLED": "false", "SERENDIP_OMEGLE__HOLD": "30", "SERENDIP_SERVER__DRAIN": "3"}


class Balanced:
    """What a balancer makes of several hosts for one client: each request goes to the next. A part of `aiohttp.ClientSession`."""

    def __init__(self, sessions: list[aiohttp.ClientSession]) -> None:
        self.sessions, self.turn = sessions, 0

    def post(self, path: str, **kw: Any) -> Any:
        self.turn += 1
        return self.sessions[self.turn % len(self.sessions)].post(path, **kw)


class Two:
    """Two hosts that hear each other."""

    def __init__(self, here: Several, there: Several) -> None:
        self.here, self.there = here, there
        self.sessions = [aiohttp.ClientSession(f"http://127.0.0.1:{server.port}/") for server in (here, there)]
        self.web = Balanced(self.sessions)

    def caller(self) -> Caller:
        """A program whose requests go to both in turn, the first to `there`."""
        return Caller(Balanced(self.sessions))  # type: ignore[arg-type]  # all that it uses


@asynccontextmanager
async def both(folder: Path, **more: str) -> AsyncIterator[Two]:
    """They run. `more`: settings of both."""
    async with started() as nats, hosts(folder, nats, 2, **OPEN, **more) as (here, there):
        await hears(here, there)
        await hears(there, here)
        two = Two(here, there)
        try:
            yield two
        finally:
            for session in two.sessions:
                await session.close()


async def counted(server: Several, name: str, *labels: str) -> None:
    """Wait until a host counted one."""
    async with asyncio.timeout(PATIENCE):
        while not await metric(server, name, *labels):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def metric(server: Several, name: str, *labels: str) -> float:
    """Of a host, all series with these labels together."""
    port = server.events("metrics.ready")[-1]["port"]
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if line.startswith(name) and all(f'"{label}"' in line for label in labels)
    )


async def passing(server: Several, count: int) -> None:
    """Wait until so many requests are passed on by a host."""
    async with asyncio.timeout(20):
        while await metric(server, "serendip_http_passing") != count:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


async def meet(two: Two, topic: str) -> tuple[Caller, Caller]:
    """Two programs in a chat, both of the host `here`, which speak to both hosts from then on."""
    callers = Caller(two.sessions[0]), Caller(two.sessions[0])
    await callers[0].start(topics=f'["{topic}"]')
    await callers[1].start(topics=f'["{topic}"]')
    for caller in callers:
        if "connected" not in str(caller.first):
            await caller.until("connected")
        caller.web = Balanced(two.sessions)  # type: ignore[assignment]  # all that it uses
    return callers


async def test_programs_talk_whatever_host_their_requests_come_to(tmp_path: Path, read: Read) -> None:
    async with both(tmp_path) as two:
        await talking(two)
        await dropping(two)
        await a_library(two, read)
        assert await metric(two.there, "serendip_http_passing") == 0


async def talking(two: Two) -> None:
    """Two programs, all of whose requests come to both hosts in turn."""
    a, b = await meet(two, "knots")
    for number in range(6):
        assert await a.post("/send", msg=f"line {number}") == "win"
        assert await b.until("gotMessage") == ["gotMessage", f"line {number}"]
    assert await b.post("/typing") == "win"
    assert await a.until("typing") == ["typing"]
    polls = [asyncio.create_task(a.events()) for _ in range(2)]  # one at each host: the newer one ends the older
    done, _ = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
    assert done.pop().result() == []
    assert await metric(two.here, "serendip_omegle_clients") == 2
    b.web = two.sessions[1]
    assert await b.post("/disconnect") == "win"
    assert [found for poll in polls if (found := await poll)] == [[["strangerDisconnected"]]]
    assert await a.events() is None


async def dropping(two: Two) -> None:
    """A held poll that is dropped is a drop over there, and the next one brings what came."""
    a, b = await meet(two, "kites")
    a.web, b.web = two.sessions[1], two.sessions[0]
    poll = asyncio.create_task(a.events())
    await passing(two.there, 1)
    poll.cancel()
    await passing(two.there, 0)
    assert await b.post("/send", msg="are you there?") == "win"
    assert await a.until("gotMessage") == ["gotMessage", "are you there?"]


@asynccontextmanager
async def balancer(two: Two) -> AsyncIterator[Any]:
    """A proxy in front of both that knows nothing of ids: whoever starts comes to `here`, all else to both in turn."""
    turn = itertools.cycle(two.sessions)

    async def forward(request: web.Request) -> web.Response:
        session = two.sessions[0] if request.path == "/start" else next(turn)
        async with session.request(request.method, request.path_qs, data=await request.read()) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()


async def a_library(two: Two, read: Read) -> None:
    """python-omegle, as it comes from its registry, through a balancer."""
    async with balancer(two) as front:
        one = await asyncio.to_thread(read, front, python_omegle.RandomChat(language="hr"))
        await asyncio.to_thread(one.until, "CHAT_WAITING")
        other = await asyncio.to_thread(read, front, python_omegle.RandomChat(language="hr"))
        for reader in (one, other):
            await asyncio.to_thread(reader.until, "CHAT_READY")
        await asyncio.to_thread(one.chat.start_typing)
        await asyncio.to_thread(other.until, "PARTNER_STARTED_TYPING")
        for number in range(4):
            for speaker, hearer in ((one, other), (other, one)):
                await asyncio.to_thread(speaker.chat.send, f"line {number}")
                assert await asyncio.to_thread(hearer.until, "GOT_MESSAGE") == f"line {number}"
        await asyncio.to_thread(other.chat.disconnect)
        await asyncio.to_thread(one.until, "CHAT_ENDED")
        for reader in (one, other):
            await asyncio.to_thread(reader.end)


async def test_a_host_that_dies_is_a_dead_id_and_what_never_was_is_not_passed_on(tmp_path: Path) -> None:
    async with both(tmp_path) as two:
        one, other = two.here, two.there
        a, _ = await meet(two, "moss")
        a.web = two.sessions[1]
        poll = asyncio.create_task(a.events())
        before = await metric(other, "serendip_http_forwarded_total")
        strangers = [Caller(two.sessions[1]) for _ in range(200)]
        for number, stranger in enumerate(strangers):
            stranger.id = f"central1:{number:030}"
        assert set(await asyncio.gather(*[stranger.post("/send", msg="x") for stranger in strangers])) == {"fail"}
        async with two.sessions[1].post("/send", data={"id": a.id, "msg": "x" * BODY}) as answer:
            assert answer.status == 413
        assert await metric(other, "serendip_http_forwarded_total") == before
        for pid in {line["pid"] for line in one.events("process.ready")} | {one.pid}:
            os.kill(pid, signal.SIGKILL)
        assert await poll in ([], None)
        async with asyncio.timeout(20):
            while await a.events() is not None:
                pass
        assert await a.post("/send", msg="x") == "fail"
        assert await a.post("/disconnect") == "win"


async def test_an_upgrade_of_either_host_ends_no_chat(tmp_path: Path) -> None:
    async with both(tmp_path) as two:
        one, other = two.here, two.there
        a, b = await meet(two, "tides")
        a.web, b.web = two.sessions[1], two.sessions[1]
        for server in (one, other):
            node = (await stands(server))["node"]
            polls = [asyncio.create_task(caller.events()) for caller in (a, b)]
            await passing(other, 2)
            said = asyncio.create_task(talk(a, 40))
            assert (await server.upgrade())[0] == 0
            assert (await stands(server))["node"] != node
            heard = [event for poll in polls for event in await poll or []]
            sent = await said
            while len(heard) < len(sent):
                found = await b.events()
                assert found is not None
                heard += [event for event in found if event[0] == "gotMessage"]
            assert [event[1] for event in heard if event[0] == "gotMessage"] == sent


async def talk(caller: Caller, count: int) -> list[str]:
    """Lines that were taken."""
    taken = []
    for number in range(count):
        if await caller.post("/send", msg=f"line {number}") == "win":
            taken.append(f"line {number}")
        await asyncio.sleep(0.05)
    return taken


@pytest.fixture
def box() -> Iterator[Box]:
    """A mail server."""
    box = Box()
    controller = Post(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.port = controller.port
    yield box
    controller.stop()


async def test_a_college_check_is_known_at_both_hosts_and_a_mailbox_gets_one_mail(tmp_path: Path, box: Box) -> None:
    mail = {
        "SERENDIP_MAIL__HOST": "127.0.0.1",
        "SERENDIP_MAIL__PORT": str(box.port),
        "SERENDIP_MAIL__SECURITY": "none",
        "SERENDIP_MAIL__SENDER": "Serendip <hello@chat.example>",
        "SERENDIP_SERVER__PROXIES": "127.0.0.1",
    }
    async with both(tmp_path, **mail) as two:
        one, other = two.here, two.there
        for number in range(4):
            jar = aiohttp.CookieJar(unsafe=True)  # cookies know no ports
            sessions = [
                aiohttp.ClientSession(f"http://127.0.0.1:{server.port}/", cookie_jar=jar) for server in (one, other)
            ]
            browser = Browser(Balanced(sessions), box, f"198.51.100.{number}")  # type: ignore[arg-type]  # all that it uses
            async with sessions[0].get("/") as answer:
                assert answer.status == 200
            text = await browser.mailed(f"a{number}@uio.no")
            if number % 2:
                assert (await browser.ask("code", code=code_of(text)))[0] == 200
            else:
                for session in sessions:
                    async with session.get(link_of(text)) as answer:
                        assert answer.status == 200
                async with sessions[1].post(link_of(text)) as answer:
                    assert answer.status == 200
                assert (await browser.ask("claim"))[0] == 200
            assert [(await browser.ask("mail", address=f"a{number}@uio.no"))[0] for _ in range(2)] == [429, 429]
            for session in sessions:
                await session.close()
        assert (
            await metric(one, "serendip_http_forwarded_total") + await metric(other, "serendip_http_forwarded_total")
            > 4
        )


@pytest.mark.timeout(600)
async def test_pictures_and_logs_are_found_through_the_other_host(tmp_path: Path) -> None:
    with services.postgres() as database, services.s3() as bucket:
        kept = {
            "SERENDIP_STORE__ENABLED": "true",
            "SERENDIP_STORE__URL": database.url("postgres"),
            "SERENDIP_OBJECTS__URL": f"s3://{bucket.bucket}/x",
            "SERENDIP_OBJECTS__ENDPOINT": bucket.endpoint,
            "SERENDIP_OBJECTS__ACCESS_KEY": bucket.access_key,
            "SERENDIP_OBJECTS__SECRET_KEY": bucket.secret_key,
            "SERENDIP_SAFETY__MODERATED": "true",
            "SERENDIP_PICTURES__MEAN": "20",
        }
        async with both(tmp_path, **kept) as two:
            for session in two.sessions:
                await looked_at(session)
            await pictures(two)
            await sent(two)
            await uploads(two)
            await logs(two)


async def pictures(two: Two) -> None:
    """A look at two people of one host, whose pages give their pictures to the other."""
    people = Person(two.sessions[0]), Person(two.sessions[0])
    for person in people:
        person.socket = await person.web.ws_connect("/ws")
        await person.say("find", mode="video", snaps=True, language="gv")
    matched = [await person.hear("matched") for person in people]
    calls, answers = people if matched[0]["offer"] else people[::-1]
    await calls.say("signal", description=OFFER)
    await answers.hear("signal")
    await answers.say("signal", description=ANSWER)
    looks = [await person.hear("snap") for person in people]
    for person in people:
        person.web = two.sessions[1]
    blobs, tile = scenes.jpeg(scenes.strip(scenes.blobs())), scenes.jpeg(scenes.blobs())
    assert await people[0].give(looks[0]["nonce"], "theirs", blobs) == 204
    assert await people[0].give(looks[0]["nonce"], "theirs", blobs) == 404
    assert await people[1].give(looks[1]["nonce"], "mine", tile) == 204
    assert await people[1].give(looks[1]["nonce"], "theirs", harmless()) == 204
    assert await people[0].give(looks[0]["nonce"], "mine", own(), "image/png") == 415
    assert await people[0].hear("veil") == {"type": "veil", "on": True, "why": "nudity"}
    asker = RpcClient(Seal(await asyncio.to_thread(secret_keys.load, two.there.data)), "00000000aa")
    seen: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while sorted(seen) != ["own", "strip", "strip"]:  # who was not judged yet is not shown
            await asyncio.sleep(0.1)  # what asks without a pause keeps the program that judges from its core
            seen = []
            for side in (0, 1):  # as a frontend where one of them writes a report
                asks = orjson.dumps([matched[0]["chat"], side])
                found = unpacked(await asker.ask(server_address(two.here), Kind.LOOKS, asks))
                seen += [one.kind for one in found]
    await counted(two.here, "serendip_snap_agreement_total")  # the last work on them: the next chats find no other
    passed = await metric(two.there, "serendip_http_forwarded_total")
    assert await people[0].give("A" * 22, "theirs", bytes(1000)) == 404
    assert await people[0].give(changed(looks[0]["nonce"]), "mine", bytes(1000)) == 404
    with contextlib.suppress(aiohttp.ClientError):  # it is told, or cut off
        assert await people[0].give(looks[0]["nonce"], "mine", bytes(BODY_MAX + 1)) == 413
    assert await metric(two.there, "serendip_http_forwarded_total") == passed
    for person in people:
        await person.socket.close()


async def sent(two: Two) -> None:
    """Two of two hosts send each other pictures, large ones, whatever host their requests come to, until the chat ends."""
    people = Person(two.sessions[0]), Person(two.sessions[1])
    for person in people:
        person.socket = await person.web.ws_connect("/ws")
        await person.say("find", interests=["sent pictures"], pictures=True, language="gv")
    matched = [await person.hear("matched") for person in people]
    assert all(one["pictures"] for one in matched)
    for person, other in (people, people[::-1]):
        await person.say("pictures", allow=True)
        assert await other.hear("pictures") == {"type": "pictures", "allow": True}
    body, keys = scenes.jpeg(scenes.scene(1, (1280, 960)), 92), []
    assert len(body) > 64 * 1024
    for person, other in (people, people[::-1]):
        for session in two.sessions:
            path = f"/api/picture/{await upload_key(person, f'p{len(keys)}')}"
            async with session.post(path, data=body, headers={"Content-Type": "image/jpeg"}) as answer:
                assert answer.status == 204
            told = await other.hear("picture")
            while told.get("own"):  # of what it sent itself before
                told = await other.hear("picture")
            assert path.endswith(told["key"])
            for reader in two.sessions:
                async with reader.get(path) as answer:
                    assert (answer.status, await answer.read()) == (200, body)
                    assert (answer.headers["Cache-Control"], answer.headers["Content-Disposition"]) == (
                        "no-store",
                        "attachment",
                    )
            keys.append(path)
    asker = RpcClient(Seal(await asyncio.to_thread(secret_keys.load, two.there.data)), "00000000aa")
    asks = [orjson.dumps([matched[0]["chat"], side]) for side in (0, 1)]
    shown = [
        one
        for host in (two.here, two.there)
        for ask in asks
        for one in unpacked(await asker.ask(server_address(host), Kind.LOOKS, ask))
    ]
    assert [(one.kind, one.body == body) for one in shown] == [("sent", True)] * 4, (
        "as a frontend gets them for a report"
    )
    await people[0].say("leave")
    await people[1].hear("left")
    async with asyncio.timeout(20):
        for path in keys:
            for reader in two.sessions:
                while (await reader.get(path)).status != 404:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.05)
    for person in people:
        await person.socket.close()


async def upload_key(person: Person, id: str) -> str:
    """Ask for a key until pictures can be checked: on a busy machine the program that judges may be late with the last one."""
    async with asyncio.timeout(PATIENCE):
        while True:
            await person.say("picture", id=id)
            said = await person.hear("upload", "error")
            if said["type"] == "upload":
                return str(said["key"])
            assert said["code"] == "pictures", said
            await asyncio.sleep(0.2)


def changed(nonce: str) -> str:
    """Another one."""
    return nonce[:9] + ("A" if nonce[9] != "A" else "B") + nonce[10:]


async def uploads(two: Two) -> None:
    """Stills of a program in a call, by its id and by its browser, to the host that does not know it."""
    here = two.sessions[0]
    program = Caller(here)
    async with Client(f"http://127.0.0.1:{two.here.port}/ws".replace("http", "ws"), pictures=nobody) as partner:
        await program.start(topics='["stills"]', webrtc="1", randid="AAAA2222")
        await partner.find(["stills"], mode="video")
        await partner.next(Matched)
        await partner.signal(description=ANSWER)
        await program.until("rtcpeerdescription")
        passed = await metric(two.there, "serendip_http_forwarded_total", "picture", "answered")
        for asked in ({"id": program.id}, {"randid": "AAAA2222"}, {"randid": "BBBB2222"}):
            assert await upload(two.sessions[1], still(), num_frames="2", **asked) == (200, "win")
        # one by its id; whose it is, and then it; whose it is
        assert await metric(two.there, "serendip_http_forwarded_total", "picture", "answered") == passed + 4
        await counted(two.here, "serendip_omegle_uploads_total", "clean")
        await program.post("/disconnect")


async def nobody(_: Any) -> Any:
    """Gives no picture."""
    return Shown()


async def logs(two: Two) -> None:
    """Two chats of a program at two hosts: what it saves is the later one, wherever it asks."""
    for place, word in ((0, "earlier"), (1, "later")):
        one, other = Caller(two.sessions[place]), Caller(two.sessions[place])
        await one.start(topics=f'["{word}"]', randid="CCCC3333")
        await other.start(topics=f'["{word}"]')
        await one.until("connected")
        assert await one.post("/send", msg=f"the {word} one") == "win"
        await other.until("gotMessage")
        await one.post("/disconnect")
    for session in two.sessions:
        log = '[["You:", "my own account"]]'
        async with session.post("/generate", data={"randid": "CCCC3333", "log": log}) as answer:
            found = re.search(r'href="http://[^/]+(/log/[^"]+)"', await answer.text())
        assert found is not None
        async with session.get(found[1], params={"as": "text"}) as answer:
            assert "the later one" in await answer.text()
