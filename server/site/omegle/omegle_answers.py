"""Make the HTTP responses of Omegle's protocol.

**Invariant:** pages of every origin may read them, they are never cached, and responses about unknown ids are delayed.
"""

import asyncio
import random

from aiohttp import web

HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
WIN = b"win"
FAIL = b"fail"
NULL = b"null"
SLOW = (1.0, 2.0)  # seconds: many clients repeat a request at once, whatever the response
_spread = random.uniform


def json(body: bytes) -> web.Response:
    """Return a JSON response."""
    return web.Response(body=body, content_type="application/json", headers=HEADERS)


def text(body: bytes) -> web.Response:
    """Return a plain text response."""
    return web.Response(body=body, content_type="text/plain", headers=HEADERS)


def refused(status: int) -> web.Response:
    """Refuse a request that cannot be read, and close the connection, since its body may still be arriving."""
    response = web.Response(status=status, body=b"{}", content_type="application/json", headers=HEADERS)
    response.force_close()
    return response


async def slowly(response: web.Response) -> web.Response:
    """Return a response after a delay, against clients that guess ids, poll ended ones, or were refused."""
    await asyncio.sleep(_spread(*SLOW))
    return response
