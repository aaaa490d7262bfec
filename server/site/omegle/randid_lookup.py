"""Ask all hosts of the cluster which one knows a browser's `randid` (its random id in Omegle's protocol), for requests without a client id.

**Invariant:** callers limit the rate, and a host that does not answer counts as not knowing the id.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from server.http.request.host_forwarding import Away, Gone, HostForwarding, is_forwarded
from server.http.request.site_services import SERVICES

MOST: Final = 16  # hosts that are asked, at most


def others(request: web.Request) -> HostForwarding | None:
    """Return the forwarding to other hosts; None: no host is to be asked."""
    return None if is_forwarded(request) else request.app[SERVICES].passing


async def find_host(
    passing: HostForwarding, request: web.Request, what: str, body: bytes, asks: str, ours: float
) -> str | None:
    """Return the host that answers the least number, if it is less than `ours`; None if none does.

    The numbers are ages in seconds. Answers may arrive much later than `ours` was measured, so all ages are compared as of now.
    """
    hosts = passing.others[:MOST]
    said = await asyncio.gather(*[_number(passing, request, host, what, body, asks) for host in hosts])
    least, host = min(zip(said, hosts, strict=True), default=(ours, ""))
    return host if least < ours else None


async def _number(passing: HostForwarding, request: web.Request, host: str, what: str, body: bytes, asks: str) -> float:
    clock = asyncio.get_running_loop().time
    begun = clock()
    try:
        answer = await passing.ask(request, host, what, body, asks=asks)
        return float(answer.text or "inf") - (clock() - begun)
    except (Gone, Away, ValueError):
        return float("inf")
