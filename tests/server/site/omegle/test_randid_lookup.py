"""Which host knows a browser: the one that says the least, where any is below our own; who does not answer says nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import web

from server.http.request.host_forwarding import LATEST, LOG, Away, Gone
from server.site.omegle.randid_lookup import MOST, find_host


class Hosts:
    """What each says."""

    def __init__(self, **said: str | Exception) -> None:
        self.said = said
        self.asked: list[tuple[str, str, bytes]] = []
        self.others = [*said]
        self.late = ""

    async def ask(self, _: web.Request, host: str, what: str, body: bytes, *, asks: str) -> web.Response:
        self.asked.append((what, asks, body))
        said = self.said[host]
        if host == self.late:  # it says how long that is ago, when it comes to it
            await asyncio.sleep(0.05)
            return web.Response(text=str(asyncio.get_running_loop().time() - float(str(said))))
        if isinstance(said, Exception):
            raise said
        return web.Response(text=said)


async def found(hosts: Hosts, ours: float) -> str | None:
    return await find_host(cast(Any, hosts), cast(Any, SimpleNamespace()), LOG, b"randid=x", LATEST, ours)


async def test_the_latest_of_all_is_the_one() -> None:
    hosts = Hosts(a="", b="12.5", c="3.25", d=Away(), e=Gone(), f="not a number")
    assert await found(hosts, float("inf")) == "c"
    assert await found(hosts, 3.5) == "c"
    assert await found(hosts, 3.0) is None
    assert hosts.asked[0] == (LOG, LATEST, b"randid=x")


async def test_nobody_is_nobody_and_few_are_asked() -> None:
    assert await found(Hosts(), float("inf")) is None
    assert await found(Hosts(a="", b=Away()), float("inf")) is None
    many = Hosts(**{f"h{n}": "1" for n in range(50)})
    assert await found(many, float("inf")) in many.others
    assert len(many.asked) == MOST


async def test_what_was_later_is_so_however_long_the_answer_takes() -> None:
    """Theirs was over 1 s before all are asked; as it is said it is older than ours, which was over before, was then."""
    hosts = Hosts(a=str(asyncio.get_running_loop().time() - 1.0))
    hosts.late = "a"
    assert await found(hosts, 1.01) == "a"
    assert await found(hosts, 0.0) is None
