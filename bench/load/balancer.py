"""Pass connections on to the hosts that answer, as a load balancer in front of a cluster does.

A host that did not answer `/readyz` twice gets no newcomers; its connections stay. **Invariant:** no connection is held for a host that is away.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

LOOK_S: Final = 1.0  # between two looks at a host
ANSWER_S: Final = 2.0  # for an answer
TWICE: Final = 2
PIECE: Final = 65_536
ASK: Final = b"GET /readyz HTTP/1.0\r\nHost: balancer\r\n\r\n"


class Balancer:
    """A port of this machine in front of hosts. `hosts`: (address, port)."""

    def __init__(self, hosts: list[tuple[str, int]], seed: int) -> None:
        self._missed = dict.fromkeys(hosts, 0)
        self._dice = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self.refused = 0  # connections for which no host answered

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._come, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/ws"
        for host in self._missed:
            self._keep(self._watch(host))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self, host: tuple[str, int]) -> None:
        while True:
            self._missed[host] = 0 if await answers(host) else self._missed[host] + 1
            await asyncio.sleep(LOOK_S)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hosts = [host for host, missed in self._missed.items() if missed < TWICE]
        self._dice.shuffle(hosts)
        for host in hosts:
            try:
                inner, outer = await asyncio.wait_for(asyncio.open_connection(*host), ANSWER_S)
            except (OSError, TimeoutError):
                continue
            self._keep(_pass(reader, outer))
            self._keep(_pass(inner, writer))
            return
        self.refused += 1
        writer.transport.abort()


async def answers(host: tuple[str, int]) -> bool:
    """Return whether a host says that it is ready."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(*host)
            try:
                writer.write(ASK)
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


async def _pass(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Pass bytes one way until that side ends."""
    try:
        while data := await source.read(PIECE):
            sink.write(data)
            await sink.drain()
    except OSError:
        sink.transport.abort()
    finally:
        with suppress(OSError):
            sink.close()
