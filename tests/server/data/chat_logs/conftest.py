"""A real server that keeps, and two people who met on it. Rule: one server for this folder; each test makes its own chat."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import aiohttp
import pytest

from serendip_client.client import Client
from serendip_client.events import Matched, Message, Saved
from tests.server.site.web.servers import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without limits of rate: one address plays everybody."""
    server = Server(tmp_path_factory.mktemp("kept"), SERENDIP_LIMITS__ENABLED="false")
    yield server
    server.stop()


class Pair(NamedTuple):
    """Two people in a chat, and the values of their identity cookies."""

    one: Client
    two: Client
    cookies: tuple[str, str]


@asynccontextmanager
async def talked(server: Server, topic: str, *texts: str) -> AsyncIterator[Pair]:
    """Two new people (the same two would not meet again) who share a topic and said these lines in turn."""
    url = f"ws://127.0.0.1:{server.port}/ws"
    a, b = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    async with Client(url, headers={"Cookie": f"id={a}"}) as one, Client(url, headers={"Cookie": f"id={b}"}) as two:
        await asyncio.gather(one.find([topic]), two.find([topic]))
        await asyncio.gather(one.next(Matched), two.next(Matched))
        for index, text in enumerate(texts):
            speaker, hearer = (one, two) if index % 2 == 0 else (two, one)
            await speaker.say(text)
            await hearer.next(Message)
        yield Pair(one, two, (a, b))


async def save(who: Client) -> Saved:
    """Save, and wait for the links."""
    await who.save()
    saved: Saved = await who.next(Saved)
    return saved


async def get(server: Server, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """(status, body, headers) of a GET."""
    async with aiohttp.ClientSession() as http, http.get(server.url.rstrip("/") + path, headers=headers) as answer:
        return answer.status, await answer.text(), dict(answer.headers)


async def post(server: Server, path: str, **headers: str) -> tuple[int, str]:
    """(status, body) of a POST."""
    async with aiohttp.ClientSession() as http, http.post(server.url.rstrip("/") + path, headers=headers) as answer:
        return answer.status, await answer.text()
