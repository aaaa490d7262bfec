"""Run a console over a store with the test's clock, and moderators at browsers.

Browsers here are HTTP clients that keep one cookie; real ones are in `page/`.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import update

from server.data.database.key_fingerprints import KeyFingerprints
from server.data.schema.console_schema import operator
from server.data.store.store_runner import Parts
from server.ops.config.settings import Settings
from server.trust.console.console_app import SIGNING, build
from server.trust.moderators.approvals import HOUR, Approvals
from server.trust.moderators.console_sessions import COOKIE, Sessions
from server.trust.moderators.live_operations import LiveOperations
from server.trust.moderators.moderator_accounts import PATH, Accounts
from tests.server.data.conftest import Kit, kit, object_settings, url
from tests.server.trust.console.authenticator import Authenticator

__all__ = ["kit", "object_settings", "url"]

ORIGIN = "http://localhost:9466"
OPTIONS = re.compile(r'data-options="([^"]*)"')
TOKEN = re.compile(r'name="token" value="([^"]*)"')


@dataclass
class Answer:
    """A response."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def options(self) -> str:
        """Return the passkey options of the page."""
        return html.unescape(OPTIONS.findall(self.text)[0])

    @property
    def token(self) -> str:
        """Return the token of its forms."""
        return TOKEN.findall(self.text)[0]

    @property
    def to(self) -> str:
        """Return the redirect's target."""
        return self.headers["Location"]


@dataclass
class Person:
    """A moderator at a browser. `headers`: sent with each request."""

    console: Console
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Host": "localhost:9466", "Origin": ORIGIN})

    async def ask(
        self, method: str, path: str, data: dict[str, object] | list[tuple[str, str]] | None = None, **headers: str
    ) -> Answer:
        """Send one request; redirects are not followed, the cookie is kept."""
        sent = {**self.headers, **headers}
        if self.cookie:
            sent["Cookie"] = f"{COOKIE}={self.cookie}"
        async with self.console.client.request(method, path, data=data, headers=sent, allow_redirects=False) as answer:
            if COOKIE in answer.cookies:
                self.cookie = answer.cookies[COOKIE].value
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    async def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return await self.ask("GET", path, **headers)

    async def post(self, path: str, *, token: str | None = None, **data: object) -> Answer:
        """Send a POST, with this session's token unless another is given."""
        return await self.ask("POST", path, {"token": self.token if token is None else token, **data})

    @property
    def token(self) -> str:
        """Return this session's token."""
        return self.console.token(self.cookie)


class Console:
    """The application over a kit. `client`: of its port; `now` is the kit's."""

    def __init__(self, kit: Kit, live: LiveOperations | None = None) -> None:
        self.kit = kit
        self._live = live
        clock = lambda: self.kit.now  # noqa: E731
        self.accounts = Accounts(kit.database, kit.pseudonyms, clock)
        self.sessions = Sessions(kit.database, kit.pseudonyms, clock)
        self.approvals = Approvals(kit.database, self.accounts, wait=24 * HOUR, clock=clock)
        self.client: TestClient  # type: ignore[type-arg]
        self._tokens: dict[str, str] = {}

    async def start(self) -> None:
        """Serve."""
        parts = Parts(
            self.kit.database,
            self.kit.objects,
            self.kit.pseudonyms,
            self.kit.logs,
            KeyFingerprints.__new__(KeyFingerprints),
        )
        app = await asyncio.to_thread(
            build, parts, Settings(data=self.kit.data), ORIGIN, lambda request: request.headers.get("X-Test-Address", "192.0.2.1"),
            lambda: self.kit.now, live=self._live,
        )  # fmt: skip
        self._signing = app[SIGNING]
        self.client = TestClient(TestServer(app))
        await self.client.start_server()

    @property
    def results(self) -> dict[str, float]:
        """Return the counts of sign-ins by result."""
        found = self._signing.reading()["serendip_console_signins"]
        assert isinstance(found, Mapping)
        return {label: count for (label,), count in found.items() if isinstance(count, int)}

    def token(self, cookie: str) -> str:
        """Return the token of this session's forms."""
        return self._tokens.get(cookie, "")

    async def enrolled(self, name: str, *roles: str, new: bool = False) -> Authenticator:
        """Make an account with a passkey, without a browser; a day old unless it is `new`."""
        key = Authenticator()
        person = Person(self)
        path = await self.accounts.invite(name, roles, "test")
        page = await person.get(path)
        answer = await person.ask("POST", path, {"passkey": key.create(page.options)})
        assert answer.status == 303, answer.text
        if not new:
            async with self.kit.database.write() as connection:
                await connection.execute(update(operator).where(operator.c.name == name).values(changed=None))
        return key

    async def person(self, name: str, *roles: str) -> Person:
        """Return a moderator with these roles, signed in a moment ago."""
        await self.enrolled(name, *roles)
        return await self.again(name)

    async def again(self, name: str) -> Person:
        """Return the same moderator, signed in now."""
        person = Person(self, await self.sessions.begin(name))
        session = await self.sessions.find(person.cookie)
        assert session is not None
        self._tokens[person.cookie] = session.token
        return person


@pytest.fixture
def live() -> LiveOperations | None:
    """Return the orders about what runs now; None: beside a server."""
    return None


@pytest_asyncio.fixture
async def console(kit: Kit, live: LiveOperations | None) -> AsyncIterator[Console]:
    """A console on a port."""
    made = Console(kit, live)
    await made.start()
    yield made
    await made.client.close()


def link_of(path: str) -> str:
    """Return the secret of an invitation."""
    return path.removeprefix(PATH)
