"""Send back what arrives, on the server's core and before all else there: what the machine and the bench add to the time of a line."""

import asyncio
import contextlib
import multiprocessing
import os
import socket
import time
from multiprocessing.connection import Connection
from typing import Final, Self

from bench.support.precedence import ahead

PATIENCE: Final = 20.0  # seconds until its process runs, and until a byte is back


class EchoEnded(Exception):
    """The echo answers no more: a row without it would not tell what the machine added."""


class Echo:
    """An echo in a process of its own, for one connection after the other. `core`: processor it is bound to, empty: none."""

    def __init__(self, core: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._told, said = context.Pipe(duplex=False)
        self._process = context.Process(target=serve, args=(core, said), daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._process.start()
        if not self._told.poll(PATIENCE):
            self.__exit__()
            raise TimeoutError("the echo did not start")
        self.port = self._told.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()


async def hear_echo(port: int, first: float, step: float, turns: int) -> list[float]:
    """Send `turns` bytes through the echo, from `first` on every `step` seconds. Return the seconds until each was back. Raises EchoEnded."""
    waits: list[float] = []
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for turn in range(turns):
                await asyncio.sleep(max(0.0, first + turn * step - time.perf_counter()))
                began = time.perf_counter()
                writer.write(b"x")
                async with asyncio.timeout(PATIENCE):
                    await reader.readexactly(1)
                waits.append(time.perf_counter() - began)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    except (OSError, asyncio.IncompleteReadError) as error:  # a TimeoutError is an OSError
        raise EchoEnded(f"the echo answered {len(waits)} of {turns} bytes, then no more: {error!r}") from None
    return waits


def serve(core: str, said: Connection) -> None:
    """Run the echo's process."""
    if core:
        os.sched_setaffinity(0, {int(core)})
    ahead()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        said.send(listener.getsockname()[1])
        while True:
            sock, _ = listener.accept()
            with sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while data := sock.recv(4096):
                    sock.sendall(data)
