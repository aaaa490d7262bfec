"""A real mail server (aiosmtpd) and the real service behind it; browsers are HTTP clients that keep their cookie."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from aiosmtpd.controller import Controller

from tests.server.site.web.servers import Server


class Box:
    """What the mail server took. `refuse`: how many deliveries it turns away first, with this answer."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []
        self.refuse: list[str] = []
        self.port = 0
        self._came = threading.Condition()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        with self._came:
            if self.refuse:
                return self.refuse.pop(0)
            self.mails.append((envelope.rcpt_tos[0], envelope.content.decode()))
            self._came.notify_all()
            return "250 OK"

    def of(self, address: str, seconds: float = 15) -> str:
        """The mail that came for an address; fails where none does."""
        with self._came:
            assert self._came.wait_for(lambda: any(to == address for to, _ in self.mails), seconds)
            return next(text for to, text in self.mails if to == address)


class Post(Controller):
    """A controller that learns its port before it calls itself there, as it does to see that all is well."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A mail server on a free port, in a thread of its own."""
    box = Box()
    controller = Post(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.port = controller.port
    yield box
    controller.stop()


@pytest.fixture(scope="module")
def school(box: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service, with that mail server."""
    server = Server(
        tmp_path_factory.mktemp("college"),
        SERENDIP_MAIL__HOST="127.0.0.1",
        SERENDIP_MAIL__PORT=str(box.port),
        SERENDIP_MAIL__SECURITY="none",
        SERENDIP_MAIL__SENDER="Serendip <hello@chat.example>",
        SERENDIP_LIMITS__ENABLED="false",
        SERENDIP_SERVER__PROXIES="127.0.0.1",
    )
    yield server
    server.stop()


class Browser:
    """A browser that has seen the page, at a network address of its own."""

    def __init__(self, web: aiohttp.ClientSession, box: Box, address: str) -> None:
        self.web = web
        self.box = box
        self.headers = {"X-Forwarded-For": address}
        self.check = ""  # which the page keeps, and gives back

    async def ask(self, path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        sent = fields if path == "mail" else {**fields, "check": self.check}
        async with self.web.post(f"/api/college/{path}", json=sent, headers=self.headers) as answer:
            found = await answer.json()
        self.check = found.get("check", self.check)
        return answer.status, found

    async def mailed(self, address: str) -> str:
        """Ask for a mail, which comes."""
        status, found = await self.ask("mail", address=address)
        assert (status, found["within"]) == (202, 600)
        return await asyncio.to_thread(self.box.of, address)

    async def proved(self, address: str) -> str:
        """The proof of an address."""
        status, found = await self.ask("code", code=code_of(await self.mailed(address)))
        assert status == 200
        return str(found["proof"])


def code_of(mail: str) -> str:
    """The six digits of a mail."""
    return re.search(r"Your code: (\d{6})", mail)[1]  # type: ignore[index]


def link_of(mail: str) -> str:
    """The path of the link in a mail."""
    return re.search(r"http://[^/]+(/college/[\w-]+)", mail)[1]  # type: ignore[index]


@pytest.fixture
async def browsers(school: Server, box: Box) -> AsyncIterator[Any]:
    """Makes browsers."""
    sessions: list[aiohttp.ClientSession] = []

    async def make() -> Browser:
        session = aiohttp.ClientSession(school.url, cookie_jar=aiohttp.CookieJar(unsafe=True))
        sessions.append(session)
        browser = Browser(session, box, f"198.51.100.{len(box.mails) % 200 + len(sessions)}")
        async with session.get("/") as answer:
            assert answer.status == 200
        return browser

    yield make
    for session in sessions:
        await session.close()
