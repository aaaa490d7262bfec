"""Requests for another host: passed on once, with what is to be known of who asked, and bounded; what becomes of them where that host is ill."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from server.fleet.cluster import http_proxy
from server.fleet.cluster.http_proxy import AT_ONCE, PAGES_MAX
from server.fleet.cluster.membership import Host
from server.http.request.counted_connections import PASSED_ON
from server.http.request.host_forwarding import ASKS, RELEASE, forwarded_header
from server.ops.config.cluster_settings import split
from server.ops.security import routable_ids, secret_keys
from server.ops.security.secret_keys import Keys
from tests.server.fleet.cluster.passing_hosts import There, browser, hosts, there

pytestmark = pytest.mark.blocking  # reads keys


@pytest.fixture
def secret(tmp_path: Path) -> Keys:
    return secret_keys.load(tmp_path)


async def told(http: aiohttp.ClientSession, url: str, **kw: Any) -> Any:
    async with http.post(url, **kw) as answer:
        return await answer.json()


async def until(holds: Any) -> None:
    async with asyncio.timeout(40):
        while not holds():  # noqa: ASYNC110 - the end of a connection has no event
            await asyncio.sleep(0.01)


async def test_a_request_is_answered_where_its_name_leads_and_who_asked_is_known_there(secret: Keys) -> None:
    async with hosts(secret, 3) as (here, one, other), browser() as http:
        sent = {
            "X-Forwarded-For": "198.51.100.7",
            "X-Forwarded-Proto": "https",
            "Host": "chat.example",
            "Cookie": "id=x",
        }
        for host in (one, other):
            found = await told(http, f"{here.url}/{host.places.letters()}?a=%20b", data=b"words", headers=sent)
            assert (found["sent"], found["passed"]) == ("words", True)
            assert (found["address"], found["base"], found["secure"]) == ("198.51.100.7", "https://chat.example", True)
            assert found["fields"]["Host"] == "chat.example"
            assert found["fields"]["Cookie"] == "id=x"
            assert not [name for name in found["fields"] if name.startswith("X-Forwarded")]
        found = await told(http, f"{here.url}/{here.places.letters()}", headers=sent)
        assert (found["passed"], found["address"]) == (False, "198.51.100.7")
        for _ in range(20):
            await told(http, f"{here.url}/{one.places.letters()}")
        assert (one.arrived, other.arrived) == (1, 1), "a connection is used again, for whoever asks next"
        assert here.proxy.reading()["serendip_http_forwarded"]["omegle", "answered"] == 22  # type: ignore[index]


async def test_what_a_stranger_says_of_itself_is_not_believed(secret: Keys) -> None:
    async with hosts(secret) as (here, other), browser() as http:
        lies = {
            "Serendip-Address": "192.0.2.1",
            "Serendip-Base": "https://elsewhere.example",
            "Serendip-Asks": "release",
        }
        for id in (here.places.letters(), other.places.letters()):
            found = await told(http, f"{here.url}/{id}", headers=lies)
            assert (found["address"], found["secure"]) == ("127.0.0.1", False)
            assert "elsewhere" not in found["base"]


async def test_a_thousand_names_that_nobody_made_cost_no_passing(secret: Keys) -> None:
    async with hosts(secret) as (here, other), browser() as http:
        mine = other.places.letters()
        for number in range(1_000):
            assert await here.proxy.of_id(f"{number:030}") is None
            assert await here.proxy.of_id(mine[:8] + f"{number:022}") is None, "what was drawn is not the host's"
            assert await here.proxy.of_token(f"{number:022}") is None
        found = await told(http, f"{here.url}/central1")
        assert not found["passed"]
        assert (other.asked, other.arrived) == ([], 0)


async def test_what_another_host_passed_on_is_never_passed_again(secret: Keys) -> None:
    async with hosts(secret, 3) as (here, one, other), browser() as http:
        id = other.places.letters()
        here.places._keys[0].hosts = dict.fromkeys(
            here.places._keys[0].hosts, one.address
        )  # it takes everything for one's
        one.places._keys[0].hosts = dict.fromkeys(one.places._keys[0].hosts, here.address)  # which takes it for here's
        found = await told(http, f"{here.url}/{id}")
        assert found["passed"]
        assert (here.asked, one.asked, other.asked) == ([], [id], [])


async def test_a_host_that_is_gone_and_one_that_does_not_answer_are_told_apart(secret: Keys, monkeypatch: Any) -> None:
    monkeypatch.setattr(http_proxy, "WITHIN", 0.3)
    async with hosts(secret) as (here, other), browser() as http:
        id = other.places.letters()

        async def never(_: web.Request, __: bytes) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

        other.answers = never
        assert (await http.post(f"{here.url}/{id}")).status == 503
        await other.port.close()
        assert (await http.post(f"{here.url}/{id}")).status == 503, "it is heard still"
        here.hosts = []
        here.proxy.know()
        assert (await http.post(f"{here.url}/{id}")).status == 404
        passed = here.proxy.reading()["serendip_http_forwarded"]
        assert [passed["omegle", result] for result in ("answered", "away", "gone", "full")] == [0, 2, 1, 0]  # type: ignore[index]
        here.places.forget(float("inf"))
        here.proxy._settled = 0.0
        assert not (await told(http, f"{here.url}/{id}"))["passed"], "nobody's"


async def test_a_host_with_another_secret_gets_no_request(secret: Keys, tmp_path: Path) -> None:
    stranger = There(secret_keys.load(tmp_path / "another"))
    async with hosts(secret) as (here, _), browser() as http:
        await stranger.open()
        here.hosts = there(stranger)
        here.proxy.know()
        own = here.places._keys[0]
        own.hosts = dict.fromkeys([*own.hosts], stranger.address)
        assert (await http.post(f"{here.url}/{here.places.letters()}")).status == 503
        assert stranger.asked == []
        assert stranger.port.refused["mac"] == 1
        await stranger.close()


async def test_of_one_host_so_many_are_under_way_and_no_more(secret: Keys) -> None:
    async with hosts(secret, 3) as (here, ill, well), browser() as http:
        go = asyncio.Event()

        async def waits(request: web.Request, sent: bytes) -> web.StreamResponse:
            await go.wait()
            return await ill.tells(request, sent)

        ill.answers = waits
        asking = [asyncio.create_task(http.post(f"{here.url}/{ill.places.letters()}")) for _ in range(AT_ONCE)]
        await until(lambda: len(ill.asked) == AT_ONCE)
        assert (await http.post(f"{here.url}/{ill.places.letters()}")).status == 503
        assert (await told(http, f"{here.url}/{well.places.letters()}"))["passed"], "another host's are its own"
        assert here.proxy.reading()["serendip_http_passing"] == AT_ONCE
        go.set()
        assert {(await one).status for one in asking} == {200}
        assert here.proxy.reading()["serendip_http_passing"] == 0


async def test_polls_are_counted_apart_and_bounded_too(secret: Keys, monkeypatch: Any) -> None:
    monkeypatch.setattr(http_proxy, "HELD_MAX", 3)
    async with hosts(secret) as (here, other), browser() as http:
        go = asyncio.Event()

        async def waits(request: web.Request, sent: bytes) -> web.StreamResponse:
            if "held" in request.query:
                await go.wait()
            return await other.tells(request, sent)

        other.answers = waits
        polls = [asyncio.create_task(http.post(f"{here.url}/{other.places.letters()}?held=1")) for _ in range(3)]
        await until(lambda: len(other.asked) == 3)
        assert (await http.post(f"{here.url}/{other.places.letters()}?held=1")).status == 503
        assert (await told(http, f"{here.url}/{other.places.letters()}"))["passed"]
        go.set()
        assert {(await one).status for one in polls} == {200}


async def test_an_answer_beyond_any_size_is_none(secret: Keys) -> None:
    async with hosts(secret) as (here, other), browser() as http:

        async def much(_: web.Request, __: bytes) -> web.StreamResponse:
            return web.Response(body=bytes(http_proxy.ANSWER_MAX + 1))

        other.answers = much
        assert (await http.post(f"{here.url}/{other.places.letters()}")).status == 503


async def test_fields_of_an_answer_go_along_and_those_of_its_connection_do_not(secret: Keys) -> None:
    async with hosts(secret) as (here, other), browser() as http:

        async def known(_: web.Request, __: bytes) -> web.StreamResponse:
            answer = web.Response(status=410, text="gone", headers={"Retry-After": "7", "ETag": '"x"'})
            answer.force_close()
            return answer

        other.answers = known
        async with http.post(f"{here.url}/{other.places.letters()}") as answer:
            assert (answer.status, await answer.text()) == (410, "gone")
            assert (answer.headers["Retry-After"], answer.headers["ETag"]) == ("7", '"x"')
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert "Connection" not in answer.headers


class Poll:
    """One that is held over there until it is let go of."""

    def __init__(self, other: There) -> None:
        self.other = other
        self.begun, self.gone, self.go = asyncio.Event(), asyncio.Event(), asyncio.Event()
        other.answers = self.answer

    async def answer(self, request: web.Request, _: bytes) -> web.StreamResponse:
        if forwarded_header(request, ASKS) == RELEASE:
            self.go.set()
            return web.Response(text="[]")
        self.begun.set()
        waits = asyncio.create_task(self.go.wait())
        while not waits.done():
            await asyncio.wait((waits,), timeout=0.02)
            if request.transport is None:
                waits.cancel()
                self.gone.set()
        return web.Response(text="released")


async def test_a_poll_whose_client_goes_is_dropped_over_there_too(secret: Keys, monkeypatch: Any) -> None:
    monkeypatch.setattr(http_proxy, "TICK", 0.05)
    async with hosts(secret) as (here, other), browser() as http:
        poll = Poll(other)
        asking = asyncio.create_task(http.post(f"{here.url}/{other.places.letters()}?held=1"))
        await poll.begun.wait()
        asking.cancel()
        async with asyncio.timeout(40):
            await poll.gone.wait()
        await until(lambda: here.proxy.reading()["serendip_http_passing"] == 0)


async def test_a_poll_is_let_go_of_when_its_client_says_more_or_this_frontend_hands_over(
    secret: Keys, monkeypatch: Any
) -> None:
    monkeypatch.setattr(http_proxy, "TICK", 0.05)
    async with hosts(secret) as (here, other), browser() as http:
        poll = Poll(other)
        reader, writer = await asyncio.open_connection(*split(here.url.removeprefix("http://")))
        head = "POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        writer.write((head % f"{other.places.letters()}?held=1").encode())
        await poll.begun.wait()
        writer.write((head % here.places.letters()).encode())
        async with asyncio.timeout(40):
            assert await reader.readuntil(b"released")
        writer.close()

        poll = Poll(other)
        asking = asyncio.create_task(http.post(f"{here.url}/{other.places.letters()}?held=1"))
        await poll.begun.wait()
        here.door.leave(lambda *_: False)
        async with asyncio.timeout(40):
            assert await (await asking).text() == "released"
        here.door.stay()


async def test_connections_of_other_hosts_go_to_the_frontend_that_follows(secret: Keys) -> None:
    async with hosts(secret, 3) as (here, old, new), browser() as http:
        id = old.places.letters()
        await told(http, f"{here.url}/{id}")
        ways: list[str] = []

        def send(fd: int, where: str, begun: bytes) -> bool:
            ways.append(where)
            new.door.arrive(fd, where, begun)
            return True

        old.door.leave(send)
        await until(lambda: not old.door.open)
        assert ways == [PASSED_ON]
        assert (await told(http, f"{here.url}/{id}"))["passed"], "over the connection that was there"
        assert (old.asked, new.asked, old.arrived) == ([id], [id], 1)


async def test_a_host_is_known_as_long_as_it_is_there_and_a_moment_longer(secret: Keys, monkeypatch: Any) -> None:
    monkeypatch.setattr(http_proxy, "TICK", 0.02)
    monkeypatch.setattr(routable_ids, "REMEMBERED", 0.2)
    async with hosts(secret) as (here, other):
        here.proxy._settled = 0.0
        name, ticks = other.places.letters(), 0
        tick = here.proxy._know

        def counted() -> None:
            nonlocal ticks
            tick()
            ticks += 1

        here.proxy._know = counted  # type: ignore[method-assign]
        await until(lambda: ticks > 20)
        assert await here.proxy.of_id(name) == other.address, "nothing was said of it meanwhile"
        here.hosts = []
        here.proxy.know()
        assert await here.proxy.of_id(name) == other.address
        await until(lambda: here.proxy.others == [])
        assert await here.proxy.of_id(name) is None


async def test_at_the_begin_it_is_waited_for_a_host_that_was_not_heard_yet(secret: Keys) -> None:
    async with hosts(secret) as (here, other), browser() as http:
        here.places.forget(float("inf"))
        here.hosts = []
        here.proxy._settled = asyncio.get_running_loop().time() + 30
        asking = asyncio.create_task(told(http, f"{here.url}/{other.places.letters()}"))
        await until(lambda: here.proxy._waiting)
        here.hosts = there(other)
        here.proxy.know()
        assert (await asking)["passed"]


async def test_who_never_ends_a_body_holds_no_other_host(secret: Keys) -> None:
    async with hosts(secret) as (here, other):
        reader, writer = await asyncio.open_connection(*split(here.url.removeprefix("http://")))
        writer.write(f"POST /{other.places.letters()} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nslow".encode())
        await until(lambda: here.door.open == 1)
        assert here.proxy.reading()["serendip_http_passing"] == 0
        writer.close()
        assert await reader.read() == b""
        assert (other.asked, other.arrived) == ([], 0)


async def test_all_hosts_choose_the_same_one_for_a_key(secret: Keys) -> None:
    async with hosts(secret, 3) as made:
        chosen = [{one.proxy.chosen(bytes([n])) or one.address for one in made} for n in range(60)]
        assert {len(said) for said in chosen} == {1}
        assert len(set.union(*chosen)) == 3
        made[0].hosts = [Host(*one[:3], "draining", *one[4:]) for one in made[0].hosts]
        assert made[0].proxy.chosen(b"any") is None, "nobody begins anything at a host that ends"


async def test_a_version_of_the_page_is_asked_of_a_host_of_another_release_and_not_again_at_once(secret: Keys) -> None:
    async with hosts(secret) as (here, other):
        assert here.proxy.of_page("0123456789abcdef") is None, "they are of one release"
        here.hosts = [one._replace(version="0.0.1") for one in here.hosts]
        assert here.proxy.of_page("0123456789abcdef") == other.address
        here.proxy.unknown_page("0123456789abcdef")
        assert here.proxy.of_page("0123456789abcdef") is None
        for number in range(PAGES_MAX + 1):
            here.proxy.unknown_page(str(number))
        assert len(here.proxy._unknown) == PAGES_MAX
