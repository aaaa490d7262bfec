"""Answers of this adapter. Rule: readable from every site's pages, never kept, and slow where a client asks for what is not there."""

import asyncio
import random

from aiohttp import web

HEADERS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
WIN = b"win"
FAIL = b"fail"
NULL = b"null"
SLOW = (1.0, 2.0)  # seconds: many clients ask again at once, whatever the answer was
_spread = random.uniform


def json(body: bytes) -> web.Response:
    """A JSON answer."""
    return web.Response(body=body, content_type="application/json", headers=HEADERS)


def text(body: bytes) -> web.Response:
    """A word."""
    return web.Response(body=body, content_type="text/plain", headers=HEADERS)


def refused(status: int) -> web.Response:
    """A request that could not be read: the connection ends, since its body may still be coming."""
    response = web.Response(status=status, body=b"{}", content_type="application/json", headers=HEADERS)
    response.force_close()
    return response


async def slowly(response: web.Response) -> web.Response:
    """The answer to who guesses, polls the dead, or was refused."""
    await asyncio.sleep(_spread(*SLOW))
    return response
