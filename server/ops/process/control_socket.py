"""The socket by which an operator talks to the running server: `DATA/run/control`, for its owner alone.

Rule: a line of JSON in, lines of JSON out, the last of which has `done` and `said`. One upgrade at a time. The folder of data may
have a path longer than the 107 bytes of a socket's: it is reached through a descriptor of its folder. The file stays when the server
ends: nobody answers on it then, and the next server takes its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from server.ops.process.named_sockets import Sockets, StartError

NAME: Final = "control"  # among the listening sockets, and the file's
FOLDER: Final = "run"
LINE_MAX: Final = 8_192  # bytes of what is asked
PATIENCE: Final = 5.0  # seconds for it to come
RETRY: Final = 1.0  # seconds until it is tried again where no descriptor was left
BACKLOG: Final = 16

Say = Callable[[Mapping[str, Any]], None]
Line = Mapping[str, Any]
# (another program or None, told of each step) to the last line
Upgrade = Callable[[str | None, Say], Awaitable[Mapping[str, Any]]]


UNKNOWN: Final[Line] = {"done": False, "said": "this server knows no such request"}


class NoServer(Exception):
    """Nobody answers; the text says where."""


class Unavailable(Exception):
    """The socket cannot be had; `error` says why. The server goes on without it."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Control:
    """Answers on the socket. Started in the loop."""

    def __init__(self, sockets: Sockets, data: Path, upgrade: Upgrade, status: Callable[[], Line]) -> None:
        self._sockets = sockets
        self._data = data
        self._upgrade = upgrade
        self._status = status
        self._busy = False
        self._listening: socket.socket | None = None
        self._answers: set[asyncio.Task[None]] = set()

    async def start(self, *, listening: bool = True) -> None:
        """Have the socket, and answer. Raises Unavailable: the server goes on, and cannot be upgraded; StartError as `made`."""
        sock = await asyncio.to_thread(self._sockets.get, NAME, lambda: made(self._data))
        sock.close()
        if listening:
            self.listen()

    def listen(self) -> None:
        """Answer from here on, also anew after `pause`."""
        if self._listening is None:
            self._listening = self._sockets.again(NAME)
            self._watch(self._listening)

    def pause(self) -> None:
        """Take no more connections; who comes waits for `listen`, here or in the next process. What is under way goes on."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None

    async def stop(self) -> None:
        """Take no more, and wait until what is under way is answered."""
        self.pause()
        self._sockets.drop(NAME)
        if self._answers:
            await asyncio.wait(self._answers, timeout=PATIENCE)
        for task in tuple(self._answers):
            task.cancel()

    def _watch(self, sock: socket.socket) -> None:
        if sock is self._listening:
            asyncio.get_running_loop().add_reader(sock, self._accept, sock)

    def _accept(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection, _ = sock.accept()
        except BlockingIOError:  # whoever it was is gone
            return
        except OSError:  # no descriptor is left: who asks waits
            loop.remove_reader(sock)
            loop.call_later(RETRY, self._watch, sock)
            return
        connection.setblocking(False)
        task = loop.create_task(self._answer(connection))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LINE_MAX)

        def say(line: Mapping[str, Any]) -> None:
            if not writer.is_closing():
                writer.write(json.dumps(line).encode() + b"\n")

        try:
            say(await self._done(reader, say))
            await writer.drain()
        except ConnectionError:
            pass  # whoever asked is gone; what was asked for is done
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _done(self, reader: asyncio.StreamReader, say: Say) -> Mapping[str, Any]:
        """The last line of the answer."""
        asked = await _asked(reader)
        if asked.get("do") == "status":
            return self._status()
        if asked.get("do") in ("drain", "restart"):
            return {"done": False, "said": "this server is one process, which has no workers (SERENDIP_WORKERS)"}
        if asked.get("do") != "upgrade" or not isinstance(asked.get("program"), str | None):
            return UNKNOWN
        if self._busy:
            return {"done": False, "said": "an upgrade is under way already"}
        self._busy = True
        try:
            return await self._upgrade(asked.get("program"), say)
        except Exception as error:  # noqa: BLE001 - whoever asked is to be told, and so is the log
            fault = {"message": "an upgrade failed by our fault", "exception": error}
            asyncio.get_running_loop().call_exception_handler(fault)
            return {"done": False, "said": f"a fault of the server's ({type(error).__name__}); its log says where"}
        finally:
            self._busy = False


def ask(data: Path, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What the server of that folder answers, line by line; waits for each. Raises NoServer, also where it ends before the last."""
    nobody = f"{data}: no server runs on this folder"
    try:
        with _at(data) as path, socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(json.dumps(request).encode() + b"\n")
            with sock.makefile("rb") as lines:
                for line in lines:
                    answer: dict[str, Any] = json.loads(line)
                    yield answer
                    if "done" in answer:
                        return
    except (FileNotFoundError, ConnectionRefusedError):
        raise NoServer(nobody) from None
    except (OSError, ValueError) as error:
        raise NoServer(f"{data}: the server does not answer ({_reason(error)}); its log may say why") from None
    raise NoServer(f"{data}: the server ended before it had answered; its log says why")


async def _asked(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The request, {} for what is none."""
    try:
        asked = json.loads(await asyncio.wait_for(reader.readline(), PATIENCE))
    except (ValueError, TimeoutError):
        return {}
    return asked if isinstance(asked, dict) else {}


def made(data: Path) -> socket.socket:
    """The listening socket, in place of one on which nobody answers. Raises Unavailable; StartError where another server has this folder.

    One that takes over from that server inherits the socket and does not call this.
    """
    try:
        return _made(data)
    except OSError as error:
        raise Unavailable(errno.errorcode.get(error.errno or 0, type(error).__name__)) from None


def _made(data: Path) -> socket.socket:
    """Raises OSError, StartError."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    with _at(data) as path:
        with socket.socket(socket.AF_UNIX) as other, contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            other.settimeout(PATIENCE)
            other.connect(str(path))
            raise StartError(
                f"{data}: another server runs on this data folder. Stop it first, put this one in its place (serendip upgrade),"
                " or choose another folder: --data DIR"
            )
        fresh = path.with_name(f"{NAME}.{os.getpid()}")
        sock = socket.socket(socket.AF_UNIX)
        try:
            fresh.unlink(missing_ok=True)
            sock.bind(str(fresh))
            fresh.chmod(0o600)
            sock.listen(BACKLOG)
            fresh.replace(path)
        except OSError:
            sock.close()
            raise
    sock.setblocking(False)
    return sock


@contextlib.contextmanager
def _at(data: Path) -> Iterator[Path]:
    """A short path of the socket, good as long as this lasts. Raises OSError."""
    folder = os.open(data / FOLDER, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield Path(f"/proc/self/fd/{folder}/{NAME}")
    finally:
        os.close(folder)


def _reason(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else type(error).__name__
