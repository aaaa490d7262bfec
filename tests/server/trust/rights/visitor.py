"""Act as one browser without script: keep the cookie, read a page, send its forms."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from types import TracebackType

import aiohttp

from tests.server.site.web.servers import Server

PLACE = "/privacy/request"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Return its body as text."""
        return self.body.decode()

    @property
    def once(self) -> list[str]:
        """Return the values that are shown once."""
        return re.findall(r'class="once">([^<]+)<', self.text)

    @property
    def token(self) -> str:
        """The page's token."""
        return re.findall(r'name="token" value="([^"]+)"', self.text)[0]

    @property
    def title(self) -> str:
        """The heading."""
        return re.findall(r"<h1>(.*?)</h1>", self.text)[0]


class Visitor:
    """A browser. `cookie`: the identity cookie's value; None for a new one, empty for none. `proof`: a key that its forms carry."""

    def __init__(self, server: Server, cookie: str | None = None, proof: str = "", language: str = "en") -> None:
        self._base = server.url.rstrip("/")
        self.cookie = secrets.token_urlsafe(16) if cookie is None else cookie
        self.proof = proof
        self._headers = {"Accept-Language": language, "Accept": "text/html"}
        if self.cookie:
            self._headers["Cookie"] = f"id={self.cookie}"

    async def __aenter__(self) -> Visitor:
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def get(self, path: str = "", **headers: str) -> Answer:
        """Request a page below `/privacy/request`, or another one by its whole path."""
        async with self._http.get(self._base + _path(path), headers=headers) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.read())

    async def send(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Answer:
        """Send a form of a fresh page; fields by name, `token` and `proof` too."""
        known = {"token": fields.pop("token", "") or (await self.get()).token, "proof": self.proof} | fields
        async with self._http.post(self._base + _path(path), data=known, headers=headers or {}) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.read())

    async def api(self, proof: str, number: str = "", **body: object) -> Answer:
        """Send a program's request."""
        headers = {"Authorization": f"Bearer {proof}"} if proof else {}
        path = f"{self._base}/api/rights"
        asked = (
            self._http.get(f"{path}/{number}", headers=headers)
            if number
            else self._http.post(path, json=body, headers=headers)
        )
        async with asked as answer:
            return Answer(answer.status, dict(answer.headers), await answer.read())


def _path(path: str) -> str:
    return path if path.startswith("/") else f"{PLACE}/{path}".rstrip("/")
