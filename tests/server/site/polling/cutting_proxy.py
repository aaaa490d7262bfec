"""A proxy as some networks have it: it passes HTTP on and refuses WebSockets, in one of the ways in which they do. It can cut what is open.

Rule: everything is on loopback, on a free port, and ends with the test.
"""

import asyncio
import contextlib
import re
import threading
from typing import Literal

Refuses = Literal["403", "strips", "swallows"]


class CuttingProxy:
    """A proxy in front of `port`, in a thread. `upgrades`: WebSocket handshakes that it refused; `asked`: the head of each request."""

    def __init__(self, port: int, refuses: Refuses = "403") -> None:
        self._target = port
        self._refuses = refuses
        self.upgrades = 0
        self.asked: list[str] = []
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    def cut(self) -> None:
        """Cut every open connection."""
        self._loop.call_soon_threadsafe(lambda: [one.transport.abort() for one in self._open])

    def stop(self) -> None:
        """End the proxy."""
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        async def begin() -> None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
            ready.set()

        async def turns() -> None:
            for _ in range(5):
                await asyncio.sleep(0)

        async def end() -> None:
            for sock in self._server.sockets:
                self._loop.remove_reader(sock.fileno())
            await turns()  # what was accepted just now reaches `_serve`; asyncio fails if its server is closed before, and forgets the socket
            self._server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for one in self._open:
                one.transport.abort()
            await turns()  # transports close

        self._loop.run_until_complete(begin())
        self._loop.run_forever()
        self._loop.run_until_complete(end())
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        up: asyncio.StreamWriter | None = None
        try:
            there, up = await asyncio.open_connection("127.0.0.1", self._target)
            self._open.add(up)
            back = asyncio.create_task(self._copy(there, writer))
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.asked.append(head.decode("latin-1"))
                if re.search(rb"\r\nupgrade:\s*websocket", head, re.I):
                    self.upgrades += 1
                    if self._refuses == "403":
                        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                        break
                    if self._refuses == "swallows":
                        await reader.read()
                        break
                    head = re.sub(rb"\r\n(upgrade|connection):[^\r]*", b"", head, flags=re.I)
                up.write(head)
                found = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.I)
                if found:
                    up.write(await reader.readexactly(int(found[1])))
                await up.drain()
            await writer.drain()
            writer.close()
            back.cancel()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for one in (writer, up):
                if one is not None:
                    one.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
