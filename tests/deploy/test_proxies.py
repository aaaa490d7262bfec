"""Behind nginx and Caddy as shipped in `deploy/`: people meet, and nobody can lie about an address or a name."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from playwright.sync_api import sync_playwright

from server.data.privacy.log_scan import scan
from tests.deploy.proxies import NAME, Proxy, caddy, caddy_waits, certificate, nginx
from tests.server.site.web.conftest import ARGUMENTS, CHROMIUM
from tests.server.site.web.servers import Server

# Whoever is asked shows no certificate that anybody else would know.
TRUST = ssl.create_default_context()
TRUST.check_hostname = False
TRUST.verify_mode = ssl.CERT_NONE


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder: Path = tmp_path_factory.mktemp("proxy")
    certificate(folder)
    server = Server(
        folder / "var",
        SERENDIP_SERVER__HOSTS=NAME,
        SERENDIP_SERVER__PROXIES="127.0.0.1/32",
        SERENDIP_LIMITS__CONNECTIONS="2",
    )
    start: Callable[[Path, int], Proxy] = request.param
    running = start(folder, server.port)
    yield running
    running.stop()
    server.stop()


class Here(AbstractResolver):
    """Every name is on loopback."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is held."""


class Person:
    """A client at a loopback address of one's choice, asking by the public name."""

    def __init__(self, proxy: Proxy, address: str, **headers: str) -> None:
        self.url = f"https://{NAME}:{proxy.port}"
        self._sockets: list[socket.socket] = []
        connector = aiohttp.TCPConnector(
            local_addr=(address, 0), ssl=TRUST, resolver=Here(), socket_factory=self._connecting
        )
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        self._session = aiohttp.ClientSession(connector=connector, headers=said)

    async def __aenter__(self) -> "Person":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait for what is closing: a session does not wait for TLS's farewell on the connection of a refused WebSocket,
        and a loop that ends before it leaves the transport to the garbage collector."""
        await self._session.close()
        async with asyncio.timeout(10):
            while any(one.fileno() >= 0 for one in self._sockets):  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)

    def _connecting(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = info
        self._sockets.append(socket.socket(family, kind, protocol))
        return self._sockets[-1]

    async def socket(self, origin: str | None = None, *, autoping: bool = True) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket through the proxy, as a page of `origin` (the public name unless told) would open it."""
        return await self._session.ws_connect(
            f"{self.url}/ws", headers={"Origin": origin or self.url}, autoping=autoping
        )

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        """The answer to a GET, its body read."""
        async with self._session.get(f"{self.url}{path}", headers=headers) as answer:
            await answer.read()
            return answer

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to a POST."""
        async with self._session.post(f"{self.url}{path}", data=body) as answer:
            return answer.status, await answer.read()


async def heard(source: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next frame of a kind."""
    while True:
        frame: dict[str, Any] = await source.receive_json(timeout=10)
        if frame["type"] == kind:
            return frame


async def test_two_people_meet_talk_and_part_through_the_proxy(proxy: Proxy) -> None:
    async with Person(proxy, "127.9.0.1") as one, Person(proxy, "127.9.0.2") as two:
        a, b = await one.socket(), await two.socket()
        for side in (a, b):
            await side.send_json({"type": "find", "interests": ["sailing"]})
        assert (await heard(a, "matched"))["common"] == ["sailing"]
        await heard(b, "matched")
        await a.send_json({"type": "message", "text": "hello"})
        assert (await heard(b, "message"))["text"] == "hello"
        await a.close()
        assert (await heard(b, "left"))["by"] == "stranger"
        await b.close()


@pytest.mark.blocking  # waits for the proxy's program
async def test_a_chat_goes_on_when_the_proxy_reloads_its_configuration(
    proxy: Proxy, request: pytest.FixtureRequest
) -> None:
    if "caddy" in request.node.name and not caddy_waits():
        pytest.skip("this Caddy cannot be told to leave WebSockets open: 2.7 or later")
    async with Person(proxy, "127.9.8.1") as one, Person(proxy, "127.9.8.2") as two:
        a, b = await one.socket(), await two.socket()
        for side in (a, b):
            await side.send_json({"type": "find", "interests": ["reloads"]})
            await heard(side, "waiting" if side is a else "matched")
        await heard(a, "matched")
        for number in range(2):
            await asyncio.to_thread(proxy.reload)
            await a.send_json({"type": "message", "text": f"after {number}"})
            assert (await heard(b, "message"))["text"] == f"after {number}"
            await b.send_json({"type": "message", "text": f"me too {number}"})
            assert (await heard(a, "message"))["text"] == f"me too {number}"
        assert (await one.get("/healthz")).status == 200
        await a.close()
        await heard(b, "left")
        await b.close()


def test_a_browser_is_offered_one_connection_for_the_many_files_of_the_page(proxy: Proxy) -> None:
    offers = ssl.create_default_context()
    offers.check_hostname, offers.verify_mode = False, ssl.CERT_NONE
    offers.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as plain,
        offers.wrap_socket(plain, server_hostname=NAME) as tls,
    ):
        assert tls.selected_alpn_protocol() == "h2"


def test_what_the_server_does_not_compress_is_compressed_by_zstd_where_the_proxy_can(
    proxy: Proxy, request: pytest.FixtureRequest
) -> None:
    asked = HTTPSConnection(NAME, proxy.port)
    plain = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
    asked.sock = TRUST.wrap_socket(plain, server_hostname=NAME)  # the name is in no DNS
    asked.request("GET", "/rules", headers={"Accept-Encoding": "zstd"})
    answer = asked.getresponse()
    body = answer.read()
    asked.close()
    assert answer.status == 200
    if "[caddy]" in request.node.name:
        assert answer.headers["Content-Encoding"] == "zstd"
        assert body.startswith(b"\x28\xb5\x2f\xfd")  # a frame of RFC 8878
    else:
        assert answer.headers["Content-Encoding"] is None


async def test_who_lies_about_the_address_is_counted_at_the_true_one(proxy: Proxy) -> None:
    async with Person(proxy, "127.9.1.1") as person, Person(proxy, "127.9.1.2") as other:
        held = [await person.socket(), await person.socket()]
        for lie in ("198.51.100.2", "198.51.100.3, 127.0.0.1", "127.0.0.1", "nonsense"):
            async with Person(proxy, "127.9.1.1", X_Forwarded_For=lie) as liar:
                with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                    await liar.socket()
                assert caught.value.status == 429
        held.append(await other.socket())
        for one in held:
            await one.close()


async def test_the_page_comes_with_a_host_bound_secure_cookie(proxy: Proxy) -> None:
    async with Person(proxy, "127.9.2.1") as person:
        answer = await person.get("/")
    assert answer.status == 200
    (cookie,) = answer.headers.getall("Set-Cookie")
    assert cookie.startswith("__Host-id=")
    assert "; Secure" in cookie
    assert "max-age=" in answer.headers["Strict-Transport-Security"]


def test_a_browser_with_a_cookie_of_the_whole_domain_gets_an_identity_of_its_own(proxy: Proxy) -> None:
    tossed = "AttackerAttacker123456"
    with sync_playwright() as playwright:
        rule = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, rule])
        context = chromium.new_context(ignore_https_errors=True)
        context.add_cookies([{"name": "id", "value": tossed, "domain": f".{NAME}", "path": "/"}])
        page = context.new_page()
        page.goto(f"https://{NAME}:{proxy.port}/")
        held = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
        page.goto(f"https://{NAME}:{proxy.port}/")
        again = {cookie["name"]: cookie["value"] for cookie in context.cookies()}
        chromium.close()
    assert held["id"] == tossed
    assert held["__Host-id"] != tossed
    assert again["__Host-id"] == held["__Host-id"]


async def test_a_foreign_name_or_origin_is_not_answered(proxy: Proxy) -> None:
    async with Person(proxy, "127.9.3.1") as person:
        # nginx passes a foreign Host on, and it is not answered; Caddy has no site of that name: an empty answer of its own
        foreign = await person.get("/", Host="evil.example")
        assert foreign.status == 421 or "Set-Cookie" not in foreign.headers
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await person.socket("https://evil.example")
        assert caught.value.status == 403


async def test_a_head_that_the_server_takes_goes_through_whole(proxy: Proxy) -> None:
    """The server takes 16 KiB; what the proxy adds needs a little of it."""
    async with Person(proxy, "127.9.4.2") as person:
        assert (await person.get("/healthz", **{"X-Long": "x" * 15_000})).status == 200
        assert (await person.get("/healthz", **{"X-Long": "x" * 40_000})).status in {400, 431}


async def test_many_requests_in_a_row_are_all_answered(proxy: Proxy) -> None:
    async with Person(proxy, "127.9.4.1") as person:
        assert {(await person.get("/healthz")).status for _ in range(200)} == {200}


@pytest.mark.timeout(90)
async def test_a_still_of_an_omegle_program_goes_through_and_a_large_form_does_not(proxy: Proxy) -> None:
    async with Person(proxy, "127.9.5.9") as one:
        assert await one.post("/upload?randid=ABCDEFGH", b"x" * 128 * 1024) == (200, b"win")
        assert (await one.post("/send", b"x" * 128 * 1024))[0] in {413, 502}  # Caddy 2.6 says the latter


async def test_who_is_silent_is_asked_through_the_proxy_and_stays(proxy: Proxy) -> None:
    async with Person(proxy, "127.9.6.1") as person:
        silent = await person.socket(autoping=False)
        assert (await silent.receive_json(timeout=10))["type"] == "hello"
        asked = await silent.receive(
            timeout=60
        )  # the server asks after 25 s; a proxy that is impatient has hung up by then
        assert asked.type is aiohttp.WSMsgType.PING
        await silent.pong(asked.data)
        await silent.send_json({"type": "ping"})
        await heard(silent, "pong")
        await silent.close()


async def test_no_log_of_the_proxy_holds_a_query(proxy: Proxy) -> None:
    async with Person(proxy, "127.9.5.1") as person:
        await person.get("/healthz?topics=secret-words")
    assert "secret-words" not in proxy.log.read_text()


@pytest.mark.parametrize("start", [nginx, caddy], ids=["nginx", "caddy"])
async def test_no_log_of_the_proxy_holds_a_secret_address_whether_the_server_answers_or_not(
    start: Callable[[Path, int], Proxy], tmp_path: Path
) -> None:
    secret = "Q7bF3xw9ZkT1mVh2LrYs4A"
    kinds = ("log", "log/delete", "log/remove", "LOG", "report", "appeal", "notice", "college")
    paths = [*(f"/{kind}/{secret}" for kind in kinds), f"/log/{secret}/remove", f"/log/{secret}/notice"]
    await asyncio.to_thread(certificate, tmp_path)
    server = await asyncio.to_thread(
        Server, tmp_path / "var", SERENDIP_SERVER__HOSTS=NAME, SERENDIP_SERVER__PROXIES="127.0.0.1/32"
    )
    running = await asyncio.to_thread(start, tmp_path, server.port)
    try:
        async with Person(running, "127.9.7.1") as person:
            assert {(await person.get(path)).status for path in paths} <= {200, 404}
            await asyncio.to_thread(server.stop)
            assert {(await person.get(path)).status for path in paths} == {502}
    finally:
        await asyncio.to_thread(running.stop)
    logs = [
        path for path in await asyncio.to_thread(lambda: list(tmp_path.glob("*.log"))) if path.name != "server.ops.log"
    ]
    assert logs
    for path in logs:
        assert await asyncio.to_thread(lambda path=path: list(scan(path))) == []  # type: ignore[misc]
        text = await asyncio.to_thread(path.read_text)
        assert secret not in text
        assert start is nginx or "127.9.7.1" not in text  # nginx's ends after 14 days, Caddy's when the operator says
