"""Serve operator commands on Unix sockets that only their owner can open: `DATA/run/control` for `serendip status` and upgrades, `DATA/run/live` for
orders about sessions and users (`server.trust.moderators.live_operations`), which the process with the store serves.

A request is one line of JSON; the answer is lines of JSON, the last of which has `done` (whether it succeeded) and `said` (a sentence).
**Invariant:** one upgrade at a time.
"""

# The data folder's path may be longer than the 107 bytes of a socket address: the socket is opened through a descriptor of its folder. The file
# remains when the server ends; the next server replaces it.

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

from server.ops.process.listening_sockets import Sockets, StartError

NAME: Final = "control"  # the name among the listening sockets, and of the file
LIVE: Final = "live"  # the same, of the other socket
FOLDER: Final = "run"
LINE_MAX: Final = 8_192  # bytes of a request
TEXTS_MAX: Final = 65_536  # bytes of a request with texts in many languages
PATIENCE: Final = 5.0  # seconds in which the request must arrive
RETRY: Final = 1.0  # seconds before accepting again after the process ran out of descriptors
BACKLOG: Final = 16

Say = Callable[[Mapping[str, Any]], None]
Line = Mapping[str, Any]
# (another program or None, callback for each step) to the last line
Upgrade = Callable[[str | None, Say], Awaitable[Mapping[str, Any]]]


UNKNOWN: Final[Line] = {"done": False, "said": "this server knows no such request"}


ANSWER_S: Final = 30.0  # seconds that a server may take for an answer that needs no work: on a machine without a free core it needs some
SILENT: Final = (
    "{}: a server runs, and does not answer within {:.0f} s: it is stopped (serendip help SerendipSupervisorGone),"
    " or has no core (serendip help SerendipStarved)"
)


class NoServer(Exception):
    """No server answers; the text says where."""


class Unavailable(Exception):
    """The socket cannot be opened; `error` says why. The server continues without it."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


Carry = Callable[
    [Mapping[str, Any], Say], Awaitable[Line]
]  # a request, and the callback for lines before the last, to the last line


class RequestSocket:
    """Socket of this name in the data folder. `carry_out`: called with each request. Start it in the loop."""

    def __init__(self, sockets: Sockets, data: Path, name: str, carry_out: Carry, most: int = LINE_MAX) -> None:
        self._sockets = sockets
        self._data = data
        self._name = name
        self._carry_out = carry_out
        self._most = most
        self._listening: socket.socket | None = None
        self._answers: set[asyncio.Task[None]] = set()

    async def start(self, *, listening: bool = True) -> None:
        """Open the socket and answer on it. Raises Unavailable (the server then continues, and cannot be upgraded), and StartError as `made` does."""
        sock = await asyncio.to_thread(self._sockets.get, self._name, lambda: made(self._data, self._name))
        sock.close()
        if listening:
            self.listen()

    def listen(self) -> None:
        """Accept connections, at first or after `pause`; do nothing if `start` raised Unavailable."""
        if self._listening is None and self._name in self._sockets.all():
            self._listening = self._sockets.again(self._name)
            self._watch(self._listening)

    def pause(self) -> None:
        """Accept no more connections: new ones wait for `listen`, here or in the next process. Requests in progress continue."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None

    async def stop(self) -> None:
        """Accept no more, and wait until requests in progress are answered."""
        self.pause()
        self._sockets.drop(self._name)
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
        except BlockingIOError:  # the client has closed the connection
            return
        except OSError:  # no descriptor is left: the client waits
            loop.remove_reader(sock)
            loop.call_later(RETRY, self._watch, sock)
            return
        connection.setblocking(False)
        task = loop.create_task(self._answer(connection))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=self._most)

        def say(line: Mapping[str, Any]) -> None:
            if not writer.is_closing():
                writer.write(json.dumps(line).encode() + b"\n")

        try:
            say(await self._last_line(reader, say))
            await writer.drain()
        except ConnectionError:
            pass  # the client has closed the connection; its request was carried out
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _last_line(self, reader: asyncio.StreamReader, say: Say) -> Line:
        try:
            return await self._carry_out(await _asked(reader), say)
        except Exception as error:  # noqa: BLE001 - the client and the log both get the fault
            fault = {"message": "an order failed by our fault", "exception": error}
            asyncio.get_running_loop().call_exception_handler(fault)
            return {"done": False, "said": f"a fault of the server's ({type(error).__name__}); its log says where"}


class ControlSocket(RequestSocket):
    """Control socket of a server of one process. Start it in the loop."""

    def __init__(self, sockets: Sockets, data: Path, upgrade: Upgrade, status: Callable[[], Line]) -> None:
        super().__init__(sockets, data, NAME, self._control)
        self._upgrade = upgrade
        self._status = status
        self._busy = False

    async def _control(self, asked: Mapping[str, Any], say: Say) -> Line:
        """Return the last line of the answer."""
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
        finally:
            self._busy = False


def ask(
    data: Path, request: Mapping[str, Any], name: str = NAME, within: float | None = None
) -> Iterator[dict[str, Any]]:
    """Send a request to the server of a data folder, and yield its answer line by line; blocks. `within`: seconds for each line, None: any time.
    Raises NoServer, also if the server ends before the last line, or a line does not come in time.
    """
    nobody = f"{data}: no server runs on this folder"
    try:
        with _at(data, name) as path, socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(within)
            sock.connect(str(path))
            sock.sendall(json.dumps(request, ensure_ascii=False).encode() + b"\n")
            with sock.makefile("rb") as lines:
                for line in lines:
                    answer: dict[str, Any] = json.loads(line)
                    yield answer
                    if "done" in answer:
                        return
    except (FileNotFoundError, ConnectionRefusedError):
        raise NoServer(nobody) from None
    except (TimeoutError, BlockingIOError):  # BlockingIOError: it accepts no connection, and its queue is full
        raise NoServer(SILENT.format(data, within or 0.0)) from None
    except (OSError, ValueError) as error:
        raise NoServer(f"{data}: the server does not answer ({_reason(error)}); its log may say why") from None
    raise NoServer(f"{data}: the server ended before it had answered; its log says why")


async def _asked(reader: asyncio.StreamReader) -> dict[str, Any]:
    """Return the request, or {} if the line is not one."""
    try:
        async with asyncio.timeout(PATIENCE):
            asked = json.loads(await reader.readline())
    except (ValueError, TimeoutError):
        return {}
    return asked if isinstance(asked, dict) else {}


def made(data: Path, name: str = NAME) -> socket.socket:
    """Return the listening socket, in place of a file that no server answers on. Raises Unavailable; StartError if another server uses this folder.

    A process that takes over from that server inherits the socket and does not call this.
    """
    try:
        return _made(data, name)
    except OSError as error:
        raise Unavailable(errno.errorcode.get(error.errno or 0, type(error).__name__)) from None


def _made(data: Path, name: str) -> socket.socket:
    """Raises OSError, StartError."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    with _at(data, name) as path:
        if name == NAME and _is_answered(path):
            raise StartError(
                f"{data}: another server runs on this data folder. Stop it first, put this one in its place (serendip upgrade),"
                " or choose another folder: --data DIR"
            )
        fresh = path.with_name(f"{name}.{os.getpid()}")
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


def _is_answered(path: Path) -> bool:
    """Whether a server listens. Asked of NAME alone: a frontend whose supervisor died holds the other sockets while it ends. Raises OSError."""
    with socket.socket(socket.AF_UNIX) as other:
        other.settimeout(PATIENCE)
        try:
            other.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except BlockingIOError:  # so many wait that the queue is full
            return True
    return True


@contextlib.contextmanager
def _at(data: Path, name: str) -> Iterator[Path]:
    """Yield a short path of the socket, valid within the context. Raises OSError."""
    folder = os.open(data / FOLDER, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield Path(f"/proc/self/fd/{folder}/{name}")
    finally:
        os.close(folder)


def _reason(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else type(error).__name__
