"""Whose a request is that names a browser (`randid`), and no client: all hosts are asked. Rule: who asks for it bounds how often; silence is a no.

Where this host is alone, and of a request that another host asks this way, there is nobody to ask.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from server.http.request.host_forwarding import Away, Gone, Passing, passed
from server.http.request.site_services import SERVICES

MOST: Final = 16  # hosts that are asked


def others(request: web.Request) -> Passing | None:
    """The way to other hosts; None: nobody is to be asked."""
    return None if passed(request) else request.app[SERVICES].passing


async def best(passing: Passing, request: web.Request, what: str, body: bytes, asks: str, ours: float) -> str | None:
    """The host that says the least number, if it is less than `ours`; None: none does.

    A number is seconds that are over: as `ours` holds now, and theirs when they come, which may be much later, all are taken as of now.
    """
    hosts = passing.others[:MOST]
    said = await asyncio.gather(*[_number(passing, request, host, what, body, asks) for host in hosts])
    least, host = min(zip(said, hosts, strict=True), default=(ours, ""))
    return host if least < ours else None


async def _number(passing: Passing, request: web.Request, host: str, what: str, body: bytes, asks: str) -> float:
    clock = asyncio.get_running_loop().time
    begun = clock()
    try:
        answer = await passing.ask(request, host, what, body, asks=asks)
        return float(answer.text or "inf") - (clock() - begun)
    except (Gone, Away, ValueError):
        return float("inf")
