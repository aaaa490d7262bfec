"""Which host knows a browser: the one that says the least, where any is below our own; who does not answer says nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from aiohttp import web

from server.http.passing import LATEST, LOG, Away, Gone
from server.omegle.finding import MOST, best


class Hosts:
    """What each says."""

    def __init__(self, **said: str | Exception) -> None:
        self.said = said
        self.asked: list[tuple[str, str, bytes]] = []
        self.others = [*said]

    async def ask(self, _: web.Request, host: str, what: str, body: bytes, *, asks: str) -> web.Response:
        self.asked.append((what, asks, body))
        said = self.said[host]
        if isinstance(said, Exception):
            raise said
        return web.Response(text=said)


async def found(hosts: Hosts, ours: float) -> str | None:
    return await best(cast(Any, hosts), cast(Any, SimpleNamespace()), LOG, b"randid=x", LATEST, ours)


async def test_the_latest_of_all_is_the_one() -> None:
    hosts = Hosts(a="", b="12.5", c="3.25", d=Away(), e=Gone(), f="not a number")
    assert await found(hosts, float("inf")) == "c"
    assert await found(hosts, 3.5) == "c"
    assert await found(hosts, 3.25) is None
    assert hosts.asked[0] == (LOG, LATEST, b"randid=x")


async def test_nobody_is_nobody_and_few_are_asked() -> None:
    assert await found(Hosts(), float("inf")) is None
    assert await found(Hosts(a="", b=Away()), float("inf")) is None
    many = Hosts(**{f"h{n}": "1" for n in range(50)})
    assert await found(many, float("inf")) == "h0"
    assert len(many.asked) == MOST
